/**
 * What an open stage does: start the new share, drain the old one to nothing in flight, soak, ask the gates.
 *
 * Pure. The order of the phases is the airlock: a stage is watched only when what left has finished, and
 * the next one opens only from the phase `gate`. Failing gates halt in every phase and while paused.
 */

import type { RolloutPolicy } from "#shared/rollout/rollout-policy";
import { bypassInForce } from "./decide-bypass.ts";
import { changed, inPhase, missing, type Outcome, stayed } from "./decide-change.ts";
import { type DrainedDecision, decideShareDrained } from "./decide-drained.ts";
import { baselineOf, decideEvidence } from "./decide-evidence.ts";
import { decideGates, type GatesDecision } from "./decide-gates.ts";
import { decideSplit } from "./decide-split.ts";
import { openNext } from "./decide-stage-opening.ts";
import type { Rollout, RolloutStage } from "./rollout-document.ts";
import type { RolloutObservation } from "./rollout-observation.ts";

export interface Look {
  readonly observation: RolloutObservation;
  readonly policy: RolloutPolicy;
  readonly nowMs: number;
}

interface StageLook extends Look {
  readonly stage: RolloutStage;
  /** What the gates say; `null` while there is no evidence. */
  readonly gates: GatesDecision | null;
}

/** The new release's share of slots in this state of the rollout, 0 to 1. */
export function shareOf({ stage }: Pick<Rollout, "stage">, { steps }: RolloutPolicy): number {
  if (stage === null) return 0;
  return stage.kind === "emission" ? 1 : (steps[stage.step] ?? 1);
}

export function decideStage(rollout: Rollout, look: Look): Outcome {
  const { stage } = rollout;
  if (stage === null) return missing(rollout, "the open stage");
  const { observation, nowMs, policy } = look;
  const seen = decideEvidence(rollout, observation);
  if (seen.kind === "no-baseline") return withBaseline(rollout, stage, look);
  const { components } = observation;
  const gates =
    seen.kind === "evidence" ? decideGates(rollout, { evidence: seen.evidence, components, policy }) : null;
  const halt = gates === null ? null : haltOrHold(rollout, stage, { gates, nowMs });
  if (halt !== null) return halt;
  if (rollout.paused !== null) {
    const sentence = `paused: ${rollout.paused.why}`;
    const evaluations = gates?.evaluations ?? [];
    return stayed(rollout, { code: "paused", sentence, wouldChange: "resume, or abort", evaluations });
  }
  return inItsPhase(rollout, { ...look, stage, gates });
}

function inItsPhase(rollout: Rollout, look: StageLook): Outcome {
  switch (look.stage.phase) {
    case "starting":
      return starting(rollout, look);
    case "draining":
      return draining(rollout, look);
    case "raising":
      return raising(rollout, look);
    case "soaking":
      return soaking(rollout, look);
    case "gate":
      return atGate(rollout, look);
  }
}

/** Counters began anew, or were not known when the stage opened: it is watched from here. */
function withBaseline(rollout: Rollout, stage: RolloutStage, look: Look): Outcome {
  const { observation, nowMs } = look;
  const bad = quarantinedAtWork(rollout, look);
  if (bad !== null) {
    const sentence = `worker ${bad} is quarantined and still runs jobs; the stage is counted when it has none`;
    return stayed(rollout, { code: "quarantine", sentence, wouldChange: "the end of its jobs" });
  }
  const baseline = baselineOf(observation.to, observation.from);
  const isWatched = stage.phase === "soaking" || stage.phase === "gate";
  const watched = isWatched ? inPhase(stage, "soaking", nowMs) : stage;
  const sentence = "the stage is counted from here";
  return changed(rollout, { stage: { ...watched, baseline } }, { nowMs, code: "baseline", sentence });
}

