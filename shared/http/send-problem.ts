/** Answers a request with a problem, the same way on every server. */
import type { FastifyReply } from "fastify";
import { PROBLEM_CONTENT_TYPE, type Problem } from "./problem.ts";

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  if (problem.retryAfterSeconds !== undefined) reply.header("retry-after", String(problem.retryAfterSeconds));
  return reply
    .code(problem.status)
    .header("content-type", PROBLEM_CONTENT_TYPE)
    .send(JSON.stringify(problem));
}
