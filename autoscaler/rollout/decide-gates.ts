/**
 * What all health gates of a stage say together.
 *
 * Pure. One that fails makes it fail; all have to pass for a pass; a single bad worker of a release that is good
 * without it makes it `hold`: the worker is named, and the stage is watched anew without it. To be asked at every look:
 * a fail halts at any moment, a pass counts only when the soak is over.
 */

import type { RolloutPolicy } from "#shared/rollout/rollout-policy";
import type { Evidence } from "./decide-evidence.ts";
import { decideFailureGate } from "./decide-failure-gate.ts";
import {
  decideCriticalityGate,
  decideMismatchGate,
  decidePickupGate,
  decideStallGate,
} from "./decide-flow-gates.ts";
import type { GateEvaluation } from "./decide-gate-words.ts";
import { decideRunGate } from "./decide-run-gate.ts";
import { decideBadWorkers, decideSuspects, isCleared } from "./decide-suspects.ts";
import type { Rollout, Suspect } from "./rollout-document.ts";
import type { ComponentTally } from "./rollout-observation.ts";

export type GatesDecision =
  | { readonly kind: "pass" | "inconclusive"; readonly evaluations: readonly GateEvaluation[] }
  | {
      readonly kind: "fail";
      readonly evaluations: readonly GateEvaluation[];
      /** The first gate that failed. */
      readonly failed: GateEvaluation;
      readonly suspects: readonly Suspect[];
    }
  | {
      readonly kind: "hold";
      readonly evaluations: readonly GateEvaluation[];
      readonly worker: Suspect;
    };

export interface GatesInput {
  readonly evidence: Evidence;
  readonly components: readonly ComponentTally[];
  readonly policy: RolloutPolicy;
}

/** Gates whose failure one bad worker can explain. */
const OF_WORKERS = new Set(["failures", "stalls"]);

export function decideGates(rollout: Rollout, { evidence, components, policy }: GatesInput): GatesDecision {
  const evaluations = [
    decideMismatchGate(evidence),
    decideFailureGate(evidence, policy),
    decideRunGate(evidence, policy),
    decideStallGate(evidence),
    decideCriticalityGate(evidence, policy),
    decidePickupGate(evidence, policy),
  ];
  const failed = evaluations.find(({ outcome }) => outcome === "fail");
  if (failed === undefined || OF_WORKERS.has(failed.gate)) {
    const worker = quarantinable(rollout, evidence, { policy, isFailing: failed !== undefined });
    if (worker !== null) return { kind: "hold", evaluations, worker };
  }
  if (failed !== undefined) {
    const suspects = decideSuspects(rollout.to, evidence, { components, policy });
    return { kind: "fail", evaluations, failed, suspects };
  }
  const passed = evaluations.every(({ outcome }) => outcome === "pass");
  return { kind: passed ? "pass" : "inconclusive", evaluations };
}

/** The bad worker, if the rest of the release is good and it is not the second of this step. */
function quarantinable(
  rollout: Rollout,
  evidence: Evidence,
  { policy, isFailing }: { readonly policy: RolloutPolicy; readonly isFailing: boolean },
): Suspect | null {
  const bad = decideBadWorkers(evidence.workers, policy, isFailing);
  const [worst] = bad;
  if (worst === undefined) return null;
  const before = rollout.quarantined.filter(({ step }) => step === rollout.stage?.step).length;
  if (before + bad.length > policy.badWorkersMax) return null;
  return isCleared(evidence, bad, policy) ? worst : null;
}
