/**
 * Which stage comes next, and whether it may open: a share of slots, the emission gate, or none any more.
 *
 * Pure. The contract check is asked anew at every opening, whatever bypass is in force.
 */

import type { RolloutPolicy } from "#shared/rollout/rollout-policy";
import { bypassAfterStage, bypassInForce } from "./decide-bypass.ts";
import { type Change, changed, missing, type Outcome, stayed } from "./decide-change.ts";
import { baselineOf, difference, sum } from "./decide-evidence.ts";
import type { Rollout, RolloutStage, Tally } from "./rollout-document.ts";
import type { ContractView, RolloutObservation } from "./rollout-observation.ts";

/** A type's gate goes up by one read group in a rollout. */
const READ_GROUPS_UP_MAX = 1;

export interface Opening {
  readonly observation: RolloutObservation;
  readonly policy: RolloutPolicy;
  readonly nowMs: number;
  readonly evaluations: Outcome["evaluations"];
}

/** Opens what comes after the present stage (the first step when there is none). */
export function openNext(rollout: Rollout, opening: Opening): Outcome {
  const { observation, nowMs, evaluations, policy } = opening;
  if (observation.contract === null) return missing(rollout, "whether every lane keeps a reader");
  const blocker = contractBlocker(observation.contract);
  if (blocker !== null) {
    const sentence = `the next stage stays shut: ${blocker}`;
    return stayed(rollout, { code: "contract", sentence, wouldChange: "a reader for it", evaluations });
  }
  const next = nextStage(rollout, policy, nowMs);
  const reference = withStage(rollout, observation);
  const bypass = bypassAfterStage(rollout, nowMs);
  if (next === null) {
    const sentence = `${rollout.to} has all slots, and its gates passed`;
    const patch = { state: "current" as const, stage: null, bypass: null, reference, currentAtMs: nowMs };
    return changed(rollout, patch, { nowMs, code: "current", sentence, evaluations });
  }
  const baseline = baselineOf(observation.to, observation.from);
  const isEmission = next.kind === "emission";
  const change: Change = {
    nowMs,
    code: isEmission ? "raise-gate" : "open-step",
    sentence: isEmission
      ? `the gate of ${rollout.gates.map(({ type }) => type).join(", ")} is raised`
      : `step ${next.step + 1} of ${policy.steps.length} opens at ${(policy.steps[next.step] ?? 0) * 100} % of slots`,
    evaluations,
  };
  const stage = { ...next, baseline };
  const gateRaised = rollout.gateRaised || isEmission;
  return changed(rollout, { state: "soaking", stage, bypass, reference, gateRaised, probe: null }, change);
}

export function contractBlocker({ lanesWithoutReader, readGroupsUp }: ContractView): string | null {
  const [lane] = lanesWithoutReader;
  if (lane !== undefined) return `lane ${lane} would be left without a reader`;
  if (readGroupsUp <= READ_GROUPS_UP_MAX) return null;
  return `a type would jump ${readGroupsUp} versions; one at a time`;
}

function nextStage(rollout: Rollout, { steps }: RolloutPolicy, nowMs: number): RolloutStage | null {
  const { stage } = rollout;
  const last = steps.length - 1;
  const shareBefore = stage === null ? 0 : (steps[stage.step] ?? 1);
  const opened = { shareBefore, nowMs };
  if (stage?.kind === "emission") return null;
  if (stage !== null && stage.step >= last) {
    return rollout.gates.length === 0 ? null : newStage({ kind: "emission", step: steps.length, ...opened });
  }
  const following = stage === null ? 0 : stage.step + 1;
  const step = bypassInForce(rollout, nowMs).skipsSteps ? last : following;
  return newStage({ kind: "share", step, ...opened });
}

function newStage({
  kind,
  step,
  shareBefore,
  nowMs,
}: Pick<RolloutStage, "kind" | "step" | "shareBefore"> & { readonly nowMs: number }): RolloutStage {
  return {
    kind,
    step,
    shareBefore,
    phase: kind === "share" ? "starting" : "raising",
    openedAtMs: nowMs,
    phaseSinceMs: nowMs,
    extensions: 0,
    baseline: null,
    handedBack: false,
  };
}

/** The reference with what the others ran in the stage that closes. */
function withStage({ stage, reference }: Rollout, observation: RolloutObservation): Tally {
  const later = observation.from.tally;
  const earlier = stage?.baseline?.others;
  const ran = later === null || earlier === undefined ? null : difference(later, earlier);
  return ran === null ? reference : sum(reference, ran);
}
