/**
 * Takes jobs from one lane and settles them: the adapter around BullMQ's `Worker`.
 *
 * It knows nothing of handlers or versions. `run` says how a job ended as a `Settlement`, and this
 * class carries that out with the lease it holds. BullMQ's words are translated here and nowhere
 * else: its lock is our lease, its concurrency our slots, its `close()` our "take nothing more".
 *
 * What a changer must know: BullMQ's `close()` never returns while Redis is down, so `stopTaking` must
 * be raced with a deadline; a raised concurrency is noticed only after pause(true) and resume(); a
 * lost lease aborts nothing by itself, so the lease watch here does.
 */
import { DelayedError, type Job, UnrecoverableError, WaitingError, Worker } from "bullmq";
import type { Clock } from "../clock.ts";
import { Flag } from "../flag.ts";
import { type JobRecord, parseRecord, type StoredOutcome } from "../job-record.ts";
import type { RedisConnection } from "./connection.ts";
import { keepProgress } from "./keep-progress.ts";
import type { LaneQueues } from "./lane-queues.ts";

/** How long a job is ours without renewal. Renewed every quarter to half of it. */
const LEASE_MS = 15_000;

/** How often a worker looks for jobs whose lease ran out. */
export const STALLED_CHECK_MS = 5_000;

/** A run is aborted this long before its lease could run out. */
const LEASE_MARGIN_MS = 2_000;

const LEASE_WATCH_MS = 1_000;

/** BullMQ's own ceilings: we count attempts and crashes ourselves, so these must never decide. */
export const BULLMQ_CEILING = 1_000_000;

/** Finished jobs kept in a lane: 1 h or 100,000 succeeded, 14 days or 10,000 failed. */
export const KEEP_SUCCEEDED = { age: 3_600, count: 100_000 };
const KEEP_FAILED = { age: 14 * 86_400, count: 10_000 };

export interface TakenJob {
  readonly jobId: string;
  readonly lane: string;
  /** BullMQ's job name; the envelope has the type. */
  readonly name: string;
  /** The stored envelope, not yet parsed. */
  readonly data: unknown;
  readonly record: JobRecord;
  /** Starts so far, this one included: the fence. */
  readonly starts: number;
  /** Times a worker was lost while running it. */
  readonly crashes: number;
  /** When it was accepted, in milliseconds since the Unix epoch. */
  readonly acceptedAtMs: number;
  /** When it fell due for this start, in milliseconds since the Unix epoch; `null` when nobody has noted it. */
  readonly dueAtMs: number | null;
  /** Keeps a record with the job while the lease is held; never needed to settle it. */
  readonly keepRecord?: ((record: JobRecord) => Promise<unknown>) | undefined;
}

/** How a taken job ended. Each carries the record to keep, where the job goes on living. */
export type Settlement =
  | { readonly kind: "finished"; readonly outcome: StoredOutcome }
  | { readonly kind: "retry"; readonly delayMs: number; readonly record: JobRecord; readonly reason: string }
  | { readonly kind: "failed"; readonly record: JobRecord; readonly reason: string }
  /** To the back, after a delay; no attempt counted. */
  | { readonly kind: "handed-back"; readonly delayMs: number; readonly record: JobRecord }
  /** To the head, for the next worker to take at once; no attempt counted. */
  | { readonly kind: "returned"; readonly record: JobRecord }
  /** Into another queue, same id, with its starts and crashes; due there at once. */
  | { readonly kind: "moved"; readonly place: string; readonly record: JobRecord }
  /** The lease is gone: leave the job to whoever has it now. */
  | { readonly kind: "abandoned" };

export interface LaneWorkerOptions {
  readonly redis: RedisConnection;
  readonly queues: LaneQueues;
  readonly prefix: string;
  readonly lane: string;
  /** `<release>/<worker id>`; BullMQ keeps it on each job it gives out. */
  readonly workerName: string;
  readonly clock: Clock;
  /** Runs one job to its settlement; must not throw. `leaseLost` is raised when the lease is in doubt. */
  run(job: TakenJob, leaseLost: Flag): Promise<Settlement>;
  /** The lane was found empty. */
  onEmptied(): void;
  onError(error: Error): void;
  /** This worker's check found jobs whose lease had run out and put them back. */
  onRedelivered(jobId: string): void;
  /** A job of this lane will not be run again. */
  onEnded(tenant: string, jobId: string): void;
  /** A job was put back to be run again, and is not in flight here any more. */
  onPutBack?: (() => void) | undefined;
}

/** Carries a retry's delay through BullMQ to its backoff strategy. */
class RetryLater extends Error {
  readonly delayMs: number;

