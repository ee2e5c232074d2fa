/**
 * A client of the job API, typed by contracts: zero dependencies, `fetch` only.
 *
 * A call ends by its time limit, its signal, or an answer. A job is handed in under a key that every attempt of
 * the call repeats, so trying again never makes two of it; what may be tried again is in `decide-retry.ts`.
 */
import { randomUUID } from "node:crypto";
import type { Clock } from "#shared/clock";
import type { Contract } from "#shared/contracts/contract";
import { systemClock } from "#shared/system-clock";
import type { JobResult, JobState } from "./answers.ts";
import { BatchSender, type SerialJob } from "./batch-sender.ts";
import { SluiceClientError } from "./client-error.ts";
import { BATCH_ITEMS_MAX } from "./decide-batches.ts";
import { idempotencyKeyHeader } from "./idempotency-key.ts";
import type { ItemResult } from "./item-result.ts";
import { JobReads, wholeSeconds } from "./job-reads.ts";
import { type JobBody, type JobItem, type JobOptions, jobBodyOf, withId } from "./job-request.ts";
import { JobStream } from "./job-stream.ts";
import { MicroBatcher, type MicroBatchPolicy } from "./micro-batcher.ts";
import { type Answered, type Call, fieldsOf, Transport } from "./transport.ts";
import type { Written } from "./written.ts";

export interface ClientOptions {
  /** Where the job API listens, such as `http://127.0.0.1:7700`. */
  readonly baseUrl: string | URL;
  /** Left out where the API asks for none. */
  readonly apiKey?: string;
  /** @default the global one */
  readonly fetch?: typeof fetch;
  /** A call ends by then, retries included, in milliseconds; waiting for a job comes on top. @default 60000 */
  readonly timeoutMs?: number;
  /** One attempt ends by then, in milliseconds. @default 10000 */
  readonly attemptTimeoutMs?: number;
  readonly retry?: {
    /** Attempts of a call in all; 1 means no retry. @default 5 */
    readonly attempts?: number;
    /** The longest wait between two attempts; who is told to come back later gives up. @default 30000 */
    readonly maxDelayMs?: number;
  };
  /** Gathers single jobs into batches. @default off */
  readonly batch?: Partial<MicroBatchPolicy>;
  /** For tests. @default the real ones */
  readonly clock?: Clock;
  readonly random?: () => number;
}

export interface EnqueueOptions extends JobOptions {
  /** 1 to 255 visible ASCII characters. @default a new one a call */
  readonly idempotencyKey?: string;
  /** Wait for the job's end up to so long, in milliseconds, in whole seconds. @default 0 */
  readonly waitMs?: number;
  readonly signal?: AbortSignal;
}

export interface EnqueuedJob {
  readonly id: string;
  /** `null` when it was taken and has been cleaned away since. */
  readonly state: JobState | null;
  /**
   * `replayed`: an earlier attempt, or a call with the same key, had handed it in already. `deduplicated`: a job
   * with the same dedup key has not ended; `id` is that one's.
   */
  readonly outcome: "created" | "replayed" | "deduplicated";
  /** How it ended, when it did within `waitMs`; else `null`. */
  readonly result: JobResult | null;
}

export interface SeveralOptions {
  readonly signal?: AbortSignal;
}

/** @throws {TypeError} when `baseUrl` is no URL. */
export function createClient(options: ClientOptions): SluiceClient {
  return new SluiceClient(options);
}

export class SluiceClient {
  readonly #transport: Transport;
  readonly #sender: BatchSender;
  readonly #reads: JobReads;
  readonly #batcher: MicroBatcher | null;