/** What a bad worker still runs counts as the release's: for a while the new count waits until it runs nothing. */
function quarantinedAtWork(rollout: Rollout, { observation, policy, nowMs }: Look): string | null {
  const still = rollout.quarantined.find(
    ({ worker, atMs }) =>
      nowMs - atMs < policy.handBackGraceMs &&
      observation.to.byWorker.some((it) => it.worker === worker && it.isAtWork === true),
  );
  return still?.worker ?? null;
}

function haltOrHold(
  rollout: Rollout,
  stage: RolloutStage,
  { gates, nowMs }: { readonly gates: GatesDecision; readonly nowMs: number },
): Outcome | null {
  const { evaluations } = gates;
  if (gates.kind === "hold") {
    const { worker } = gates;
    const why = `worker ${worker.name} fails ${(worker.rate * 100).toFixed(1)} %, its siblings ${(worker.restRate * 100).toFixed(1)} %`;
    const bad = { worker: worker.name, release: rollout.to, atMs: nowMs, step: stage.step, why };
    // What it ran is in the release's counters: the stage is watched anew without it.
    const isWatched = stage.phase === "soaking" || stage.phase === "gate";
    const anew = { ...(isWatched ? inPhase(stage, "soaking", nowMs) : stage), baseline: null };
    const patch = { stage: anew, quarantined: [...rollout.quarantined, bad] };
    return changed(rollout, patch, { nowMs, code: "quarantine", sentence: why, evaluations });
  }
  if (gates.kind !== "fail" || bypassInForce(rollout, nowMs).skipsGates) return null;
  const { gate, sentence } = gates.failed;
  const halt = { atMs: nowMs, gate, why: sentence, suspects: [...gates.suspects] };
  const patch = { state: "halted" as const, halt, paused: null, bypass: null };
  return changed(rollout, patch, { nowMs, code: "halt", sentence: `${gate}: ${sentence}`, evaluations });
}

function starting(rollout: Rollout, { observation, policy, nowMs, stage }: StageLook): Outcome {
  const { workersWanted, to } = observation;
  if (workersWanted === null) return missing(rollout, "how many workers the pool is to have");
  if (to.taking === null) return missing(rollout, `how many workers of ${rollout.to} take jobs`);
  const wanted = decideSplit(workersWanted, shareOf(rollout, policy)).to;
  if (to.taking >= wanted) {
    const sentence = `${to.taking} workers of ${rollout.to} take jobs; the old share drains`;
    const patch = { stage: inPhase(stage, "draining", nowMs) };
    return changed(rollout, patch, { nowMs, code: "started", sentence });
  }
  const sentence = `${to.taking} of ${wanted} workers of ${rollout.to} take jobs`;
  if (nowMs - stage.phaseSinceMs >= policy.startDeadlineMs) {
    return pause(rollout, nowMs, { code: "workers-missing", sentence });
  }
  return stayed(rollout, { code: "starting", sentence, wouldChange: `${wanted} workers that take jobs` });
}

function draining(rollout: Rollout, look: StageLook): Outcome {
  const { nowMs, policy, stage } = look;
  const drained = oldShare(rollout, look);
  if (drained.kind === "not-known") return missing(rollout, drained.what);
  if (drained.kind === "drained") {
    const sentence = "the old share holds nothing any more; the stage is watched";
    const patch = { stage: inPhase(stage, "soaking", nowMs) };
    return changed(rollout, patch, { nowMs, code: "drained", sentence });
  }
  const sentence = drained.blockers.join("; ");
  const forMs = nowMs - stage.phaseSinceMs;
  const { handsBackNow } = bypassInForce(rollout, nowMs);
  if (!stage.handedBack && (handsBackNow || forMs >= policy.drainDeadlineMs)) {
    const patch = { stage: { ...stage, handedBack: true, phaseSinceMs: nowMs }, shareTakenBack: true };
    return changed(rollout, patch, { nowMs, code: "hand-back", sentence: `taken back: ${sentence}` });
  }
  if (stage.handedBack && forMs >= policy.handBackGraceMs) {
    return pause(rollout, nowMs, { code: "drain-stuck", sentence });
  }
  return stayed(rollout, { code: "draining", sentence, wouldChange: "the end of these jobs" });
}

