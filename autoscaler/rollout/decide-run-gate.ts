/**
 * Whether jobs take longer on the new release than `runFactor` times the others' time, from bucket histograms.
 *
 * Pure. Times are known by bucket only, so two percentiles cannot be compared exactly. What can be: if nothing takes
 * longer than f times what it took, then at every bound b no larger share of the new jobs is above b than of the
 * others' above b / f, rounded down to a bound. A release for which some bound from the median up to the 95th
 * percentile disproves that is halted (after the minimum of evidence: first jobs are slow anywhere), by the bounds of `estimate-bounds.ts` with the error shared among the
 * buckets. It passes when the interpolated 95th percentiles are in order. What lies between is inconclusive:
 * such as a tail that grew within one bucket.
 */

import type { RolloutPolicy } from "#shared/rollout/rollout-policy";
import type { Evidence } from "./decide-evidence.ts";
import { type GateEvaluation, HALT_SHARE_OTHERS, HALT_SHARE_SUSPECT } from "./decide-gate-words.ts";
import { highestRate, isAbove, rateOf } from "./estimate-bounds.ts";
import {
  BUCKETS,
  boundIndexBelow,
  estimateQuantile,
  shareAbove,
  TIME_BOUNDS_MS,
} from "./estimate-quantile.ts";

const QUANTILE = 0.95;

/** What is compared lies from the median up to the 95th percentile: shares above it from a half down to this. */
const SHARE_MIN = 1 - QUANTILE;
const SHARE_MAX = 0.5;

const TEST_SHARE = 0.5;

export function decideRunGate({ to, others, isPast }: Evidence, policy: RolloutPolicy): GateEvaluation {
  // Time itself changes run times; the past is allowed as much again.
  const factor = isPast ? policy.runFactor ** 2 : policy.runFactor;
  const p95Ms = estimateQuantile(to.run, QUANTILE);
  const othersMs = estimateQuantile(others.run, QUANTILE);
  const sample = shareAbove(to.run, -1).trials;
  const othersSample = shareAbove(others.run, -1).trials;
  const limit = factor * (othersMs ?? 0);
  const said = { gate: "run-time", value: p95Ms, limit, sample, othersSample };

  if (Math.min(sample, othersSample) < policy.jobsMin || p95Ms === null || othersMs === null) {
    return {
      ...said,
      outcome: "inconclusive",
      sentence: `${sample} and ${othersSample} run times are too few to compare`,
      wouldChange: `${policy.jobsMin} run times of each`,
    };
  }
  const disproved = disprovedBound(to.run, others.run, { factor, error: policy.errorRate * TEST_SHARE });
  if (disproved !== null) {
    return {
      ...said,
      outcome: "fail",
      sentence: `more of its jobs take over ${seconds(disproved)} than ${factor} times the others' times explain; 95 of 100 take up to about ${seconds(p95Ms)}, of the others' ${seconds(othersMs)}`,
      wouldChange: `run times within ${factor} times the others'`,
    };
  }
  const isWithin = p95Ms <= limit;
  return {
    ...said,
    outcome: isWithin ? "pass" : "inconclusive",
    sentence: `95 of 100 jobs take up to about ${seconds(p95Ms)}; the others' ${seconds(othersMs)}`,
    wouldChange: `a 95th percentile ${isWithin ? "above" : "below"} ${seconds(limit)}`,
  };
}

/** The bound in milliseconds at which the new histogram cannot be the old one slowed down by `factor` or less. */
function disprovedBound(
  histogram: readonly number[],
  others: readonly number[],
  { factor, error }: { readonly factor: number; readonly error: number },
): number | null {
  for (const [index, boundMs] of TIME_BOUNDS_MS.entries()) {
    const suspect = shareAbove(histogram, index);
    const rate = rateOf(suspect);
    if (rate < SHARE_MIN) return null;
    const rest = shareAbove(others, boundIndexBelow(boundMs / factor));
    if (rest.trials === 0 || rate <= rateOf(rest)) continue;
    const highest = highestRate(rest, (error * HALT_SHARE_OTHERS) / BUCKETS);
    if (highest <= SHARE_MAX && isAbove(suspect, highest, (error * HALT_SHARE_SUSPECT) / BUCKETS))
      return boundMs;
  }
  return null;
}

function seconds(timeMs: number | null): string {
  return timeMs === null ? "not known" : `${(timeMs / 1000).toPrecision(2)} s`;
}
