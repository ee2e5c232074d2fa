/**
 * `/livez`, `/readyz` and `/metrics`, the same on every process that listens.
 *
 * Alive means that the process answers. Ready means that it can do its work now: Redis answers and is
 * as durable as configured; the level really in force is shown, and how it is known.
 */
import type { FastifyInstance } from "fastify";
import type { Registry } from "prom-client";
import type { Durability } from "../redis/durability.ts";

export interface Readiness {
  /** What the last look at Redis found, `null` before the first. */
  readonly durability: Durability | null;
  readonly redisReachable: boolean;
  readonly stopping: boolean;
  /** Other things that keep the process from its work, in sentences. */
  readonly problems: readonly string[];
  /** Whether an autoscaler leads, where it is one. Both a leader and a standby are ready. */
  readonly role?: "leader" | "standby" | "unknown";
}

export interface HealthPorts {
  readonly metrics: Registry;
  readiness(): Readiness;
}

export function addHealthRoutes(server: FastifyInstance, ports: HealthPorts): void {
  server.get("/livez", async () => ({ status: "alive" }));

  server.get("/readyz", async (_request, reply) => {
    const readiness = ports.readiness();
    const problems = problemsOf(readiness);
    const body = {
      status: problems.length === 0 ? "ready" : "not-ready",
      problems,
      redis: readiness.redisReachable ? "reachable" : "unreachable",
      durability: readiness.durability && {
        level: readiness.durability.level,
        basis: readiness.durability.basis,
      },
      role: readiness.role,
    };
    return reply.code(problems.length === 0 ? 200 : 503).send(body);
  });

  server.get("/metrics", { config: { scope: "ops:read" } }, async (_request, reply) =>
    reply.header("content-type", ports.metrics.contentType).send(await ports.metrics.metrics()),
  );
}

function problemsOf(readiness: Readiness): string[] {
  return [
    ...(readiness.stopping ? ["the process is stopping"] : []),
    ...(readiness.redisReachable ? [] : ["Redis is not reachable"]),
    ...(readiness.durability?.problems ?? []),
    ...readiness.problems,
  ];
}
