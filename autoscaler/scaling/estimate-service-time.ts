/**
 * How long one job holds a slot, on average: the `s` of the scaling law.
 *
 * Pure. It knows nothing of types or releases; a caller that wants one estimate a lane keeps one a lane.
 * The window is counted in jobs and not in time, so that a quiet lane does not forget what it knew.
 */

import { estimateMean, gainOf } from "./estimate-mean.ts";

/** About this many finished jobs make up the estimate; older ones fade. */
const WINDOW_JOBS = 50;

/** `null` in place of an estimate means that no job has finished yet: not known, not zero. */
export interface ServiceTimeEstimate {
  /** Mean time from taking a job to settling it, in milliseconds, >= 0. */
  readonly serviceTimeMs: number;
  /** Evidence held, 0 to 1: 1 - exp(-jobs / 50). */
  readonly weight: number;
}

/** What happened since the last sample. */
export interface ServiceTimeSample {
  /** Jobs settled, whatever their outcome, >= 0. */
  readonly finished: number;
  /** Sum of the times these jobs held their slots, in milliseconds, >= 0. */
  readonly busyMs: number;
}

/**
 * The estimate after one more sample, or `previous` when the sample tells nothing: no job finished, or
 * a counter went backwards.
 */
export function estimateServiceTime(
  previous: ServiceTimeEstimate | null,
  sample: ServiceTimeSample,
): ServiceTimeEstimate | null {
  const { finished, busyMs } = sample;
  if (!(finished > 0 && busyMs >= 0)) return previous;

  const estimate = estimateMean(
    previous === null ? null : { mean: previous.serviceTimeMs, weight: previous.weight },
    { value: busyMs / finished, gain: gainOf(finished, WINDOW_JOBS) },
  );
  return { serviceTimeMs: estimate.mean, weight: estimate.weight };
}
