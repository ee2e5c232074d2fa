/**
 * A stream of jobs of any length: lines in, results out, in order and as soon as they are known.
 *
 * A few groups of lines are on their way to Redis at once; beyond that no more of the body is read, and while the
 * client does not read its results neither. So a stream costs a bounded amount of memory however long it is.
 */
import type { Readable } from "node:stream";
import type { EnqueueResult, Enqueuer, EnqueueTerms } from "#shared/enqueue/enqueuer";
import { ENVELOPE_BYTES_MAX, type JobRequest, parsePlainRequest } from "#shared/envelope";
import { EnvelopeInvalidError } from "#shared/errors";
import { type BatchCounts, batchResultText, countsOf, outcomeOf } from "./batch-result.ts";
import { type Line, linesOf } from "./ndjson.ts";
import { readBody } from "./read-body.ts";

/** Lines that go to Redis together. */
const GROUP_LINES_MAX = 100;

/** Groups on their way at once: one is being worked off while the next is read. */
const GROUPS_MAX = 3;

export interface BatchStreamPorts {
  readonly enqueuer: Pick<Enqueuer, "enqueueMany">;
  /** On whose behalf the job at a place of the stream is asked for. */
  byOf(index: number): EnqueueTerms;
  /** A group of lines was answered. */
  onAnswered(counts: BatchCounts): void;
}

/** Yields the results of each group as text, a line a job. */
export async function* batchStream(body: Readable, ports: BatchStreamPorts): AsyncGenerator<string> {
  const pieces = linesOf(body, ENVELOPE_BYTES_MAX);
  try {
    yield* resultsIn(pieces, ports);
  } finally {
    // Not awaited: while a piece is asked for it ends only once the body has.
    pieces.return(undefined).catch(() => undefined);
  }
}

type Pieces = AsyncGenerator<readonly Line[]>;

async function* resultsIn(pieces: Pieces, ports: BatchStreamPorts): AsyncGenerator<string> {
  const underWay: Promise<string>[] = [];
  let index = 0;
  let reading = nextOf(pieces);
  for (;;) {
    // A client that waits for a result before it sends more gets it.
    const next = await firstOf(reading, underWay[0]);
    if (typeof next === "string") {
      void underWay.shift();
      yield next;
      continue;
    }
    if (next.done === true) break;
    for (const group of groupsOf(next.value)) {
      if (underWay.length >= GROUPS_MAX) yield (await underWay.shift()) ?? "";
      underWay.push(resultsOf(group, index, ports));
      index += group.length;
    }
    reading = nextOf(pieces);
  }
  for (const group of underWay) yield await group;
}

function firstOf<Next>(reading: Promise<Next>, oldest: Promise<string> | undefined): Promise<Next | string> {
  return oldest === undefined ? reading : Promise.race([reading, oldest]);
}

function* groupsOf(lines: readonly Line[]): Generator<readonly Line[]> {
  for (let at = 0; at < lines.length; at += GROUP_LINES_MAX) yield lines.slice(at, at + GROUP_LINES_MAX);
}

function nextOf(pieces: Pieces): Promise<IteratorResult<readonly Line[]>> {
  const next = pieces.next();
  // The body can fail while nobody waits for it, but for results to be read.
  next.catch(() => undefined);
  return next;
}

async function resultsOf(lines: readonly Line[], from: number, ports: BatchStreamPorts): Promise<string> {
  const results: EnqueueResult[] = [];
  const requests: JobRequest[] = [];
  const places: number[] = [];
  for (const [at, line] of lines.entries()) {
    try {
      requests.push(requestIn(line));
      places.push(at);
    } catch (error) {
      results[at] = { error };
    }
  }
  const byOf = (index: number) => ports.byOf(from + (places[index] ?? 0));
  const answered = await ports.enqueuer.enqueueMany(requests, byOf, false);
  for (const [index, result] of answered.entries()) results[places[index] ?? 0] = result;
  const told = lines.map((_line, at) => results[at] ?? UNANSWERED);
  ports.onAnswered(countsOf(told.map((result) => ({ outcome: outcomeOf(result) }))));
  let text = "";
  for (const [at, result] of told.entries()) text += `${batchResultText(from + at, result)}\n`;
  return text;
}

const UNANSWERED = { error: new TypeError("every line is answered") };

/** @throws {EnvelopeInvalidError} */
function requestIn(line: Line): JobRequest {
  if (line === null) throw lineTooLong();
  return parsePlainRequest(readBody(line));
}

function lineTooLong(): EnvelopeInvalidError {
  const message = `a line may have at most ${ENVELOPE_BYTES_MAX} bytes; store the bulk elsewhere and send a reference`;
  return new EnvelopeInvalidError([{ pointer: "", rule: "size", message }]);
}
