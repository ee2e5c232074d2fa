/**
 * Whether the new release fails more often than the others: by a sequential test, not by a ratio of two numbers.
 *
 * Pure. Halt: the lowest failure rate that the new release's evidence allows is above the highest that the
 * others' allows, and it is `worseFactor` times theirs as counted. Both bounds hold at all looks together
 * (`estimate-bounds.ts`), so watching every few seconds makes no false halts. Pass: the evidence excludes that it is
 * `failureFactor` times theirs. In between nothing is decided. A naive comparison with 3 times the others
 * would halt 9 of 100 good releases after 50 jobs at a failure rate of 1 %.
 */

import type { RolloutPolicy } from "#shared/rollout/rollout-policy";
import { type Evidence, failuresOf } from "./decide-evidence.ts";
import {
  type GateEvaluation,
  HALT_SHARE_OTHERS,
  HALT_SHARE_SUSPECT,
  PASS_ERROR,
  perCent,
} from "./decide-gate-words.ts";
import { highestRate, isAbove, isBelow, lowestRate, rateOf, type Share } from "./estimate-bounds.ts";

export interface Comparison {
  readonly suspect: Share;
  readonly rest: Share;
  /** Chance that an equally good suspect is ever called worse, at most. */
  readonly error: number;
  /** The rest's highest rate is multiplied by this: 1, or more when it is of another time. */
  readonly allowance: number;
}

/** How much worse than the others' past a release may look: time itself changes failure rates. */
const ALLOWANCE_PAST = 1.5;

/** The share of the error rate that the failure test may use; the run time test has the other half. */
const TEST_SHARE = 0.5;

/** Whether it is worse as counted, by so much that it matters; whether that is proven is another question. */
export function isCountedWorse(
  { suspect, rest }: Pick<Comparison, "suspect" | "rest">,
  { worseFactor, failureFloor }: RolloutPolicy,
): boolean {
  return rateOf(suspect) >= worseFactor * Math.max(rateOf(rest), failureFloor);
}

export function isWorse(comparison: Comparison, policy: RolloutPolicy): boolean {
  if (!isCountedWorse(comparison, policy)) return false;
  const { suspect, rest, error, allowance } = comparison;
  const limit = Math.max(allowance * highestRate(rest, error * HALT_SHARE_OTHERS), policy.failureFloor);
  return limit < 1 && isAbove(suspect, limit, error * HALT_SHARE_SUSPECT);
}

export function decideFailureGate(evidence: Evidence, policy: RolloutPolicy): GateEvaluation {
  const counted = failuresOf(evidence.to);
  const rest = failuresOf(evidence.others);
  const limit = passLimit(rest, policy);
  const said = {
    gate: "failures",
    value: rateOf(counted),
    limit,
    sample: counted.trials,
    othersSample: rest.trials,
  };
  if (counted.trials === 0) {
    return inconclusive(said, "the new release has ended no job yet", "its first jobs");
  }
  // Those in flight may all still succeed.
  const suspect = { ...counted, trials: counted.trials + evidence.inFlight };
  const allowance = evidence.isPast ? ALLOWANCE_PAST : 1;
  if (isWorse({ suspect, rest, error: policy.errorRate * TEST_SHARE, allowance }, policy)) {
    return {
      ...said,
      outcome: "fail",
      sentence: worseSentence(counted, rest, policy),
      wouldChange: "a release that fails no more often than the others",
    };
  }
  if (isFailingInRow(evidence, rest, policy)) {
    return {
      ...said,
      outcome: "fail",
      sentence: `the last ${evidence.failuresInRow} first attempts of the fresh release failed, one after the other, while the others fail ${perCent(rateOf(rest))}`,
      wouldChange: "a release whose first jobs succeed",
    };
  }
  const missing = Math.max(policy.jobsMin - Math.min(counted.trials, rest.trials), 0);
  if (missing > 0) {
    return inconclusive(said, `${missing} more jobs are needed to compare`, `${missing} more first attempts`);
  }
  if (!isBelow(counted, limit, PASS_ERROR)) {
    const why = `it fails ${perCent(said.value)} of ${counted.trials}, which does not exclude ${perCent(limit)} yet`;
    return inconclusive(said, why, "more first attempts that succeed");
  }
  return {
    ...said,
    outcome: "pass",
    sentence: `it fails ${perCent(said.value)} of ${counted.trials}, the others ${perCent(rateOf(rest))} of ${rest.trials}; ${perCent(limit)} is excluded`,
    wouldChange: `failures above ${perCent(limit)}`,
  };
}

/** Three times the others; where that is all there is, halfway from theirs to certain failure. */
function passLimit(rest: Share, { failureFactor, failureFloor }: RolloutPolicy): number {
  const rate = Math.max(rateOf(rest), failureFloor);
  return Math.min(failureFactor * rate, (1 + rate) / 2);
}

/**
 * So many failures in a row that among its first jobs an equally good release would have one such row with a chance
 * of at most the error rate: starts x rate^length, summed over the places where a row may begin.
 */
function isFailingInRow({ to, failuresInRow }: Evidence, rest: Share, policy: RolloutPolicy): boolean {
  const { freshJobs, errorRate } = policy;
  if (failuresInRow < policy.failuresInRow || to.finished > freshJobs || rest.trials < policy.jobsMin) {
    return false;
  }
  const rate = Math.max(highestRate(rest, errorRate * HALT_SHARE_OTHERS), policy.failureFloor);
  return freshJobs * rate ** failuresInRow <= errorRate * TEST_SHARE;
}

function worseSentence(counted: Share, rest: Share, { errorRate }: RolloutPolicy): string {
  const lowest = perCent(lowestRate(counted, errorRate * TEST_SHARE * HALT_SHARE_SUSPECT));
  const highest = perCent(highestRate(rest, errorRate * TEST_SHARE * HALT_SHARE_OTHERS));
  return (
    `it fails ${perCent(rateOf(counted))} of ${counted.trials} (at least ${lowest}), ` +
    `the others ${perCent(rateOf(rest))} of ${rest.trials} (at most ${highest})`
  );
}

function inconclusive(
  said: Omit<GateEvaluation, "outcome" | "sentence" | "wouldChange">,
  sentence: string,
  wouldChange: string,
): GateEvaluation {
  return { ...said, outcome: "inconclusive", sentence, wouldChange };
}
