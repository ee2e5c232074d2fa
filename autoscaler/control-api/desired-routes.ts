/** `GET /v1/scaling/desired` and `GET /v1/scaling/desired/{pool}`: workers that the last decision asks for, or a refusal. */
import type { FastifyInstance } from "fastify";
import { type Problem, problemOf } from "#shared/http/problem";
import { sendProblem } from "#shared/http/send-problem";
import { toRfc3339 } from "#shared/system-clock";
import type { DesiredAnswer, DesiredQuestion, NoDesired } from "../keda/decide-desired-answer.ts";
import { readRedis } from "./problems.ts";
import { type Query, releaseOf } from "./read-query.ts";

export interface DesiredPorts {
  /** The pools of the configuration. */
  readonly desiredPools: readonly string[];
  /** Rejects when Redis is away; never hangs. */
  desired(question: DesiredQuestion): Promise<DesiredAnswer>;
}

const READS = { config: { scope: "ops:read" } } as const;

export function addDesiredRoutes(server: FastifyInstance, ports: DesiredPorts): void {
  server.get("/v1/scaling/desired", READS, async () => {
    const asking = ports.desiredPools.map(async (pool) => {
      const question = { pool, release: null };
      return shown(question, await readRedis(ports.desired(question)));
    });
    return { desired: await Promise.all(asking) };
  });

  server.get<{ Params: { pool: string }; Querystring: Query }>(
    "/v1/scaling/desired/:pool",
    READS,
    async ({ params, query }, reply) => {
      const question = { pool: params.pool, release: releaseOf(query) };
      const answer = await readRedis(ports.desired(question));
      return answer.kind === "known" ? shown(question, answer) : sendProblem(reply, refusalOf(answer));
    },
  );
}

/** What is not known is `null`, in the list of all pools; alone it is refused. */
function shown({ pool, release }: DesiredQuestion, answer: DesiredAnswer) {
  const base = { pool, release, target: 1 };
  if (answer.kind !== "known") {
    return { ...base, desiredWorkers: null, active: null, decidedAt: null, decisionId: null };
  }
  const { workers, atMs, decisionId } = answer;
  return { ...base, desiredWorkers: workers, active: workers > 0, decidedAt: toRfc3339(atMs), decisionId };
}

function refusalOf({ kind, field, reason }: NoDesired): Problem {
  const detail = `${field}: ${reason}.`;
  if (kind === "wrong") {
    const code = field === "pool" ? "POOL_NOT_FOUND" : "RELEASE_NOT_FOUND";
    return problemOf({ status: 404, code, title: `No such ${field}`, detail });
  }
  return problemOf({
    status: 503,
    code: "DESIRED_UNKNOWN",
    title: "The number of workers is not known",
    detail,
    retryAfterSeconds: 5,
  });
}