  constructor(options: ClientOptions) {
    const { retry = {}, batch, clock = systemClock } = options;
    this.#transport = new Transport({
      baseUrl: new URL(options.baseUrl).href.replace(/\/+$/, ""),
      apiKey: options.apiKey ?? null,
      fetch: options.fetch ?? fetch,
      attemptTimeoutMs: options.attemptTimeoutMs ?? 10_000,
      retry: {
        attempts: retry.attempts ?? 5,
        maxDelayMs: retry.maxDelayMs ?? 30_000,
        timeoutMs: options.timeoutMs ?? 60_000,
      },
      clock,
      random: options.random ?? Math.random,
    });
    this.#sender = new BatchSender(this.#transport);
    this.#reads = new JobReads(this.#transport);
    this.#batcher = batch === undefined ? null : new MicroBatcher(this.#sender, microBatch(batch), clock);
  }

  /**
   * Hands in one job. Resolves once Redis has it.
   *
   * @throws {SluiceClientError} saying whether it is certainly not stored, or whether that is not known.
   */
  async enqueue<Data>(
    contract: Contract<Data>,
    data: Written<NoInfer<Data>>,
    { idempotencyKey, waitMs = 0, signal, ...options }: EnqueueOptions = {},
  ): Promise<EnqueuedJob> {
    const body = this.#bodyOf(contract, data, options);
    if (this.#batcher !== null && waitMs <= 0 && idempotencyKey === undefined) {
      return enqueuedOf(await this.#batcher.add(textOf(withId(body)), signal));
    }
    const seconds = wholeSeconds(waitMs);
    const call: Call = {
      method: "POST",
      path: "/v1/jobs",
      enqueues: true,
      headers: {
        "content-type": "application/json",
        "idempotency-key": idempotencyKeyHeader(idempotencyKey ?? randomUUID()),
        ...(seconds > 0 && { prefer: `wait=${seconds}` }),
      },
      body: textOf(body),
      signal,
      waitMs: seconds * 1_000,
    };
    return answeredJob(await this.#transport.call(call));
  }

  /**
   * Hands in any number of jobs, by batches, and again those that are refused for now. Results are in order. It
   * does not reject when jobs are refused or a request fails: each result says what became of its job.
   */
  async enqueueMany<Data>(
    contract: Contract<Data>,
    items: readonly JobItem<NoInfer<Data>>[],
    { signal }: SeveralOptions = {},
  ): Promise<readonly ItemResult[]> {
    const jobs = items.map((item, index) => this.#serial(contract, item, index));
    return this.#sender.send(jobs, signal);
  }

  /**
   * Hands in jobs while they come, and tells of each while more are sent. Takes the next item only when there is
   * room for it, and stops taking them while nobody reads the results, which are in order.
   *
   * @throws {SluiceClientError} from the iteration, when it cannot go on; what the source throws is passed on.
   */
  stream<Data>(
    contract: Contract<Data>,
    items: Iterable<JobItem<NoInfer<Data>>> | AsyncIterable<JobItem<NoInfer<Data>>>,
    { signal }: SeveralOptions = {},
  ): AsyncGenerator<ItemResult, void, undefined> {
    const serial = (item: JobItem<Data>, index: number) => this.#serial(contract, item, index);
    const ports = { transport: this.#transport, sender: this.#sender, signal };
    return new JobStream(serialJobs(items, serial), ports).results();
  }

  readonly get: JobReads["get"] = (id, options) => this.#reads.get(id, options);
  readonly result: JobReads["result"] = (id, options) => this.#reads.result(id, options);
  readonly cancel: JobReads["cancel"] = (id, options) => this.#reads.cancel(id, options);
  readonly list: JobReads["list"] = (options) => this.#reads.list(options);
  readonly events: JobReads["events"] = (id, options) => this.#reads.events(id, options);

  #serial(contract: Contract<unknown>, item: JobItem<unknown>, index: number): SerialJob {
    const { data, ...options } = item;
    return { index, text: textOf(withId(this.#bodyOf(contract, data, options))) };
  }

  #bodyOf(contract: Contract<unknown>, data: unknown, options: JobOptions): JobBody {
    return jobBodyOf(contract, data, { options, nowMs: this.#transport.clock.nowMs() });
  }
}

function microBatch({ maxItems = 100, maxWaitMs = 5 }: Partial<MicroBatchPolicy>): MicroBatchPolicy {
  return { maxItems: Math.min(Math.max(1, maxItems), BATCH_ITEMS_MAX), maxWaitMs: Math.max(0, maxWaitMs) };
}

async function* serialJobs<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
  serial: (item: Item, index: number) => SerialJob,
): AsyncGenerator<SerialJob, void, undefined> {
  let index = 0;
  for await (const item of items) {
    yield serial(item, index);
    index += 1;
  }
}

/** @throws {SluiceClientError} for data that JSON cannot say, such as a bigint or a circle. */
function textOf(body: JobBody): string {
  try {
    return JSON.stringify(body);
  } catch (cause) {
    const message = `The job cannot be written as JSON: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw new SluiceClientError({ code: "REQUEST_INVALID", message, outcome: "not_enqueued", cause });
  }
}

function answeredJob({ status, headers, value }: Answered): EnqueuedJob {
  const { id, state, outcome } = fieldsOf(value);
  const isReplayed = headers.get("idempotency-replayed") === "true";
  return {
    id: String(id),
    state: (state ?? null) as JobState | null,
    outcome: outcome === "deduplicated" ? outcome : isReplayed ? "replayed" : "created",
    result: status === 200 ? (value as JobResult) : null,
  };
}

function enqueuedOf({ id, state, outcome, error }: ItemResult): EnqueuedJob {
  if (error !== null || outcome === "refused" || outcome === "unknown") throw error;
  return { id: String(id), state, outcome, result: null };
}
