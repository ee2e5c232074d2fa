/**
 * A job as far as it is the caller's: another tenant's is answered as one that does not exist, after the same
 * work and in the same words.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { problemOf } from "#shared/http/problem";
import { sendProblem } from "#shared/http/send-problem";
import type { JobView } from "#shared/redis/job-lookup";

export interface FindJobPort {
  /** `null` when the job is not known; rejects when Redis is not reached. */
  findJob(jobId: string): Promise<JobView | null>;
}

export type RequestForJob = FastifyRequest<{ Params: { id: string } }>;

/** `null` when there is no such job for the caller. @throws {RedisUnavailableError} */
export async function ownJob({ params, caller }: RequestForJob, ports: FindJobPort): Promise<JobView | null> {
  const job = await ports.findJob(params.id);
  return job?.tenant === caller.tenant ? job : null;
}

export function sendJobNotFound(reply: FastifyReply): FastifyReply {
  return sendProblem(reply, NOT_FOUND);
}

const NOT_FOUND = problemOf({
  status: 404,
  code: "JOB_NOT_FOUND",
  title: "No such job",
  detail: "No job with this id is known: it was never accepted, or it finished and was cleaned away.",
});