  constructor(reason: string, delayMs: number) {
    super(reason);
    this.name = "RetryLater";
    this.delayMs = delayMs;
    // BullMQ stores the stack with the job, and ours tells nothing about the handler.
    this.stack = "";
  }
}

interface Lease {
  readonly lost: Flag;
  /** Monotonic time at which the last renewal was asked for. */
  renewedAtMs: number;
}

export class LaneWorker {
  readonly lane: string;
  readonly #options: LaneWorkerOptions;
  readonly #leases = new Map<string, Lease>();
  readonly #stopWatch = new AbortController();
  readonly #worker: Worker;

  constructor(options: LaneWorkerOptions) {
    this.#options = options;
    this.lane = options.lane;
    this.#worker = new RenewalWatchingWorker(
      options,
      (jobIds) => this.#markRenewed(jobIds),
      (job, token) => this.#process(job, token),
    );
    this.#worker.on("error", (error) => options.onError(error));
    this.#worker.on("drained", () => options.onEmptied());
    this.#worker.on("stalled", (jobId) => options.onRedelivered(jobId));
    this.#worker.on("completed", (job) => this.#tellEnded(job));
    this.#worker.on("failed", (job) => {
      if (job?.finishedOn !== undefined) this.#tellEnded(job);
      else options.onPutBack?.();
    });
    this.#worker.on("lockRenewalFailed", (jobIds: string[]) => {
      for (const jobId of jobIds) this.#leases.get(jobId)?.lost.raise();
    });
  }

  /** Jobs taken from this lane and not settled. */
  get inFlight(): number {
    return this.#leases.size;
  }

  /** Starts taking, at most `slots` (>= 1) at once. */
  start(slots: number): void {
    this.#worker.concurrency = slots;
    this.#worker.run().catch((error: Error) => this.#options.onError(error));
    this.#watchLeases().catch((error: Error) => this.#options.onError(error));
  }

  /** Changes how many jobs may be in flight; lowering takes effect as jobs finish. */
  async setSlots(slots: number): Promise<void> {
    const raised = slots > this.#worker.concurrency;
    this.#worker.concurrency = slots;
    if (!raised || this.#worker.isPaused()) return;
    await this.#worker.pause(true);
    await this.#worker.resume();
  }

  /** Takes nothing more until `resume`; resolves when nothing is in flight. */
  async pause(): Promise<void> {
    await this.#worker.pause();
  }

  /** Takes nothing more until `resume`, without waiting; one job already asked for may still come. */
  async pauseSoon(): Promise<void> {
    await this.#worker.pause(true);
  }

  async resume(): Promise<void> {
    await this.#worker.resume();
  }

  get paused(): boolean {
    return this.#worker.isPaused();
  }

  /** Takes nothing more, for good; resolves when nothing is in flight. May never resolve: race it. */
  async stopTaking(): Promise<void> {
    await this.#worker.close();
    this.#stopWatch.abort();
  }

  async #process(job: Job, token: string): Promise<StoredOutcome | undefined> {
    const jobId = String(job.id);
    const lease = { lost: new Flag(), renewedAtMs: this.#options.clock.monotonicMs() };
    this.#leases.set(jobId, lease);
    let putBack = false;
    // Whatever goes wrong from here on is a reason to run the job again, never to fail it.
    job.opts.attempts = BULLMQ_CEILING;
    job.opts.backoff = { type: "sluice" };
    job.opts.stackTraceLimit = 1;
    try {
      const { redis, prefix, lane } = this.#options;
      const keepRecord = (record: JobRecord) =>
        keepProgress(redis, { prefix, lane, jobId, lease: token }, record);
      const settlement = await this.#options.run(takenJob(job, lane, keepRecord), lease.lost);
      return await this.#settle(job, token, lease.lost.raised ? { kind: "abandoned" } : settlement);
    } catch (error) {
      // A retry is put back only by BullMQ, which tells of it.
      if (error instanceof WaitingError || error instanceof DelayedError) putBack = true;
      throw error;
    } finally {
      this.#leases.delete(jobId);
      if (putBack) this.#options.onPutBack?.();
    }
  }

  /** Does what must happen before BullMQ finishes the job, then tells BullMQ how by value or error. */
  async #settle(job: Job, token: string, settlement: Settlement): Promise<StoredOutcome | undefined> {
    switch (settlement.kind) {
      case "finished":
        return settlement.outcome;
      case "retry":
        await job.updateProgress(this.#dueAgain(job, settlement.record, settlement.delayMs));
        throw new RetryLater(settlement.reason, settlement.delayMs);
      case "failed":
        await job.updateProgress(settlement.record);
        throw withoutStack(new UnrecoverableError(settlement.reason));
      case "handed-back":
        await job.updateProgress(this.#dueAgain(job, settlement.record, settlement.delayMs));
        await job.moveToDelayed(this.#options.clock.nowMs() + settlement.delayMs, token);
        throw new DelayedError();
      case "returned":
        await job.updateProgress(this.#dueAgain(job, settlement.record, 0));
        await job.moveToWait(token);
        throw new WaitingError();
      case "moved": {
        // Where the lease is gone nothing is moved, which is then right. Either way BullMQ settles nothing.
        const move = { jobId: String(job.id), lease: token, dataSha1: null, dataText: null };
        const way = { from: this.lane, to: settlement.place, due: "now" } as const;
        await this.#options.queues.move(way, [{ ...move, record: settlement.record }]);
        if (settlement.place.endsWith(".dead")) this.#tellEnded(job);
        throw new WaitingError();
      }
      case "abandoned":
        // BullMQ then settles nothing; the job's lease is someone else's or will run out.
        throw new WaitingError();
    }
  }

  #dueAgain(job: Job, record: JobRecord, delayMs: number): JobRecord {
    const atMs = Math.round(this.#options.clock.nowMs() + delayMs);
    return { ...record, due: { atMs, start: job.attemptsStarted + 1 } };
  }

  #tellEnded(job: Job): void {
    const tenant: unknown = job.data?.tenant;
    if (typeof tenant === "string") this.#options.onEnded(tenant, String(job.id));
  }

  #markRenewed(jobIds: readonly string[]): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const jobId of jobIds) {
      const lease = this.#leases.get(jobId);
      if (lease !== undefined) lease.renewedAtMs = nowMs;
    }
  }

  /** Aborts runs whose lease could run out unrenewed, because another worker may then start the job. */
  async #watchLeases(): Promise<void> {
    const { clock } = this.#options;
    while ((await clock.sleep(LEASE_WATCH_MS, this.#stopWatch.signal)) === "elapsed") {
      const oldestMs = clock.monotonicMs() - (LEASE_MS - LEASE_MARGIN_MS);
      for (const lease of this.#leases.values()) {
        if (lease.renewedAtMs < oldestMs) lease.lost.raise();
      }
    }
  }
}

/** BullMQ's worker, telling of each renewal when it was asked for and has succeeded. */
class RenewalWatchingWorker extends Worker {
  readonly #onRenewed: (jobIds: readonly string[]) => void;

  constructor(
    { redis, prefix, lane, workerName }: LaneWorkerOptions,
    onRenewed: (jobIds: readonly string[]) => void,
    process: (job: Job, token: string) => Promise<unknown>,
  ) {
    super(lane, (job, token) => process(job, token ?? ""), {
      connection: redis,
      prefix,
      name: workerName,
      autorun: false,
      lockDuration: LEASE_MS,
      stalledInterval: STALLED_CHECK_MS,
      maxStalledCount: BULLMQ_CEILING,
      // BullMQ's default equals our lease: after an outage of a blink jobs would wait for a redelivery.
      runRetryDelay: 500,
      removeOnComplete: KEEP_SUCCEEDED,
      removeOnFail: KEEP_FAILED,
      settings: {
        backoffStrategy: (_attempts, _type, error) =>
          error instanceof RetryLater ? Math.max(1, error.delayMs) : 1_000,
      },
    });
    this.#onRenewed = onRenewed;
  }

  override async extendJobLocks(jobIds: string[], tokens: string[], durationMs: number): Promise<string[]> {
    const failed = await super.extendJobLocks(jobIds, tokens, durationMs);
    this.#onRenewed(jobIds.filter((jobId) => !failed.includes(jobId)));
    return failed;
  }
}

function takenJob(job: Job, lane: string, keepRecord: TakenJob["keepRecord"]): TakenJob {
  const record = parseRecord(job.progress);
  return {
    jobId: String(job.id),
    lane,
    name: job.name,
    data: job.data,
    record,
    starts: job.attemptsStarted,
    crashes: job.stalledCounter,
    acceptedAtMs: job.timestamp,
    dueAtMs: dueAtMs(job, record),
    keepRecord,
  };
}

function dueAtMs({ attemptsStarted, timestamp, opts }: Job, { due }: JobRecord): number | null {
  // BullMQ sets the job's own delay to 0 once it has passed; the options keep what was asked for.
  if (attemptsStarted <= 1) return timestamp + (opts.delay ?? 0);
  return due?.start === attemptsStarted ? due.atMs : null;
}

function withoutStack(error: Error): Error {
  return Object.assign(error, { stack: "" });
}
