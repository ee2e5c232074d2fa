/** `GET /v1/jobs/{id}/events`: one job's changes as they come, as server-sent events. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Clock } from "#shared/clock";
import { problemOf } from "#shared/http/problem";
import { sendProblem } from "#shared/http/send-problem";
import { isEnded } from "#shared/job-state";
import type { JobWatch } from "#shared/redis/job-watch";
import { sendTooManyWaiting } from "../await-job.ts";
import { CALLER_STREAMS_MAX, END_ID, JobEventStream, JobEventStreams } from "../job-event-stream.ts";
import { type FindJobPort, ownJob, sendJobNotFound } from "../own-job.ts";
import { check, sendQueryInvalid } from "../read-query.ts";
import { noQuery } from "./job.ts";

export interface JobEventsPorts extends FindJobPort {
  readonly watch: Pick<JobWatch, "subscribe" | "stop">;
  readonly clock: Clock;
}

const HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store",
  // nginx would gather the events.
  "x-accel-buffering": "no",
  // Else the ended stream's connection would hold up the stop of the process.
  connection: "close",
};

/** A HEAD would hold the stream open and read nothing. */
const READS = { config: { scope: "jobs:read" }, exposeHeadRoute: false } as const;

const TOO_MANY_STREAMS = problemOf({
  status: 429,
  code: "TOO_MANY_STREAMS",
  title: "Too many streams",
  detail: `A caller may follow ${CALLER_STREAMS_MAX} jobs at a time in this process; end one first.`,
  retryAfterSeconds: 5,
});

/** Ends all streams and waits as soon as the server closes. */
export function addJobEventsRoute(server: FastifyInstance, ports: JobEventsPorts): void {
  const streams = new JobEventStreams();
  server.addHook("preClose", (done) => {
    ports.watch.stop();
    streams.endAll();
    done();
  });

  server.get<{ Params: { id: string } }>("/v1/jobs/:id/events", READS, async (request, reply) => {
    const query = check(noQuery, request.query);
    if ("errors" in query) return sendQueryInvalid(reply, query.errors);
    const job = await ownJob(request, ports);
    if (job === null) return sendJobNotFound(reply);
    const lastEventId = [request.headers["last-event-id"]].flat()[0];
    // A browser asks again after every end until it is told that there is nothing more.
    if (lastEventId === END_ID && isEnded(job.state)) return reply.code(204).send();
    const { watch, clock } = ports;
    const stream = new JobEventStream({ job, watch, clock, lastEventId });
    return begin(stream, { streams, caller: callerOf(request), reply });
  });
}

function begin(
  stream: JobEventStream,
  { streams, caller, reply }: { streams: JobEventStreams; caller: string; reply: FastifyReply },
): FastifyReply {
  const room = streams.roomFor(caller);
  if (room === "process-full") return sendTooManyWaiting(reply);
  if (room === "caller-full") return sendProblem(reply, TOO_MANY_STREAMS);
  if (!stream.begin()) return sendTooManyWaiting(reply);
  streams.enter(caller, stream);
  return reply.headers(HEADERS).send(stream.body);
}

/** Without credentials callers are told apart by where they come from. */
function callerOf({ caller, ip }: FastifyRequest): string {
  return caller.keyId ?? `ip ${ip}`;
}
