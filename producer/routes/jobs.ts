/** `POST /v1/jobs`: one job, in any of its three forms. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Caller } from "#shared/auth/caller";
import type { EnqueueAnswer, Enqueuer, EnqueueTerms } from "#shared/enqueue/enqueuer";
import { idempotencyKeyOf } from "#shared/http/idempotency-key";
import { rateLimitHeaders } from "#shared/http/rate-limit-fields";
import { type AwaitJobPorts, answerEnded } from "../await-job.ts";
import { deprecationHeaders } from "../deprecation-headers.ts";
import { readJobRequest } from "../read-job-request.ts";

/** Answers a request with the problem that an error is. */
export type Refuse = (error: unknown, request: FastifyRequest, reply: FastifyReply) => void;

export interface JobsPorts {
  readonly refuse: Refuse;
  readonly enqueuer: Enqueuer;
  /** Where a request waits whose sender prefers to. */
  readonly watch: AwaitJobPorts["watch"];
}

export function addJobsRoutes(server: FastifyInstance, ports: JobsPorts): void {
  // Not an async handler: what that adds to each request is more than this one does.
  server.post("/v1/jobs", { config: { scope: "jobs:write" } }, (request, reply) => {
    const by = termsOf(request.caller, idempotencyKeyOf(request.headers["idempotency-key"]));
    ports.enqueuer
      .enqueue(readJobRequest(request), by)
      .then((answer) => {
        if (request.headers.prefer === undefined) send(request, reply, answer);
        else return sendEnded(request, reply, { answer, watch: ports.watch });
      })
      // Not by `reply.send`: under a flood nearly all end here, and the framework's own way costs each some microseconds more.
      .catch((error: unknown) => ports.refuse(error, request, reply));
  });
}

/** Waits for the job's end, when the request prefers to. */
async function sendEnded(
  request: FastifyRequest,
  reply: FastifyReply,
  { answer, watch }: { readonly answer: EnqueueAnswer; readonly watch: JobsPorts["watch"] },
): Promise<void> {
  request.letGo();
  addHeaders(reply, answer);
  const ended = await answerEnded(request, reply, { jobId: answer.job.id, watch });
  if (ended === null) reply.code(202).send(receiptOf(answer));
}

function send(request: FastifyRequest, reply: FastifyReply, answer: EnqueueAnswer): void {
  // Here and not when it is sent: on a connection with several requests it may have to wait for those before it.
  request.letGo();
  addHeaders(reply, answer);
  reply.code(202).send(receiptOf(answer));
}

function addHeaders(reply: FastifyReply, { superseded, outcome, quotas, job }: EnqueueAnswer): void {
  if (superseded !== null) reply.headers(deprecationHeaders(superseded));
  if (outcome === "replayed") reply.header("idempotency-replayed", "true");
  if (quotas.length > 0) reply.headers(rateLimitHeaders(quotas));
  reply.header("location", `/v1/jobs/${job.id}`);
  reply.header("content-type", "application/json; charset=utf-8");
}

/** As JSON; none of its texts has a sign that needs care. */
function receiptOf({ job: { id, type, state }, outcome }: EnqueueAnswer): string {
  const shown = state === null ? "null" : `"${state}"`;
  return `{"id":"${id}","type":"${type}","state":${shown},"outcome":"${outcome}"}`;
}

/** On whose behalf a caller's jobs are enqueued. */
export function termsOf({ tenant, keyId, name }: Caller, idempotencyKey: string | null = null): EnqueueTerms {
  if (keyId === null) return { tenant, keyId, idempotencyKey };
  return { tenant, keyId, source: `/keys/${name}`, idempotencyKey };
}
