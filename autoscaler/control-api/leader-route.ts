/**
 * `GET /v1/leader`: which autoscaler leads, which stand by, and which one answers.
 *
 * Every autoscaler answers, and from Redis: the one that is asked may believe what is no longer so.
 */
import type { FastifyInstance } from "fastify";
import type { SeenAutoscaler } from "#shared/redis/leader-lease";
import { toRfc3339 } from "#shared/system-clock";
import type { LeaderView } from "../lead-fleet.ts";
import { readRedis } from "./problems.ts";

export interface LeaderPorts {
  /** Rejects when Redis is away; never hangs. */
  leader(): Promise<LeaderView>;
}

export function addLeaderRoute(server: FastifyInstance, ports: LeaderPorts): void {
  server.get("/v1/leader", { config: { scope: "ops:read" } }, async () => {
    const { id, role, look } = await readRedis(ports.leader());
    const { leader, autoscalers } = look;
    return {
      answeredBy: { id, role },
      leader: leader === null ? null : { ...shown(leader), ...termOf(leader) },
      standbys: autoscalers.filter((it) => it.id !== leader?.id).map(shown),
    };
  });
}

function shown({ id, host, pid }: SeenAutoscaler) {
  return { id, host, pid };
}

function termOf({ epoch, sinceMs, leftMs }: NonNullable<LeaderView["look"]["leader"]>) {
  return { epoch, since: toRfc3339(sinceMs), leaseEndsInMs: leftMs };
}
