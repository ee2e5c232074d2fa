/** `POST /v1/jobs`: one job, in any of its three forms. */
import type { FastifyInstance } from "fastify";
import type { Caller } from "#shared/auth/caller";
import type { EnqueueAnswer, Enqueuer, EnqueueTerms } from "#shared/enqueue/enqueuer";
import { idempotencyKeyOf } from "#shared/http/idempotency-key";
import { rateLimitHeaders } from "#shared/http/rate-limit-fields";
import { type AwaitJobPorts, answerEnded } from "../await-job.ts";
import { deprecationHeaders } from "../deprecation-headers.ts";
import { readJobRequest } from "../read-job-request.ts";

export interface JobsPorts {
  readonly enqueuer: Enqueuer;
  /** Where a request waits whose sender prefers to. */
  readonly watch: AwaitJobPorts["watch"];
}

export function addJobsRoutes(server: FastifyInstance, ports: JobsPorts): void {
  server.post("/v1/jobs", { config: { scope: "jobs:write" } }, async (request, reply) => {
    const { headers, caller } = request;
    const idempotencyKey = idempotencyKeyOf(headers["idempotency-key"]);
    const answer = await ports.enqueuer.enqueue(readJobRequest(request), {
      ...termsOf(caller),
      idempotencyKey,
    });
    if (answer.superseded !== null) reply.headers(deprecationHeaders(answer.superseded));
    if (answer.outcome === "replayed") reply.header("idempotency-replayed", "true");
    if (answer.quotas.length > 0) reply.headers(rateLimitHeaders(answer.quotas));
    reply.header("location", `/v1/jobs/${answer.job.id}`);
    if (headers.prefer !== undefined) {
      request.letGo();
      const ended = await answerEnded(request, reply, { jobId: answer.job.id, watch: ports.watch });
      if (ended !== null) return ended;
    }
    return reply.code(202).send(receiptOf(answer));
  });
}

function receiptOf({ job, outcome }: EnqueueAnswer) {
  const { id, type, state } = job;
  return { id, type, state, outcome };
}

/** On whose behalf a caller's jobs are enqueued. */
export function termsOf({ tenant, keyId, name }: Caller): EnqueueTerms {
  return keyId === null ? { tenant, keyId } : { tenant, keyId, source: `/keys/${name}` };
}
