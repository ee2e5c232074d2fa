/**
 * `POST /v1/jobs/batch`: many jobs in one request, each with its own result.
 *
 * As a JSON array or a CloudEvents batch of at most 1,000, or as a stream of lines of any length. An idempotency key
 * of a batch is that of each of its jobs, with its place behind it; while a batch with a key is under way, the same
 * key is refused, so that two of them do not race each other through the stream.
 */
import { Readable } from "node:stream";
import { errorCodes, type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { z } from "zod";
import { BatchAbortedError } from "#shared/admission-errors";
import type { EnqueueResult, Enqueuer, EnqueueTerms } from "#shared/enqueue/enqueuer";
import { type JobRequest, parseCloudEventRequest, parsePlainRequest } from "#shared/envelope";
import { EnvelopeInvalidError, type Issue } from "#shared/errors";
import { allowLongBody } from "#shared/http/client-errors";
import { idempotencyKeyOf } from "#shared/http/idempotency-key";
import { type Problem, problemOf } from "#shared/http/problem";
import { sendProblem } from "#shared/http/send-problem";
import { findForbidden } from "#shared/json-walk";
import type { BatchClaims } from "#shared/redis/batch-claims";
import { batchResultOf, countsOf } from "../batch-result.ts";
import { batchStream } from "../batch-stream.ts";
import type { ProducerMetrics } from "../metrics.ts";
import { problemFor } from "../problems.ts";
import { parseBody } from "../read-body.ts";
import { isOfType } from "../read-job-request.ts";
import { check } from "../read-query.ts";
import { termsOf } from "./jobs.ts";

export interface BatchPorts {
  readonly enqueuer: Enqueuer;
  readonly claims: Pick<BatchClaims, "hold">;
  readonly counts: Pick<ProducerMetrics, "batchAnswered">;
}

/** Bytes of a batch that is not streamed. */
const BATCH_BYTES_MAX = 8 * 1024 * 1024;
const BATCH_JOBS_MAX = 1_000;

/** All of them are decided in one call of the admission script, which holds Redis up. */
const ATOMIC_JOBS_MAX = 100;
const ATOMIC_CHARS_MAX = 1024 * 1024;

/** A stream that sends nothing for so long is given up. */
const STREAM_IDLE_MS = 30_000;

const query = z.strictObject({
  /** All or none. */
  atomic: z.enum(["true", "false"], "must be true or false").default("false"),
});

interface Batch {
  readonly isAtomic: boolean;
  byOf(index: number): EnqueueTerms;
}

export function addBatchRoute(server: FastifyInstance, ports: BatchPorts): void {
  addContentTypes(server);
  const options = { config: { scope: "jobs:write" }, bodyLimit: BATCH_BYTES_MAX } as const;
  server.post("/v1/jobs/batch", options, async (request, reply) => {
    // What is left of a stream that is refused is not read, however long it is.
    if (isStream(request)) reply.header("connection", "close");
    const key = idempotencyKeyOf(request.headers["idempotency-key"]);
    const asked = check(query, request.query);
    if ("errors" in asked) return sendProblem(reply, queryWrong(asked.errors));
    const isAtomic = asked.value.atomic === "true";
    if (isAtomic && isStream(request)) return sendProblem(reply, queryWrong([ATOMIC_STREAM]));
    const answering = { request, reply, ports, batch: { isAtomic, byOf: termsFrom(request, key) } };
    return key === null ? answer(answering) : answerClaimed(key, answering);
  });
}

async function answerClaimed(key: string, answering: Answering): Promise<FastifyReply> {
  const { request, reply, ports } = answering;
  const release = await ports.claims.hold(request.caller.tenant, key);
  if (release === null) return sendProblem(reply, IN_FLIGHT);
  try {
    return await answer(answering);
  } finally {
    await release();
  }
}

function answer(answering: Answering): Promise<FastifyReply> {
  return isStream(answering.request) ? answerStream(answering) : answerArray(answering);
}

function isStream({ body }: FastifyRequest): boolean {
  return body instanceof Readable;
}

/** What this route takes beside plain JSON, and no other does. */
function addContentTypes(server: FastifyInstance): void {
  const refused = () => new errorCodes.FST_ERR_CTP_INVALID_MEDIA_TYPE();
  server.addContentTypeParser("application/x-ndjson", (request, payload, done) => {
    if (request.routeOptions.url === "/v1/jobs/batch") done(null, payload);
    else done(refused());
  });
  const asText = { parseAs: "string" } as const;
  server.addContentTypeParser("application/cloudevents-batch+json", asText, (request, body, done) => {
    if (request.routeOptions.url === "/v1/jobs/batch") done(null, body);
    else done(refused());
  });
}

interface Answering {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly ports: BatchPorts;
  readonly batch: Batch;
}

const IN_FLIGHT = problemOf({
  status: 409,
  code: "IDEMPOTENCY_IN_FLIGHT",
  title: "The same batch is under way",
  detail: "A batch with this idempotency key is still being taken; wait for its answer, or try again later.",
  outcome: "not_enqueued",
  retryAfterSeconds: 1,
});

function queryWrong(errors: readonly Issue[]): Problem {
  return problemOf({
    status: 422,
    code: "QUERY_INVALID",
    title: "A query parameter is wrong",
    detail: errors.map(({ pointer, message }) => `${pointer}: ${message}`).join("; "),
    outcome: "not_enqueued",
    errors,
  });
}

function termsFrom({ caller }: FastifyRequest, key: string | null): Batch["byOf"] {
  const terms = termsOf(caller);
  // No key of a single job holds a space.
  return key === null ? () => terms : (index) => ({ ...terms, idempotencyKey: `${key} ${index}` });
}

async function answerStream({ request, reply, ports, batch }: Answering): Promise<FastifyReply> {
  const { socket } = request.raw;
  allowLongBody(socket);
  const giveUp = () => socket.destroy();
  socket.setTimeout(STREAM_IDLE_MS, giveUp);
  const results = batchStream(request.body as Readable, {
    enqueuer: ports.enqueuer,
    byOf: batch.byOf,
    onAnswered: (counts) => ports.counts.batchAnswered(counts),
  });
  const answer = Readable.from(results, { objectMode: false });
  const ended = new Promise<void>((resolve) => answer.once("close", resolve));
  reply.code(200).header("content-type", "application/x-ndjson").removeHeader("connection");
  void reply.send(answer);
  await ended;
  socket.removeListener("timeout", giveUp);
  return reply;
}

const ATOMIC_STREAM: Issue = {
  pointer: "/atomic",
  rule: "stream",
  message: "a stream cannot be all or none; send an array of at most 100 jobs",
};

async function answerArray({ request, reply, ports, batch }: Answering): Promise<FastifyReply> {
  const items = itemsOf(request, batch);
  const read = items.map((item) => attemptRead(item, request));
  if (batch.isAtomic) return answerAtomic(read, { request, reply, ports, batch });
  const asked = read.flatMap((it, index) => ("request" in it ? [{ index, request: it.request }] : []));
  const answers = await ports.enqueuer.enqueueMany(
    asked.map((it) => it.request),
    (at) => batch.byOf(asked[at]?.index ?? at),
    false,
  );
  const byIndex = new Map(asked.map(({ index }, at) => [index, answers[at]]));
  const results = read.map((it, index) =>
    batchResultOf(index, "request" in it ? (byIndex.get(index) ?? { error: null }) : it),
  );
  const counts = countsOf(results);
  ports.counts.batchAnswered(counts);
  return reply.code(200).send({ results, ...counts });
}

async function answerAtomic(
  read: readonly Read[],
  { reply, ports, batch }: Answering,
): Promise<FastifyReply> {
  const requests = read.flatMap((it) => ("request" in it ? [it.request] : []));
  const results =
    requests.length < read.length
      ? read.map((it) => ("request" in it ? { error: new BatchAbortedError() } : it))
      : await ports.enqueuer.enqueueMany(requests, batch.byOf, true);
  const told = results.map((result, index) => batchResultOf(index, result));
  const counts = countsOf(told);
  ports.counts.batchAnswered(counts);
  const cause = results.find((it) => "error" in it && !(it.error instanceof BatchAbortedError));
  if (cause === undefined) return reply.code(200).send({ results: told, ...counts });
  return sendProblem(reply, {
    ...problemFor("error" in cause ? cause.error : null),
    errors: issuesOf(results),
  });
}

/** Every issue of every job that was refused, by its place in the batch. */
function issuesOf(results: readonly EnqueueResult[]): Issue[] {
  return results.flatMap((result, index) => {
    if (!("error" in result) || result.error instanceof BatchAbortedError) return [];
    const { errors, code, detail } = problemFor(result.error);
    const own = errors ?? [{ pointer: "", rule: code.toLowerCase().replaceAll("_", "-"), message: detail }];
    return own.map((issue) => ({ ...issue, pointer: `/${index}${issue.pointer}` }));
  });
}

type Read = { readonly request: JobRequest } | { readonly error: unknown };

function attemptRead(item: unknown, { headers }: FastifyRequest): Read {
  const isEvents = isOfType(headers["content-type"], "application/cloudevents-batch+json");
  const forbidden = findForbidden(item);
  if (forbidden !== null) return { error: new EnvelopeInvalidError([forbidden]) };
  try {
    return { request: isEvents ? parseCloudEventRequest(item) : parsePlainRequest(item) };
  } catch (error) {
    return { error };
  }
}

/** @throws {EnvelopeInvalidError} when the body is no list, or too long a one. */
function itemsOf({ body }: FastifyRequest, { isAtomic }: Batch): readonly unknown[] {
  const text = typeof body === "string" ? body : "";
  const items = parseBody(text);
  if (!Array.isArray(items)) throw invalid("type", "must be a JSON array of jobs");
  if (items.length === 0) throw invalid("empty", "must hold at least one job");
  if (items.length > BATCH_JOBS_MAX) {
    throw invalid("length", `must hold at most ${BATCH_JOBS_MAX} jobs; send more as application/x-ndjson`);
  }
  if (isAtomic && (items.length > ATOMIC_JOBS_MAX || text.length > ATOMIC_CHARS_MAX)) {
    throw invalid("length", `an atomic batch holds at most ${ATOMIC_JOBS_MAX} jobs and 1 MiB together`);
  }
  return items;
}

function invalid(rule: string, message: string): EnvelopeInvalidError {
  return new EnvelopeInvalidError([{ pointer: "", rule, message }]);
}
