/**
 * What a run was worth: promise, price, harm and elasticity as numbers.
 *
 * Pure. The elasticity metrics are those of Herbst et al. ("Quantifying Cloud Performance and Dependability",
 * ToMPECS 2018): how far, and for how much of the time, supply was under and over what was needed.
 */
import type { Outcome } from "./outcome.ts";

export interface RunMetrics {
  readonly jobs: number;
  /** Jobs taken later than promised, or never, in percent. */
  readonly missesPercent: number;
  readonly pickupP50Ms: number;
  readonly pickupP95Ms: number;
  readonly pickupP99Ms: number;
  /** Paid: from each start to each exit. */
  readonly workerHours: number;
  /** Killed by scaling in. */
  readonly jobsKilled: number;
  readonly jobsCrashed: number;
  /** Jobs taken more than once. */
  readonly jobsRunTwice: number;
  /** Slot time of attempts that came to nothing. */
  readonly wastedHours: number;
  /** Turns from growing to shrinking or back. */
  readonly flipsPerHour: number;
  readonly workersStarted: number;
  readonly workersPeak: number;
  /** Time share in which the oldest job was older than promised, in percent, by the minute. */
  readonly lateTimePercent: number;
  /** Missing and needless workers in percent of those needed, averaged over time. */
  readonly thetaUnderPercent: number;
  readonly thetaOverPercent: number;
  /** Time share with too few and with too many workers, in percent. */
  readonly tauUnderPercent: number;
  readonly tauOverPercent: number;
  /** Time share in which supply and demand moved in different directions, in percent. */
  readonly instabilityPercent: number;
}

/** A difference smaller than half a worker is none: supply is an average over a minute. */
const WORKER_TOLERANCE = 0.5;

/** @param demand workers by cell, of demand.ts. */
export function metricsOf(outcome: Outcome, demand: Uint32Array): RunMetrics {
  const { pickupMs, starts, horizonMs, pickupPromiseMs } = outcome;
  const sorted = Float64Array.from(pickupMs).sort();
  const hours = horizonMs / 3_600_000;
  const late = outcome.oldestAgeMs.filter((ageMs) => ageMs > pickupPromiseMs).length;
  return {
    jobs: pickupMs.length,
    missesPercent: missesPercentOf(outcome),
    pickupP50Ms: quantile(sorted, 0.5),
    pickupP95Ms: quantile(sorted, 0.95),
    pickupP99Ms: quantile(sorted, 0.99),
    workerHours: workerHoursOf(outcome),
    jobsKilled: outcome.killedJobs,
    jobsCrashed: outcome.crashedJobs,
    jobsRunTwice: starts.reduce((jobs, times) => jobs + Number(times > 1), 0),
    wastedHours: outcome.wastedMs / 3_600_000,
    flipsPerHour: outcome.turns / hours,
    workersStarted: outcome.workersStarted,
    workersPeak: outcome.workersPeak,
    lateTimePercent: (100 * late) / Math.max(1, outcome.oldestAgeMs.length),
    ...elasticityOf(outcome.supplyWorkers, demand),
  };
}

export function missesPercentOf({ pickupMs, pickupPromiseMs }: Outcome): number {
  let misses = 0;
  for (const ms of pickupMs) if (ms > pickupPromiseMs) misses += 1;
  return pickupMs.length === 0 ? 0 : (100 * misses) / pickupMs.length;
}

export function workerHoursOf({ paidWorkerMs }: Outcome): number {
  return paidWorkerMs / 3_600_000;
}

/** The smallest value that at least this share of them does not exceed; 0 for none. */
export function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

type Elasticity = Pick<
  RunMetrics,
  "thetaUnderPercent" | "thetaOverPercent" | "tauUnderPercent" | "tauOverPercent" | "instabilityPercent"
>;

/** Cells without demand count towards the time shares, but not towards the relative ones. */
export function elasticityOf(supply: Float64Array, demand: Uint32Array): Elasticity {
  const cells = supply.length;
  const sum = { thetaUnder: 0, thetaOver: 0, under: 0, over: 0, apart: 0 };
  for (let cell = 0; cell < cells; cell += 1) {
    const needed = demand[cell] ?? 0;
    const missing = needed - (supply[cell] as number);
    if (missing >= WORKER_TOLERANCE) sum.under += 1;
    if (missing <= -WORKER_TOLERANCE) sum.over += 1;
    if (needed > 0) {
      sum.thetaUnder += Math.max(missing, 0) / needed;
      sum.thetaOver += Math.max(-missing, 0) / needed;
    }
    if (cell > 0 && moveOf(supply, cell) !== moveOf(demand, cell)) sum.apart += 1;
  }
  const percent = (amount: number, of: number) => (of === 0 ? 0 : (100 * amount) / of);
  const demanded = demand.reduce((count, needed) => count + Number(needed > 0), 0);
  return {
    thetaUnderPercent: percent(sum.thetaUnder, demanded),
    thetaOverPercent: percent(sum.thetaOver, demanded),
    tauUnderPercent: percent(sum.under, cells),
    tauOverPercent: percent(sum.over, cells),
    instabilityPercent: percent(sum.apart, cells - 1),
  };
}

function moveOf(workers: Float64Array | Uint32Array, cell: number): number {
  const change = (workers[cell] as number) - (workers[cell - 1] as number);
  return Math.abs(change) < WORKER_TOLERANCE ? 0 : Math.sign(change);
}
