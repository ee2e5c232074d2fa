/**
 * Empties an older lane of a queue into a newer one: looks through what rests there again and again,
 * decides about each job and moves it in one step, at a pace, until nothing is left that it could move.
 *
 * It runs no job and takes no lease. Jobs in flight elsewhere are waited for: they end, or come back and
 * are moved then. It can be killed at any moment and run again, or twice at once: what has moved has
 * moved, and what has not is found again.
 */
import { createHash } from "node:crypto";
import type { Clock } from "#shared/clock";
import { RedisUnavailableError } from "#shared/errors";
import { type AttemptEntry, MESSAGE_CHARS_MAX, parseRecord, withAttempt } from "#shared/job-record";
import type { Log } from "#shared/log";
import {
  type LaneQueues,
  RESTING_STATES,
  type RestingState,
  type StoredJob,
} from "#shared/redis/lane-queues";
import type { JobMove, MoveOutcome } from "#shared/redis/move-jobs";
import { toRfc3339 } from "#shared/system-clock";
import { decideMigration, type LeaveReason, type MigratingBuild } from "./decide-migration.ts";

/** Ids read at once; their data is read and moved in smaller batches. */
const PAGE_MAX = 1_000;

const BATCH_MAX = 100;

/** So that what a batch costs Redis comes in small portions even at a low pace. */
const BATCHES_PER_SECOND_MIN = 10;

/** How late a batch may be and the next ones catch up: longer than a timer is late on a busy machine. */
const CATCH_UP_MS_MAX = 100;

/**
 * Looks in a row that must find nothing to do. A single one can miss a job that comes back from its worker
 * while it is made, and take the number of jobs for right because another has just gone.
 */
const QUIET_LOOKS = 2;

/** Between two looks when all that is left to do is to wait for jobs in flight. */
const LOOK_AGAIN_MS = 500;

const PROGRESS_EVERY_MS = 1_000;

/** Jobs left behind that are named in the log; the others are only counted. */
const LEFT_LOGGED_MAX = 100;

export interface MigrationOptions {
  /** The older lane. */
  readonly from: string;
  readonly to: string;
  /** Where poison goes. */
  readonly dead: string;
  readonly queues: Pick<LaneQueues, "restingIds" | "read" | "move">;
  readonly build: MigratingBuild;
  readonly release: string;
  /** Names the migration in the records of jobs that it quarantines. */
  readonly workerId: string;
  /** At most, from 1. */
  readonly jobsPerSecond: number;
  readonly clock: Clock;
  readonly log: Log;
  /** What the older lane holds now. */
  count(): Promise<LaneRemains>;
}

export interface LaneRemains {
  readonly waiting: number;
  readonly scheduled: number;
  readonly inFlight: number;
  /** In states that Sluice itself never uses: they stay. */
  readonly other: number;
}

export interface MigrationTotals {
  /** Jobs moved into the newer lane, those written anew included. */
  readonly moved: number;
  /** Those of them that were written anew in a newer version. */
  readonly upcast: number;
  /** Jobs that the newer lane had already; the older lane's copies are gone. */
  readonly known: number;
  readonly quarantined: number;
  /** Jobs that stay, by reason. */
  readonly left: Readonly<Record<string, number>>;
  /** Everything unfinished in the older lane at the end, what was left included. */
  readonly remaining: number;
}

interface Counts {
  moved: number;
  upcast: number;
  known: number;
  quarantined: number;
}

export class LaneMigration {
  readonly #options: MigrationOptions;
  readonly #batchMax: number;
  readonly #counts: Counts = { moved: 0, upcast: 0, known: 0, quarantined: 0 };
  /** Decided to stay; of those that the last look has seen. */
  readonly #left = new Map<string, LeaveReason>();
  /** Ids that the last look found without a job behind them. */
  #empty = 0;
  #nextBatchMs = 0;

  constructor(options: MigrationOptions) {
    this.#options = options;
    const portion = Math.floor(options.jobsPerSecond / BATCHES_PER_SECOND_MIN);
    this.#batchMax = Math.max(1, Math.min(BATCH_MAX, portion));
  }

  /** Resolves when the lane holds nothing more that it could move, or after the batch in hand once `stop` aborts. */
  async run(stop: AbortSignal): Promise<MigrationTotals> {
    const { clock, count } = this.#options;
    const end = new AbortController();
    // Without progress lines the work goes on all the same.
    const reporting = this.#report(end.signal).catch(() => undefined);
    try {
      for (let quietLooks = 0; ; ) {
        const changed = await this.#lookThrough(stop).catch((error: unknown) => this.#interrupted(error));
        const remains = await count();
        const settled = remains.waiting + remains.scheduled <= this.#left.size + this.#empty;
        const quiet = changed === 0 && settled && remains.inFlight === 0;
        quietLooks = quiet ? quietLooks + 1 : 0;
        if (stop.aborted || quietLooks === QUIET_LOOKS) return this.#totals(remains);
        if (!quiet && (changed ?? 0) === 0) await clock.sleep(LOOK_AGAIN_MS, stop);
      }
    } finally {
      end.abort();
      await reporting;
    }
  }

