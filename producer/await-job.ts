/**
 * Holds a request until its job has ended, the time is up, or the client has gone away.
 *
 * A wait is a place in the watch of the process; a client that goes away frees its own at once.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { problemOf } from "#shared/http/problem";
import { sendProblem } from "#shared/http/send-problem";
import { isEnded } from "#shared/job-state";
import type { JobView } from "#shared/redis/job-lookup";
import type { JobWatch } from "#shared/redis/job-watch";
import type { FindJobPort } from "./own-job.ts";
import { preferenceApplied, preferredWaitSeconds } from "./prefer.ts";

export interface AwaitJobPorts extends FindJobPort {
  readonly watch: Pick<JobWatch, "hasRoom" | "isStopped" | "untilEnded">;
}

/** A job that has not ended is asked for again at the earliest after so long. */
export const RETRY_AFTER_SECONDS = 1;

/** What is told of a job's end. */
export function resultOf({ id, state, result, resultBytesDropped, error }: JobView) {
  return { id, state, result, resultBytesDropped, error };
}

/**
 * The job once it has ended, or as it is when the time is up; `null` when it is gone by then.
 *
 * @throws {RedisUnavailableError} when the time is up and it cannot be said how the job is.
 */
export async function awaitEnd(
  job: JobView,
  seconds: number,
  { reply, ports }: { readonly reply: FastifyReply; readonly ports: AwaitJobPorts },
): Promise<JobView | null> {
  const signal = untilClosed(reply);
  const ended = await ports.watch.untilEnded(job.id, { timeoutMs: seconds * 1_000, signal });
  if (ended !== null) return ended;
  closeWhenStopped(reply, ports.watch);
  // Nobody hears the answer.
  return signal.aborted ? job : ports.findJob(job.id);
}

/** Answers the request that handed a job in by the job's end, when it prefers to wait and that comes in time. */
export async function answerEnded(
  request: FastifyRequest,
  reply: FastifyReply,
  { jobId, watch }: { readonly jobId: string; readonly watch: AwaitJobPorts["watch"] },
): Promise<FastifyReply | null> {
  const seconds = preferredWaitSeconds(request.headers.prefer);
  // A preference is none that must be followed: without room the job is accepted all the same.
  if (seconds === null || !watch.hasRoom) return null;
  const signal = untilClosed(reply);
  const ended = await watch.untilEnded(jobId, { timeoutMs: seconds * 1_000, signal });
  reply.headers(preferenceApplied(seconds));
  closeWhenStopped(reply, watch);
  return ended === null ? null : reply.code(200).send(resultOf(ended));
}

/** The connection of a request that was waiting when the server closed would hold up its stop. */
function closeWhenStopped(reply: FastifyReply, { isStopped }: AwaitJobPorts["watch"]): void {
  if (isStopped) reply.header("connection", "close");
}

export function sendTooManyWaiting(reply: FastifyReply): FastifyReply {
  return sendProblem(reply, TOO_MANY_WAITING);
}

/** Sends the answer about a job that was waited for. */
export function sendAsItIs(reply: FastifyReply, job: JobView, body: unknown): FastifyReply {
  if (isEnded(job.state)) return reply.send(body);
  return reply.code(202).header("retry-after", String(RETRY_AFTER_SECONDS)).send(body);
}

const TOO_MANY_WAITING = problemOf({
  status: 503,
  code: "TOO_MANY_WAITING",
  title: "Too many requests wait here",
  detail: "As many requests wait for a job in this process as may; ask without waiting, or try again.",
  retryAfterSeconds: 5,
});

/** Aborts when the connection closes before the answer was sent. */
function untilClosed(reply: FastifyReply): AbortSignal {
  const closed = new AbortController();
  reply.raw.once("close", () => closed.abort());
  if (reply.raw.destroyed) closed.abort();
  return closed.signal;
}