function raising(rollout: Rollout, { observation, nowMs, policy, stage }: StageLook): Outcome {
  const { activeVersions } = observation;
  if (activeVersions === null) return missing(rollout, "where the gates stand");
  const low = rollout.gates.filter(({ type, wanted }) => (activeVersions[type] ?? 0) < wanted);
  const sentence = `the gate is not yet raised: ${low.map(({ type }) => type).join(", ")}`;
  if (low.length === 0) {
    const patch = { stage: inPhase(stage, "soaking", nowMs) };
    return changed(rollout, patch, { nowMs, code: "gate-raised", sentence: "the gate is raised" });
  }
  if (nowMs - stage.phaseSinceMs >= policy.startDeadlineMs) {
    return pause(rollout, nowMs, { code: "gate-not-raised", sentence });
  }
  return stayed(rollout, { code: "raising", sentence, wouldChange: "slots for the types' load" });
}

function soaking(rollout: Rollout, { gates, nowMs, policy, stage }: StageLook): Outcome {
  const evaluations = gates?.evaluations ?? [];
  if (gates === null) return missing(rollout, "what the releases have run");
  const soakMs = stage.kind === "emission" ? policy.emissionSoakMs : policy.soakMs;
  const leftMs = stage.phaseSinceMs + soakMs - nowMs;
  if (leftMs <= 0 || bypassInForce(rollout, nowMs).skipsSoak) {
    const sentence = "the soak is over; the gates are asked";
    const patch = { stage: inPhase(stage, "gate", nowMs) };
    return changed(rollout, patch, { nowMs, code: "soaked", sentence, evaluations });
  }
  const sentence = `${Math.ceil(leftMs / 1000)} s of the soak are left`;
  return stayed(rollout, { code: "soaking", sentence, wouldChange: "the end of the soak", evaluations });
}

function atGate(rollout: Rollout, look: StageLook): Outcome {
  const { gates, nowMs, policy, stage, observation } = look;
  if (gates === null) return missing(rollout, "what the releases have run");
  const { evaluations } = gates;
  const drained = oldShare(rollout, look);
  if (drained.kind === "not-known") return missing(rollout, drained.what);
  if (drained.kind === "holds") {
    const sentence = drained.blockers.join("; ");
    return stayed(rollout, { code: "leaving", sentence, wouldChange: "the end of these jobs", evaluations });
  }
  if (gates.kind === "pass" || bypassInForce(rollout, nowMs).skipsSoak) {
    return openNext(rollout, { observation, policy, nowMs, evaluations });
  }
  const open = evaluations.filter(({ outcome }) => outcome === "inconclusive");
  const sentence = open.map((it) => `${it.gate}: ${it.sentence}`).join("; ");
  if (stage.extensions >= policy.extensionsMax) {
    return pause(rollout, nowMs, { code: "inconclusive", sentence, evaluations });
  }
  const patch = { stage: { ...inPhase(stage, "soaking", nowMs), extensions: stage.extensions + 1 } };
  return changed(rollout, patch, { nowMs, code: "extend", sentence, evaluations });
}

/** What has to be gone before this stage is watched, and again before the next one opens. */
function oldShare(rollout: Rollout, { observation, policy }: Look): DrainedDecision {
  const share = shareOf(rollout, policy);
  const { workersWanted, from } = observation;
  if (workersWanted === null) return { kind: "not-known", what: "how many workers the pool is to have" };
  return decideShareDrained(rollout.from, from, decideSplit(workersWanted, share).from);
}

function pause(
  rollout: Rollout,
  nowMs: number,
  said: { readonly code: string; readonly sentence: string; readonly evaluations?: Outcome["evaluations"] },
): Outcome {
  const paused = { code: said.code, why: said.sentence.slice(0, 500), by: "rollout", atMs: nowMs };
  return changed(rollout, { paused }, { nowMs, ...said });
}
