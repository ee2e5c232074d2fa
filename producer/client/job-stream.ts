/**
 * A stream of jobs of any length as NDJSON: sent while it is read, answered while it is sent.
 *
 * The trade: at most `WINDOW_ITEMS` jobs are sent and unanswered, so memory stays flat and a slow server slows
 * the source down; each of them is kept until it is answered, and carries an id of its own, so that a broken
 * connection costs a repetition and no job. The stream is a chain of requests, each bounded in time, because
 * servers and proxies bound how long a request may arrive. When a job is refused for now, its request ends
 * early, what comes back is held, and the refused ones are handed in again before the stream goes on: results
 * keep their order.
 */
import type { BatchSender, SerialJob } from "./batch-sender.ts";
import { SluiceClientError } from "./client-error.ts";
import { decideRetry, mayBeRetried } from "./decide-retry.ts";
import { failedItem, type ItemResult, itemResultOf } from "./item-result.ts";
import { linesIn } from "./read-lines.ts";
import { RequestBody, unlessAborted } from "./request-body.ts";
import { aborted, noAnswer, TimedOut, type Transport } from "./transport.ts";

/** Jobs sent and unanswered, and their characters. */
const WINDOW_ITEMS = 1_000;
const WINDOW_CHARS = 1_048_576;

/** A request of the chain takes no more jobs after so long. */
const REQUEST_MS_MAX = 5_000;

export interface JobStreamPorts {
  readonly transport: Transport;
  readonly sender: BatchSender;
  readonly signal: AbortSignal | undefined;
}

interface SentJob extends SerialJob {
  /** A request with it broke, so it may be stored. */
  readonly isDoubtful?: boolean;
}

interface Settled {
  readonly job: SentJob;
  readonly result: ItemResult;
}

export class JobStream {
  readonly #ports: JobStreamPorts;
  readonly #source: AsyncIterator<SerialJob>;
  /** The next job, asked for and not taken: it outlives a request that ends while waiting for it. */
  #asked: Promise<IteratorResult<SerialJob>> | null = null;
  /** To be sent before the source is asked, because their request broke. */
  #carried: SentJob[] = [];
  /** Sent and unanswered, in order. */
  #sent: SentJob[] = [];
  #sentChars = 0;
  #onRoom: () => void = () => undefined;
  #cancelOverdue: () => void = () => undefined;
  /** Requests in a row that ended without any answer. */
  #failures = 0;
  #lastAnswerMs: number;

  constructor(source: AsyncIterator<SerialJob>, ports: JobStreamPorts) {
    this.#source = source;
    this.#ports = ports;
    this.#lastAnswerMs = ports.transport.clock.monotonicMs();
  }

  /** @throws {SluiceClientError} when the stream cannot go on; what was sent is answered for before. */
  async *results(): AsyncGenerator<ItemResult, void, undefined> {
    const { transport, signal } = this.#ports;
    try {
      while (await this.#hasMore()) {
        const request: RequestBody = new RequestBody({
          clock: transport.clock,
          durationMs: REQUEST_MS_MAX,
          signal,
          next: (ended) => this.#next(ended, request),
        });
        try {
          yield* this.#oneRequest(request);
        } finally {
          this.#cancelOverdue();
          request.cut(new Error("the request is over"));
        }
      }
    } finally {
      // Not awaited: a source that is waiting for something of its own answers only then.
      this.#source.return?.().catch(() => undefined);
    }
  }

