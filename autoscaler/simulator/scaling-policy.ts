/**
 * What the simulator shows to a scaling policy, and what it asks of it.
 *
 * A policy sees what can be measured in production and no more: no job that has not come, no duration of a job
 * that has not finished. The rule of the simulator itself (simulate.ts) is to carry out what is wanted as
 * production would, and never to judge.
 */

/** One look at a pool. Counts are whole numbers >= 0, times milliseconds from the beginning of the run. */
export interface PoolSight {
  readonly nowMs: number;
  /** Due and not taken. */
  readonly waiting: number;
  /** In flight. */
  readonly active: number;
  /** Scheduled jobs that fall due within the start delay + 2 ticks. Traces have none. */
  readonly dueSoon: number;
  /** Since the oldest waiting job fell due. `null` when nothing waits. */
  readonly oldestDueAgeMs: number | null;
  /** Jobs accepted so far. */
  readonly arrivedTotal: number;
  /** Jobs settled so far, and the time that these held their slots. */
  readonly finishedTotal: number;
  readonly busyMsTotal: number;
  /** Jobs taken for the first time so far, and those of them taken after the promise was over. */
  readonly startedTotal: number;
  readonly lateTotal: number;
  /** Workers that take jobs. */
  readonly readyWorkers: number;
  readonly startingWorkers: number;
  /** Workers that finish what they have and take nothing new. */
  readonly drainingWorkers: number;
  /** Busy slots of the ready workers. */
  readonly busySlots: number;
  /** As production measures it (scaling/estimate-start-delay.ts). */
  readonly startDelayMs: number;
  readonly slotsPerWorker: number;
  readonly pickupPromiseMs: number;
}

/**
 * How workers leave.
 * `drain-idle-first`: as production does it (scaling/decide-leavers.ts): the idle first, none is killed, and
 * those that drain are taken back before one is started.
 * `kill-random`: as a ReplicaSet of Kubernetes does it: those that are still starting first, then any; what
 * they run they may finish within the grace, then it is killed.
 * `kill-idle-first`: the same with a deletion cost on each pod that is busy.
 */
export type ScaleIn = "drain-idle-first" | "kill-random" | "kill-idle-first";

export interface ScalingPolicy {
  readonly name: string;
  /** It is asked this often, from a random phase on. */
  readonly tickMs: number;
  readonly scaleIn: ScaleIn;
  /** With `kill-*`: how long a victim's jobs may run on. `Infinity`: to their end. */
  readonly victimGraceMs: number;
  /**
   * Whether to look at once, since a job has come that nobody could take. Asked for each such job.
   * Not before `wakeGapMs` after the last look; the next regular look is a tick later.
   */
  wakes?(pool: WakingPool): boolean;
  /** @default 200 */
  readonly wakeGapMs?: number;
  /** Workers wanted now, after the policy's own bounds and stabilization. */
  decide(sight: PoolSight): number;
}

export interface WakingPool {
  readonly waiting: number;
  readonly readyWorkers: number;
  readonly startingWorkers: number;
}

export interface PolicyOptions {
  readonly seed: number;
  readonly workersMin: number;
  readonly workersMax: number;
  readonly slotsPerWorker: number;
  readonly pickupPromiseMs: number;
}

/** A new policy with an empty memory: one for each run. */
export type PolicyFactory = (options: PolicyOptions) => ScalingPolicy;
