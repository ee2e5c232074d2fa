/**
 * One look at everything: lanes, fleet and registry at one moment.
 *
 * Made by `observe.ts`, used by the control loop and shown by the control API. Ages are by Redis'
 * clock, so they are right whatever the machines' clocks say.
 */
import type { MemoryUse } from "#shared/redis/memory-watch";
import type { Takes } from "#shared/rollout/release-orders";

/** Observed, except `starting` (spawned and not heard of yet). */
export type WorkerState = "starting" | "ok" | "suspect" | "dead" | "draining" | "quarantined";

export interface WorkerView {
  readonly worker: string;
  readonly release: string;
  readonly queue: string;
  readonly state: WorkerState;
  /** Why the worker is not `ok`, in a few words; `null` when it is. */
  readonly reason: string | null;
  readonly slots: number;
  /** Jobs in flight. */
  readonly busy: number;
  /** Lanes it takes from. */
  readonly lanes: readonly string[];
  /** Lanes it would take from if its release did not fail to read them. */
  readonly trippedLanes: readonly string[];
  /** What its release's workers are told to take, as far as it has heard. */
  readonly takes: Takes;
  /** First attempts since it started; `null` when it does not count them. */
  readonly firstRuns: FirstRuns | null;
  /** Milliseconds since its last heartbeat, `null` before the first. */
  readonly heartbeatAgeMs: number | null;
  /** RFC 3339. */
  readonly startedAt: string;
  readonly pid: number | null;
  readonly host: string | null;
  /** Jobs that ended there, by how they settled. */
  readonly settled: Readonly<Record<string, number>>;
  readonly eventLoopLagMs: number | null;
  readonly rssBytes: number | null;
  readonly clockOffsetMs: number | null;
}

/** First attempts of jobs on one worker. */
export interface FirstRuns {
  readonly finished: number;
  readonly failed: number;
  /** Of those, jobs that have failed elsewhere too. */
  readonly failedElsewhere: number;
  /** Starts whose worker was lost. */
  readonly stalls: number;
  /** That failed one after the other up to now. */
  readonly inRow: number;
}

/** A release's own step fails in a lane, so it takes nothing there for a while. */
export interface LaneTripView {
  readonly release: string;
  /** Until when, RFC 3339; in the past while it tries again. */
  readonly until: string;
  /** Trips in a row, from 1. */
  readonly failures: number;
  /** The job type whose step fails. */
  readonly type: string;
  /** The version the step leads to. */
  readonly targetVersion: number;
  /** Stable code of the failure. */
  readonly code: string;
  /** The job that could not be read last. */
  readonly jobId: string;
}

export interface LaneView {
  readonly lane: string;
  readonly generation: number;
  /** Due and not taken. */
  readonly waiting: number;
  readonly inFlight: number;
  /** Waiting for a time, retries included. */
  readonly scheduled: number;
  /** Scheduled jobs that fall due within the start delay and two ticks. */
  readonly dueSoon: number;
  /** Finished jobs still kept. */
  readonly succeeded: number;
  readonly failed: number;
  /** Jobs and schedulers that only other users of BullMQ make; they keep a lane from retiring. */
  readonly other: number;
  /** Since when the lane is retired, RFC 3339; `null` while it may still hold or get jobs. */
  readonly retiredAt: string | null;
  /** Milliseconds since the oldest waiting job fell due; `null` when nothing waits. */
  readonly oldestDueAgeMs: number | null;
  /** Live releases that read the lane, oldest first. */
  readonly readers: readonly string[];
  /** Workers that take from the lane now. */
  readonly consumers: number;
  /** Jobs are here and no live release that reads them has a worker or can get one: an alarm. */
  readonly orphaned: boolean;
  /** Jobs are here and whoever takes them fails to read them: an alarm. */
  readonly tripped: boolean;
  /** Of the readers, in their order; one that is not closed counts, whether or not its time is over. */
  readonly trips: readonly LaneTripView[];
  /** Jobs accepted per second, `null` while not known. */
  readonly arrivalRatePerSec: number | null;
  /** Mean slot time of a job, in milliseconds, `null` while not known. */
  readonly serviceTimeMs: number | null;
}

/** How long a queue's jobs took over something in the last ten minutes. */
export interface SpreadView {
  /** Jobs that were counted, > 0. */
  readonly jobs: number;
  /** Half, 95 and 99 of 100 jobs took no longer, in milliseconds. */
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  /** Squared coefficient of variation: 0 all alike, 1 as uneven as exponential. */
  readonly scv: number;
}

export interface QueueView {
  readonly queue: string;
  readonly app: string;
  /** Lowest generation that new jobs are written to, `null` when no release of the queue is live. */
  readonly floor: number | null;
  /** The promised pickup time, `null` when the configuration names none. */
  readonly pickupPromiseMs: number | null;
  /** Oldest generation first. */
  readonly lanes: readonly LaneView[];
  readonly parked: number;
  readonly quarantined: number;
  /** From due to taken, `null` when no job was taken lately whose wait is known. */
  readonly pickup: SpreadView | null;
  /** From taken to settled, `null` when no run has ended lately. */
  readonly run: SpreadView | null;
}

export interface ReleaseView {
  readonly release: string;
  readonly app: string;
  readonly state: "live" | "retired";
  readonly publishedAt: string;
  /** Own generation by queue. */
  readonly generations: Readonly<Record<string, number>>;
}

export interface Snapshot {
  /** RFC 3339, Redis' clock. */
  readonly observedAt: string;
  readonly queues: readonly QueueView[];
  readonly workers: readonly WorkerView[];
  /** Oldest first. */
  readonly releases: readonly ReleaseView[];
  /** Redis' memory; from 85 % of it on, new jobs are refused. */
  readonly memory: MemoryUse;
}

export type { DecisionRecord } from "./decision-record.ts";