  async #hasMore(): Promise<boolean> {
    const { signal } = this.#ports;
    if (signal?.aborted) throw aborted(signal, "not_enqueued");
    if (this.#carried.length > 0) return true;
    const next = await unlessAborted(signal ?? NEVER, this.#ask());
    if (next === undefined) throw aborted(signal, "not_enqueued");
    return next.done !== true;
  }

  async *#oneRequest(request: RequestBody): AsyncGenerator<ItemResult, void, undefined> {
    const held: Settled[] = [];
    try {
      const response = await this.#ports.transport.open({
        method: "POST",
        path: "/v1/jobs/batch",
        enqueues: true,
        headers: { "content-type": "application/x-ndjson", accept: "application/x-ndjson" },
        body: request.stream,
        signal: request.signal,
      });
      for await (const line of linesIn(response.body)) {
        const settled = this.#answered(line, request);
        if (held.length === 0 && !isForNow(settled.result)) {
          yield settled.result;
        } else {
          held.push(settled);
          request.takeNoMore();
        }
      }
      if (this.#sent.length > 0) throw new Error("the answer ended before all jobs were answered for");
    } catch (cause) {
      for (const { result } of held) yield result;
      yield* this.#broken(cause);
      return;
    }
    yield* await this.#again(held);
  }

  /** The next line of a request, or `null` when it shall take no more. */
  async #next(ended: AbortSignal, request: RequestBody): Promise<string | null> {
    while (this.#sent.length >= WINDOW_ITEMS || this.#sentChars >= WINDOW_CHARS) {
      const room = new Promise<void>((resolve) => {
        this.#onRoom = resolve;
      });
      await unlessAborted(ended, room);
      if (ended.aborted) return null;
    }
    const job = ended.aborted ? null : (this.#carried.shift() ?? (await this.#fromSource(ended)));
    if (job === null) return null;
    this.#sent.push(job);
    this.#sentChars += job.text.length;
    if (this.#sent.length === 1) this.#expectAnswer(request);
    return job.text;
  }

  async #fromSource(ended: AbortSignal): Promise<SerialJob | null> {
    // What the source throws is thrown once the jobs before it are answered.
    const next = await unlessAborted(ended, this.#ask()).catch(() => undefined);
    if (ended.aborted || next === undefined || next.done === true) return null;
    this.#asked = null;
    return next.value;
  }

  #ask(): Promise<IteratorResult<SerialJob>> {
    if (this.#asked === null) {
      this.#asked = this.#source.next();
      this.#asked.catch(() => undefined);
    }
    return this.#asked;
  }

  /** @throws when the line is no result; the job then counts as unanswered. */
  #answered(line: string, request: RequestBody): Settled {
    const job = this.#sent[0];
    if (job === undefined) throw new Error("the server answered for more jobs than were sent");
    const result = honest(itemResultOf(job.index, JSON.parse(line)), job);
    this.#sent.shift();
    this.#sentChars -= job.text.length;
    this.#failures = 0;
    this.#lastAnswerMs = this.#ports.transport.clock.monotonicMs();
    this.#cancelOverdue();
    if (this.#sent.length > 0) this.#expectAnswer(request);
    this.#onRoom();
    return { job, result };
  }

  #expectAnswer(request: RequestBody): void {
    const { clock, attemptTimeoutMs } = this.#ports.transport;
    // A server may gather answers until the request has ended.
    const limitMs = REQUEST_MS_MAX + attemptTimeoutMs;
    this.#cancelOverdue = clock.after(limitMs, () => request.cut(new TimedOut(limitMs)));
  }

  /** Hands the refused ones in once more; the others are as they are. */
  async #again(held: readonly Settled[]): Promise<readonly ItemResult[]> {
    const jobs = held.filter(({ result }) => isForNow(result)).map(({ job }) => job);
    const results = await this.#ports.sender.send(jobs, this.#ports.signal);
    const byIndex = new Map(results.map((it) => [it.index, it]));
    return held.map(({ job, result }) => {
      const newer = byIndex.get(job.index);
      return newer === undefined
        ? result
        : honest(newer, { ...job, isDoubtful: result.outcome === "unknown" });
    });
  }

  /** Keeps what is unanswered for the next request, or gives up. */
  async *#broken(cause: unknown): AsyncGenerator<ItemResult, void, undefined> {
    const { signal } = this.#ports;
    const error = cause instanceof SluiceClientError ? cause : noAnswer({ enqueues: true, signal }, cause);
    const isDoubtful = error.outcome === "unknown";
    const unanswered = this.#sent.map((it) => ({ ...it, isDoubtful: isDoubtful || it.isDoubtful === true }));
    this.#carried = [...unanswered, ...this.#carried];
    this.#sent = [];
    this.#sentChars = 0;
    this.#failures += 1;
    if (await this.#mayGoOn(error)) return;
    const last = signal?.aborted ? aborted(signal, error.outcome) : error;
    for (const job of this.#carried.splice(0)) {
      yield failedItem(job.index, last.withOutcome(job.isDoubtful === true ? "unknown" : last.outcome));
    }
    throw last;
  }

  async #mayGoOn(error: SluiceClientError): Promise<boolean> {
    const { transport, signal } = this.#ports;
    if (signal?.aborted) return false;
    const elapsedMs = transport.clock.monotonicMs() - this.#lastAnswerMs;
    const failed = { ...error, attempt: this.#failures, elapsedMs };
    const decision = decideRetry(failed, transport.retry, transport.random());
    if (decision.kind === "give-up") return false;
    return (await transport.clock.sleep(decision.delayMs, signal)) === "elapsed";
  }
}

const NEVER = new AbortController().signal;

/** Refused now, and worth another try. */
function isForNow({ error }: ItemResult): boolean {
  return error !== null && error.status !== null && mayBeRetried(error);
}

/** What was not known of a job stays so until it is accepted. */
function honest(result: ItemResult, job: SentJob): ItemResult {
  if (result.outcome !== "refused" || job.isDoubtful !== true) return result;
  return { ...result, outcome: "unknown", error: result.error?.withOutcome("unknown") ?? null };
}