  /** An outage is sat out: what was not moved is found again. `null`: the look was not whole. */
  #interrupted(error: unknown): null {
    if (!(error instanceof RedisUnavailableError)) throw error;
    this.#options.log.warn({ err: error }, "looking again when Redis is back");
    return null;
  }

  /** Goes once through all that rests in the lane. Answers how many jobs it has taken out of it. */
  async #lookThrough(stop: AbortSignal): Promise<number> {
    const seen = new Set<string>();
    let changed = 0;
    this.#empty = 0;
    for (const state of RESTING_STATES) changed += await this.#lookThroughState(state, seen, stop);
    // Somebody else has taken them, and they may come back changed.
    if (!stop.aborted) for (const jobId of this.#left.keys()) if (!seen.has(jobId)) this.#left.delete(jobId);
    return changed;
  }

  async #lookThroughState(state: RestingState, seen: Set<string>, stop: AbortSignal): Promise<number> {
    const { queues, from } = this.#options;
    let changed = 0;
    for (let skip = 0; !stop.aborted; ) {
      const jobIds = await queues.restingIds(from, state, { skip, max: PAGE_MAX });
      if (jobIds.length === 0) break;
      const gone = await this.#migrate(
        jobIds.filter((jobId) => !this.#left.has(jobId)),
        stop,
      );
      for (const jobId of jobIds) if (this.#left.has(jobId)) seen.add(jobId);
      changed += gone;
      skip += jobIds.length - gone;
    }
    return changed;
  }

  async #migrate(jobIds: readonly string[], stop: AbortSignal): Promise<number> {
    let gone = 0;
    for (let at = 0; at < jobIds.length; at += this.#batchMax) {
      const batch = jobIds.slice(at, at + this.#batchMax);
      await this.#waitForTurn(batch.length, stop);
      if (stop.aborted) break;
      gone += await this.#migrateBatch(batch);
    }
    return gone;
  }

  async #waitForTurn(jobs: number, stop: AbortSignal): Promise<void> {
    const { clock, jobsPerSecond } = this.#options;
    const nowMs = clock.monotonicMs();
    const turnMs = Math.max(this.#nextBatchMs, nowMs - CATCH_UP_MS_MAX);
    this.#nextBatchMs = turnMs + (jobs * 1_000) / jobsPerSecond;
    if (turnMs > nowMs) await clock.sleep(turnMs - nowMs, stop);
  }

  /** Answers how many jobs are no longer in the older lane because of it. */
  async #migrateBatch(jobIds: readonly string[]): Promise<number> {
    const { queues, build, from, to, dead, log } = this.#options;
    const jobs = await queues.read(from, jobIds);
    this.#empty += jobIds.length - jobs.length;
    const moves: JobMove[] = [];
    const quarantines: JobMove[] = [];
    for (const job of jobs) {
      const decision = decideMigration(job, build);
      if (decision.kind === "move") moves.push(moveOf(job, { dataText: decision.dataText, record: null }));
      else if (decision.kind === "quarantine") quarantines.push(this.#quarantine(job, decision));
      else this.#leave(job, decision);
    }
    const moved = await queues.move({ from, to, due: "kept" }, moves);
    const quarantined = await queues.move({ from, to: dead, due: "now" }, quarantines);
    this.#counts.upcast += moves.filter((it, at) => it.dataText !== null && moved[at] === "moved").length;
    this.#counts.moved += numberOf("moved", moved);
    this.#counts.known += numberOf("known", [...moved, ...quarantined]);
    this.#counts.quarantined += numberOf("moved", quarantined);
    log.debug({ from, to, ...this.#counts }, "batch is moved");
    return [...moved, ...quarantined].filter((outcome) => outcome !== "not-moved").length;
  }

  #quarantine(job: StoredJob, cause: { readonly code: string; readonly message: string }): JobMove {
    const { clock, release, workerId, log } = this.#options;
    const { code } = cause;
    log.warn({ jobId: job.jobId, code }, "job is quarantined");
    const before = parseRecord(job.recordText ?? undefined);
    const now = toRfc3339(clock.nowMs());
    const entry: AttemptEntry = {
      attempt: before.failures + 1,
      release,
      worker: workerId,
      startedAt: now,
      endedAt: now,
      outcome: "quarantined",
      code,
      message: cause.message.slice(0, MESSAGE_CHARS_MAX),
    };
    return moveOf(job, { dataText: null, record: withAttempt(before, entry) });
  }

  #leave(
    job: StoredJob,
    { reason, message }: { readonly reason: LeaveReason; readonly message: string },
  ): void {
    this.#left.set(job.jobId, reason);
    if (this.#left.size <= LEFT_LOGGED_MAX) {
      this.#options.log.warn({ jobId: job.jobId, reason, detail: message }, "job is left in its lane");
    }
  }

  async #report(signal: AbortSignal): Promise<void> {
    const { clock, count, log, from, to } = this.#options;
    while ((await clock.sleep(PROGRESS_EVERY_MS, signal)) === "elapsed") {
      const { waiting, scheduled, inFlight } = await count();
      const left = this.#left.size + this.#empty;
      log.info({ from, to, ...this.#counts, left, waiting, scheduled, inFlight }, "migrating");
    }
  }

  #totals({ waiting, scheduled, inFlight, other }: LaneRemains): MigrationTotals {
    const left: Record<string, number> = {};
    if (this.#empty > 0) left["no-data"] = this.#empty;
    if (other > 0) left["not-ours"] = other;
    for (const reason of this.#left.values()) left[reason] = (left[reason] ?? 0) + 1;
    return { ...this.#counts, left, remaining: waiting + scheduled + inFlight + other };
  }
}

/** Moves only what was decided on: data that somebody changes meanwhile is looked at again. */
function moveOf(job: StoredJob, changes: Pick<JobMove, "dataText" | "record">): JobMove {
  const dataSha1 = createHash("sha1").update(job.dataText).digest("hex");
  return { jobId: job.jobId, lease: null, dataSha1, ...changes };
}

function numberOf(outcome: MoveOutcome, outcomes: readonly MoveOutcome[]): number {
  return outcomes.filter((it) => it === outcome).length;
}
