/**
 * Answers a request only when its Host header names loopback; `loopback.ts` says why.
 *
 * For servers that listen on loopback. Add it before other hooks: nothing else then sees such a request.
 */
import type { FastifyInstance } from "fastify";
import { namesLoopback } from "./loopback.ts";
import { type ProblemFacts, problemOf } from "./problem.ts";
import { sendProblem } from "./send-problem.ts";

/** @param facts what the refusal says beside the usual: a door for jobs tells their outcome. */
export function refuseOtherNames(server: FastifyInstance, facts: Pick<ProblemFacts, "outcome"> = {}): void {
  const problem = problemOf({
    status: 421,
    code: "HOST_REFUSED",
    title: "Wrong host name",
    detail: "This API listens on loopback and answers only to localhost, 127.0.0.1 or [::1].",
    ...facts,
  });
  // A hook with a callback: an async one costs every request a promise.
  server.addHook("onRequest", (request, reply, done) => {
    if (namesLoopback(request.headers.host)) return done();
    sendProblem(reply, problem);
  });
}
