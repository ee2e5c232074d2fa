/** The runs of one policy as means with their confidence intervals. Pure. */
import { type Interval, intervalOf } from "./interval.ts";
import type { RunMetrics } from "./metrics.ts";

export type MetricIntervals = Readonly<Record<keyof RunMetrics, Interval>>;

/** @throws {RangeError} when there is no run. */
export function intervalsOf(runs: readonly RunMetrics[]): MetricIntervals {
  const of = (metric: keyof RunMetrics) => intervalOf(runs.map((run) => run[metric]));
  return {
    jobs: of("jobs"),
    missesPercent: of("missesPercent"),
    pickupP50Ms: of("pickupP50Ms"),
    pickupP95Ms: of("pickupP95Ms"),
    pickupP99Ms: of("pickupP99Ms"),
    workerHours: of("workerHours"),
    jobsKilled: of("jobsKilled"),
    jobsCrashed: of("jobsCrashed"),
    jobsRunTwice: of("jobsRunTwice"),
    wastedHours: of("wastedHours"),
    flipsPerHour: of("flipsPerHour"),
    workersStarted: of("workersStarted"),
    workersPeak: of("workersPeak"),
    lateTimePercent: of("lateTimePercent"),
    thetaUnderPercent: of("thetaUnderPercent"),
    thetaOverPercent: of("thetaOverPercent"),
    tauUnderPercent: of("tauUnderPercent"),
    tauOverPercent: of("tauOverPercent"),
    instabilityPercent: of("instabilityPercent"),
  };
}
