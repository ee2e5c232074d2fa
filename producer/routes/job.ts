/** `GET /v1/jobs/{id}` and its result: one job, at once or when it has ended. */
import type { FastifyInstance, FastifyReply } from "fastify";
import { z } from "zod";
import { isEnded } from "#shared/job-state";
import type { JobView } from "#shared/redis/job-lookup";
import { type AwaitJobPorts, awaitEnd, resultOf, sendAsItIs, sendTooManyWaiting } from "../await-job.ts";
import { ownJob, type RequestForJob, sendJobNotFound } from "../own-job.ts";
import { preferenceApplied, preferredWaitSeconds, WAIT_SECONDS_MAX } from "../prefer.ts";
import { check, sendQueryInvalid } from "../read-query.ts";

export type JobPorts = AwaitJobPorts;

const READS = { config: { scope: "jobs:read" } } as const;

const waitRule = `must be a whole number of seconds from 0 to ${WAIT_SECONDS_MAX}`;

export const noQuery = z.strictObject({});
export const resultQuery = z.strictObject({
  wait: z
    .string(waitRule)
    .regex(/^\d{1,2}$/, waitRule)
    .transform(Number)
    .refine((seconds) => seconds <= WAIT_SECONDS_MAX, waitRule)
    .optional(),
});

export function addJobRoutes(server: FastifyInstance, ports: JobPorts): void {
  server.get<{ Params: { id: string } }>("/v1/jobs/:id", READS, async (request, reply) => {
    const query = check(noQuery, request.query);
    if ("errors" in query) return sendQueryInvalid(reply, query.errors);
    const preferred = preferredWaitSeconds(request.headers.prefer);
    if (preferred === null) return (await ownJob(request, ports)) ?? sendJobNotFound(reply);
    return answer({ request, reply, ports, seconds: preferred, preferred, bodyOf: (job) => job });
  });

  server.get<{ Params: { id: string } }>("/v1/jobs/:id/result", READS, async (request, reply) => {
    const query = check(resultQuery, request.query);
    if ("errors" in query) return sendQueryInvalid(reply, query.errors);
    const { wait } = query.value;
    const preferred = wait === undefined ? preferredWaitSeconds(request.headers.prefer) : null;
    const seconds = wait ?? preferred ?? 0;
    const bodyOf = (job: JobView) => (isEnded(job.state) ? resultOf(job) : { id: job.id, state: job.state });
    return answer({ request, reply, ports, seconds, preferred, bodyOf });
  });
}

interface Awaiting {
  readonly request: RequestForJob;
  readonly reply: FastifyReply;
  readonly ports: JobPorts;
  readonly seconds: number;
  /** What is told to have been followed; `null` when the client did not ask by header. */
  readonly preferred: number | null;
  bodyOf(job: JobView): unknown;
}

async function answer({ request, reply, ports, seconds, preferred, bodyOf }: Awaiting) {
  const found = await ownJob(request, ports);
  if (found === null) return sendJobNotFound(reply);
  const mustWait = seconds > 0 && !isEnded(found.state);
  if (mustWait && !ports.watch.hasRoom) return sendTooManyWaiting(reply);
  const job = mustWait ? await awaitEnd(found, seconds, { reply, ports }) : found;
  if (job === null) return sendJobNotFound(reply);
  if (preferred !== null) reply.headers(preferenceApplied(preferred));
  return sendAsItIs(reply, job, bodyOf(job));
}
