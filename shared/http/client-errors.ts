/**
 * Answers what never became a request: no HTTP, headers without end, a body that does not come.
 *
 * Node measures how long a request takes to arrive as a whole, which a stream of jobs may do for as long as it likes:
 * such a one is watched by how long it is silent instead, by the route that reads it.
 */
import type { Socket } from "node:net";
import { type Outcome, PROBLEM_CONTENT_TYPE, type Problem, problemOf } from "./problem.ts";

const longBodies = new WeakSet<Socket>();

/** Lets the request that is arriving on the connection, and those after it, take their time. */
export function allowLongBody(socket: Socket): void {
  longBodies.add(socket);
}

/** @param fate what the answer says became of the job; nothing where no jobs are taken. */
export function clientErrorHandler(fate: { readonly outcome?: Outcome }) {
  return (error: Error & { readonly code?: string }, socket: Socket): void => {
    if (error.code === "ERR_HTTP_REQUEST_TIMEOUT" && longBodies.has(socket)) return;
    if (socket.destroyed || error.code === "ECONNRESET") return;
    // Another request's answer may be on its way, of which this would be taken for a part.
    if (socket.writable && socket.bytesWritten === 0) socket.write(textOf(problemFor(error.code, fate)));
    socket.destroy(error);
  };
}

function problemFor(code: string | undefined, fate: { readonly outcome?: Outcome }): Problem {
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") {
    const detail = "The request did not arrive completely within 30 s.";
    return problemOf({
      status: 408,
      code: "REQUEST_TIMEOUT",
      title: "The request took too long",
      detail,
      ...fate,
    });
  }
  if (code === "HPE_HEADER_OVERFLOW") {
    const detail = "The header fields may have at most 16 KiB together.";
    return problemOf({
      status: 431,
      code: "HEADERS_TOO_LARGE",
      title: "The headers are too large",
      detail,
      ...fate,
    });
  }
  const detail = "What came is no HTTP request.";
  return problemOf({ status: 400, code: "BAD_REQUEST", title: "Bad request", detail, ...fate });
}

const REASONS: Readonly<Record<number, string>> = {
  400: "Bad Request",
  408: "Request Timeout",
  431: "Request Header Fields Too Large",
};

function textOf(problem: Problem): string {
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${REASONS[problem.status]}`,
    `Content-Type: ${PROBLEM_CONTENT_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Connection: close",
  ];
  return `${head.join("\r\n")}\r\n\r\n${body}`;
}
