/**
 * The gates beside failures and run time: pickup, stalls, schema mismatches and criticality.
 *
 * Pure. They tell apart what the release does from what the pool suffers: late pickup or stalls that the others have too
 * hold a rollout and never halt it. Schema mismatches are no matter of chance, so one of them halts.
 */

import type { RolloutPolicy } from "#shared/rollout/rollout-policy";
import type { Evidence } from "./decide-evidence.ts";
import { type GateEvaluation, HALT_SHARE_OTHERS, HALT_SHARE_SUSPECT, perCent } from "./decide-gate-words.ts";
import { isAbove, lowestMean, rateOf } from "./estimate-bounds.ts";
import { boundIndexAt, shareAbove } from "./estimate-quantile.ts";

/** 95 of 100 jobs are to be picked up in time. */
const LATE_SHARE_MAX = 0.05;

export function decidePickupGate({ to, others, isPast }: Evidence, policy: RolloutPolicy): GateEvaluation {
  const bound = boundIndexAt(policy.pickupPromiseMs);
  const late = shareAbove(to.pickup, bound);
  const othersLate = shareAbove(others.pickup, bound);
  const said = {
    gate: "pickup",
    value: late.trials === 0 ? null : rateOf(late),
    limit: LATE_SHARE_MAX,
    sample: late.trials,
    othersSample: othersLate.trials,
  };
  const sentence = `${perCent(rateOf(late))} of its ${late.trials} jobs were picked up late, ${perCent(rateOf(othersLate))} of the others' ${othersLate.trials}`;
  if (late.trials >= policy.jobsMin && rateOf(late) <= LATE_SHARE_MAX) {
    return { ...said, outcome: "pass", sentence, wouldChange: "more than 5 % picked up late" };
  }
  const othersInTime = !isPast && othersLate.trials >= policy.jobsMin && rateOf(othersLate) <= LATE_SHARE_MAX;
  const isLate = isAbove(late, LATE_SHARE_MAX * policy.worseFactor, policy.errorRate * HALT_SHARE_OTHERS);
  return {
    ...said,
    outcome: othersInTime && isLate ? "fail" : "inconclusive",
    sentence,
    wouldChange: "95 % picked up within the promise",
  };
}

export function decideStallGate({ to, others, isPast }: Evidence): GateEvaluation {
  const said = {
    gate: "stalls",
    value: to.stalls,
    limit: 0,
    sample: to.finished,
    othersSample: others.finished,
  };
  if (to.stalls === 0) {
    return { ...said, outcome: "pass", sentence: "none of its jobs stalled", wouldChange: "one stall" };
  }
  const isShared = !isPast && others.stalls > 0;
  return {
    ...said,
    outcome: isShared ? "inconclusive" : "fail",
    sentence: `${to.stalls} of its jobs stalled, ${others.stalls} of the others'`,
    wouldChange: "a stage without a stall",
  };
}

export function decideMismatchGate({ to, others }: Evidence): GateEvaluation {
  const hasNone = to.mismatches === 0;
  return {
    gate: "schema-mismatches",
    outcome: hasNone ? "pass" : "fail",
    value: to.mismatches,
    limit: 0,
    sample: to.finished,
    othersSample: others.finished,
    sentence: `it handed back ${hasNone ? "no job" : `${to.mismatches} of its jobs`} as unreadable`,
    wouldChange: hasNone ? "one unreadable job" : "a build that reads what it declares",
  };
}

/**
 * Jobs created by completed ones. From 1 on each job leaves more than itself behind and no number of workers will do.
 * Handlers create several at once, so single jobs are counted by the clump: the bound is that of a Poisson mean.
 */
export function decideCriticalityGate(
  { to, others, isPast }: Evidence,
  policy: RolloutPolicy,
): GateEvaluation {
  const { fanOutMax, errorRate } = policy;
  const value = to.completed === 0 ? null : to.created / to.completed;
  const othersValue = others.completed === 0 ? 0 : others.created / others.completed;
  const said = {
    gate: "criticality",
    value,
    limit: 1,
    sample: to.completed,
    othersSample: others.completed,
  };
  const sentence =
    value === null
      ? `it completed no job and created ${to.created}`
      : `its jobs create ${value.toFixed(2)} jobs each, the others' ${othersValue.toFixed(2)}`;
  if ((value === null && to.created === 0) || (value !== null && value < 1)) {
    return { ...said, outcome: "pass", sentence, wouldChange: "one created for each that is completed" };
  }
  const clumps = { hits: to.created / fanOutMax, trials: Math.max(to.completed, 1) };
  const lowest = lowestMean(clumps, errorRate * HALT_SHARE_SUSPECT) * fanOutMax;
  const isAlone = isPast || othersValue < 1;
  return {
    ...said,
    outcome: lowest >= 1 && isAlone ? "fail" : "inconclusive",
    sentence: `${sentence}: at least ${lowest.toFixed(2)}`,
    wouldChange: "fewer jobs created than completed",
  };
}
