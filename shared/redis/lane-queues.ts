/**
 * The BullMQ queues a process writes to and looks into: lanes, `.parked` and `.dead`.
 *
 * One connection serves them all; a queue is opened when first needed. Nothing here runs jobs.
 * BullMQ's `drain()` deletes jobs and is never called.
 */
import { type JobJson, Queue } from "bullmq";
import { EnqueueUnknownError, NotEnqueuedError, RedisUnavailableError } from "../errors.ts";
import type { JobRecord } from "../job-record.ts";
import { ADD_BATCH, AddBatch } from "./add-batch.ts";
import type { RedisConnection } from "./connection.ts";
import type { QueuedJob } from "./queued-job.ts";

/** Entries BullMQ keeps in a lane's event stream. */
const EVENTS_MAX = 1_000;

/** Replies by which Redis says that it has not run the command. */
const REFUSALS = /^(OOM|READONLY|NOREPLICAS|LOADING|MISCONF|MASTERDOWN|NOAUTH|NOPERM|CLUSTERDOWN|TRYAGAIN)\b/;

/** A job as BullMQ holds it, with the name of the queue it was found in. */
export interface FoundJob {
  readonly place: string;
  readonly raw: JobJson;
  /** BullMQ's own state word. */
  readonly state: string;
}

interface ScriptedRedis extends RedisConnection {
  sluiceAddBatch(...keysAndArguments: string[]): Promise<number>;
}

export class LaneQueues {
  readonly #redis: RedisConnection;
  readonly #prefix: string;
  readonly #open = new Map<string, Promise<Queue>>();
  readonly #batches = new Map<string, AddBatch>();

  constructor(redis: RedisConnection, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
    redis.defineCommand("sluiceAddBatch", { lua: ADD_BATCH, numberOfKeys: 6 });
  }

  /**
   * Adds a job and resolves once Redis has it. Adding a known id again changes nothing.
   *
   * @throws {NotEnqueuedError} when the job is certainly not stored.
   * @throws {EnqueueUnknownError} when the answer was lost.
   */
  async add(place: string, job: QueuedJob): Promise<void> {
    const queue = await this.open(place).catch((error: unknown) => {
      throw new NotEnqueuedError("Redis is not reachable", { cause: error });
    });
    try {
      if (job.delayMs > 0) await queue.getBackend().addJob(delayedJson(job), job.jobId);
      else await this.#batchOf(place).add(job);
    } catch (error) {
      throw outcomeOf(error);
    }
  }

  /** Adds a job that has a history to `.parked`, `.dead` or another lane. */
  async addWithRecord(place: string, job: QueuedJob, record: JobRecord): Promise<void> {
    await this.add(place, job);
    const queue = await this.open(place);
    const added = await queue.getJob(job.jobId);
    await added?.updateProgress(record);
  }

  /** Looks for a job in each of `places`; the first place that has it wins. */
  async find(places: readonly string[], jobId: string): Promise<FoundJob | null> {
    const found = await Promise.all(places.map((place) => this.#findIn(place, jobId)));
    return found.find((it) => it !== null) ?? null;
  }

  /** Up to `max` jobs that wait in `place`, oldest first. */
  async waiting(place: string, max: number): Promise<readonly FoundJob[]> {
    const queue = await this.open(place);
    const jobs = await queue.getJobs(["waiting", "prioritized"], 0, max - 1, true);
    return jobs.map((job) => ({ place, raw: job.asJSON(), state: "waiting" }));
  }

  /** Removes a job that is not running; nothing happens when it is gone. */
  async remove(place: string, jobId: string): Promise<void> {
    const queue = await this.open(place);
    await queue.remove(jobId);
  }

  /** The BullMQ queue behind a place; it stays open until `close`. Rejects while Redis is away. */
  open(place: string): Promise<Queue> {
    // BullMQ would wait for Redis for as long as it takes, and a request with it.
    if (this.#redis.status !== "ready") return Promise.reject(new RedisUnavailableError());
    const known = this.#open.get(place);
    if (known !== undefined) return known;
    const opening = this.#create(place).catch((error: unknown) => {
      // A queue whose first contact failed would fail for ever: the next call opens it anew.
      this.#open.delete(place);
      throw error;
    });
    this.#open.set(place, opening);
    return opening;
  }

  /** Lets go of all queues; the connection stays the caller's. Never waits for Redis. */
  close(): void {
    this.#open.clear();
    this.#batches.clear();
  }

  #batchOf(place: string): AddBatch {
    let batch = this.#batches.get(place);
    if (batch === undefined) {
      batch = new AddBatch((jobs) => this.#addAll(place, jobs));
      this.#batches.set(place, batch);
    }
    return batch;
  }

  async #addAll(place: string, jobs: readonly QueuedJob[]): Promise<void> {
    const key = `${this.#prefix}:${place}:`;
    const keys = ["wait", "active", "meta", "id", "events", "marker"].map((name) => key + name);
    const args = [key];
    for (const { jobId, name, acceptedAtMs, dataText } of jobs) {
      args.push(jobId, name, String(acceptedAtMs), dataText);
    }
    await (this.#redis as ScriptedRedis).sluiceAddBatch(...keys, ...args);
  }

  async #create(place: string): Promise<Queue> {
    const queue = new Queue(place, {
      connection: this.#redis,
      prefix: this.#prefix,
      streams: { events: { maxLen: EVENTS_MAX } },
    });
    // The failure of each call is seen by its caller; the event would only repeat it.
    queue.on("error", () => undefined);
    await queue.waitUntilReady();
    return queue;
  }

  async #findIn(place: string, jobId: string): Promise<FoundJob | null> {
    const queue = await this.open(place);
    const backend = queue.getBackend();
    const [raw, state] = await Promise.all([backend.getJobData(jobId), backend.getState(jobId)]);
    return raw === undefined || state === "unknown" ? null : { place, raw, state };
  }
}

/** What BullMQ stores for a delayed job that has never run, without the defaults it would fill in. */
function delayedJson(job: QueuedJob): JobJson {
  const { name, dataText: data, acceptedAtMs: timestamp, delayMs: delay } = job;
  return { name, data, opts: { delay }, timestamp } as unknown as JobJson;
}

function outcomeOf(error: unknown): NotEnqueuedError | EnqueueUnknownError {
  const message = error instanceof Error ? error.message : String(error);
  if (REFUSALS.test(message)) {
    const reason = message.startsWith("OOM")
      ? "Redis is out of memory"
      : `Redis refused it (${message.split(" ")[0]})`;
    return new NotEnqueuedError(reason, { cause: error });
  }
  if (message.includes("enableOfflineQueue"))
    return new NotEnqueuedError("Redis is not reachable", { cause: error });
  return new EnqueueUnknownError("the connection to Redis was lost or too slow", { cause: error });
}
