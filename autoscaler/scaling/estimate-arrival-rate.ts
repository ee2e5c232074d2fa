/**
 * Jobs accepted per second: the lambda of the scaling law.
 *
 * Pure. The producers count what they accept, so nothing is inferred from the backlog. A short burst is
 * not this estimate's business: the backlog shows it sooner than any rate.
 */

import { estimateMean, gainOf } from "./estimate-mean.ts";

/** What happened longer ago than this fades, in milliseconds. */
export const RATE_WINDOW_MS = 120_000;

/** One tick of the autoscaler: with less than this seen, one arrival would look like a flood. */
const EVIDENCE_MS_MIN = 5_000;

/** `null` in place of an estimate means that nothing was measured yet: not known, not zero. */
export interface ArrivalRateEstimate {
  /** Jobs accepted per second, >= 0. Understated during the first 5 s of evidence. */
  readonly arrivalRatePerSec: number;
  /** Evidence held, 0 to 1: 1 - exp(-time seen / 120 s). */
  readonly weight: number;
}

/** The difference between two readings of a counter that only rises. */
export interface ArrivalSample {
  /** Jobs accepted between the readings. Negative: the counter went backwards. `null`: not readable. */
  readonly arrivals: number | null;
  /** Time between the readings, in milliseconds. */
  readonly elapsedMs: number;
}

/**
 * The estimate after one more sample, or `previous` when the sample tells nothing: no reading, no time
 * passed, or a counter that went backwards because Redis was restored.
 */
export function estimateArrivalRate(
  previous: ArrivalRateEstimate | null,
  sample: ArrivalSample,
): ArrivalRateEstimate | null {
  const { arrivals, elapsedMs } = sample;
  if (arrivals === null || !(arrivals >= 0 && elapsedMs > 0)) return previous;

  const estimate = estimateMean(
    previous === null ? null : { mean: previous.arrivalRatePerSec, weight: previous.weight },
    {
      value: (arrivals * 1000) / elapsedMs,
      gain: gainOf(elapsedMs, RATE_WINDOW_MS),
      weightMin: gainOf(EVIDENCE_MS_MIN, RATE_WINDOW_MS),
    },
  );
  return { arrivalRatePerSec: estimate.mean, weight: estimate.weight };
}
