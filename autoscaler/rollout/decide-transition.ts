/**
 * One step of a rollout: from the stored document and what was seen or asked to the next document, orders and a record.
 *
 * Pure. At most one transition an event, so that one atomic write stores it. The fence: an event names the revision its
 * author had; any other is refused, and so is an observation from before the last change. The caller writes the new
 * document if the stored revision is still the old one, and carries out the orders only after that.
 */

import type { RolloutPolicy } from "#shared/rollout/rollout-policy";
import { type ActRefusal, decideAct, stateOf } from "./decide-act.ts";
import { decideRegistered, decideVerifying } from "./decide-beginning.ts";
import { changed, ITSELF, type Outcome, stayed } from "./decide-change.ts";
import { decideReleaseDrained } from "./decide-drained.ts";
import type { GateEvaluation } from "./decide-gate-words.ts";
import { decideDraining, decideRetired, decideWindow, isFinished } from "./decide-leaving.ts";
import { decideOrders, type Order } from "./decide-orders.ts";
import { decideStage, type Look } from "./decide-stage.ts";
import { decideHalted, decideWayBack } from "./decide-way-back.ts";
import type { Rollout, RolloutState } from "./rollout-document.ts";
import type { OperatorAct, RolloutEvent } from "./rollout-observation.ts";

/** Why it is as it is, with the numbers, as one entry of the decision log. */
export interface RolloutRecord {
  readonly atMs: number;
  readonly rollout: string;
  /** After the event. */
  readonly revision: number;
  readonly from: RolloutState;
  readonly to: RolloutState;
  readonly code: string;
  readonly sentence: string;
  /** `null` when something has changed. */
  readonly wouldChange: string | null;
  readonly by: string;
  readonly evaluations: readonly GateEvaluation[];
}

export type TransitionDecision =
  | {
      readonly kind: "moved" | "stayed";
      readonly rollout: Rollout;
      readonly orders: readonly Order[];
      readonly record: RolloutRecord;
    }
  | {
      readonly kind: "refused";
      readonly code: "stale-revision" | "stale-observation" | ActRefusal;
      readonly reason: string;
    };

export interface TransitionInput {
  readonly policy: RolloutPolicy;
  readonly nowMs: number;
}

export function decideTransition(
  rollout: Rollout,
  event: RolloutEvent,
  { policy, nowMs }: TransitionInput,
): TransitionDecision {
  if (event.revision !== rollout.revision) {
    const reason = `the rollout is at revision ${rollout.revision}, not ${event.revision}; look again`;
    return { kind: "refused", code: "stale-revision", reason };
  }
  if (event.kind === "act") return afterAct(rollout, event.act, { policy, nowMs });
  const { observation } = event;
  if (observation.atMs < rollout.updatedAtMs) {
    const reason = "the observation is older than the rollout's last change; look again";
    return { kind: "refused", code: "stale-observation", reason };
  }
  const outcome = withUnknown(rollout, { observation, policy, nowMs });
  const orders = decideOrders(outcome.rollout, observation, { policy, nowMs });
  return answer(rollout, outcome, { nowMs, by: ITSELF, orders });
}

/** An act orders nothing by itself: the next look does, which the caller makes at once. */
function afterAct(rollout: Rollout, act: OperatorAct, input: TransitionInput): TransitionDecision {
  const decision = decideAct(rollout, { act, ...input });
  if (decision.kind === "refused") return decision;
  return answer(rollout, decision.outcome, { nowMs: input.nowMs, by: act.by, orders: [] });
}

/**
 * Missing facts are noted at once, since they break every hold, and make the state unknown after a while. The first
 * look that has all it needs goes back to the state before; the gap counts for no soak and no deadline.
 */
function withUnknown(rollout: Rollout, look: Look): Outcome {
  const { nowMs, policy } = look;
  const before = { ...rollout, state: stateOf(rollout) };
  const outcome = inItsState(before, look);
  if (!outcome.isMissing)
    return rollout.missingSinceMs === null ? outcome : knownAgain(rollout, outcome, nowMs);
  if (rollout.missingSinceMs === null) {
    const patch = { missingSinceMs: nowMs, quietSinceMs: null };
    return changed(rollout, patch, { nowMs, code: "not-known", sentence: outcome.sentence });
  }
  if (rollout.state !== "unknown" && nowMs - rollout.missingSinceMs >= policy.unknownAfterMs) {
    const patch = { state: "unknown" as const, knownState: rollout.state, quietSinceMs: null };
    return changed(rollout, patch, { nowMs, code: "unknown", sentence: outcome.sentence });
  }
  return { ...outcome, rollout };
}

/** A halt needs no more facts than it has; all else waits for the next look. */
function knownAgain(rollout: Rollout, outcome: Outcome, nowMs: number): Outcome {
  const isHalt = outcome.rollout.state === "halted" && stateOf(rollout) !== "halted";
  const known = { missingSinceMs: null, knownState: null };
  if (isHalt) return { ...outcome, rollout: { ...outcome.rollout, ...known } };
  const { stage } = rollout;
  // What was not seen is not soaked, and no deadline ran.
  const gapMs = nowMs - (rollout.missingSinceMs ?? nowMs);
  const anew = stage === null ? null : { ...stage, phaseSinceMs: stage.phaseSinceMs + gapMs };
  const patch = { ...known, state: stateOf(rollout), stage: anew, quietSinceMs: null };
  return changed(rollout, patch, { nowMs, code: "known", sentence: "what was missing is known again" });
}

function inItsState(rollout: Rollout, look: Look): Outcome {
  const gone = rollout.missingSinceMs === null ? goneDrainer(rollout, look) : null;
  if (gone !== null) return gone;
  switch (rollout.state) {
    case "registered":
      return pausedOr(rollout, () => decideRegistered(rollout, look));
    case "verifying":
      return pausedOr(rollout, () => decideVerifying(rollout, look));
    case "soaking":
      return decideStage(rollout, look);
    case "current":
      return decideWindow(rollout, look);
    case "draining":
      return decideDraining(rollout, look);
    case "drained":
      return isFinished(rollout) ? ended(rollout) : decideRetired(rollout, look);
    case "halted":
      return decideHalted(rollout, look);
    case "rolling-back":
      return decideWayBack(rollout, look);
    case "retired":
    case "unknown":
      return ended(rollout);
  }
}

/** An earlier revision's release that holds nothing any more is forgotten, after the hold. */
function goneDrainer(rollout: Rollout, { observation, nowMs, policy }: Look): Outcome | null {
  const gone = rollout.drainers.find(({ release, sinceMs }) => {
    const view = observation.drainers[release];
    if (view === undefined || nowMs - sinceMs < policy.drainHoldMs) return false;
    return decideReleaseDrained(release, view).kind === "drained";
  });
  if (gone === undefined) return null;
  const drainers = rollout.drainers.filter((it) => it !== gone);
  const sentence = `${gone.release}, of an earlier revision, is drained`;
  return changed(rollout, { drainers }, { nowMs, code: "drainer-gone", sentence });
}

function pausedOr(rollout: Rollout, otherwise: () => Outcome): Outcome {
  if (rollout.paused === null) return otherwise();
  const sentence = `paused: ${rollout.paused.why}`;
  return stayed(rollout, { code: "paused", sentence, wouldChange: "resume, or abort" });
}

function ended(rollout: Rollout): Outcome {
  return stayed(rollout, { code: "ended", sentence: "nothing is left to do", wouldChange: "a new rollout" });
}

function answer(
  rollout: Rollout,
  outcome: Outcome,
  { nowMs, by, orders }: { readonly nowMs: number; readonly by: string; readonly orders: readonly Order[] },
): TransitionDecision {
  const isMoved = outcome.rollout.revision !== rollout.revision;
  return {
    kind: isMoved ? "moved" : "stayed",
    rollout: isMoved ? outcome.rollout : rollout,
    orders,
    record: {
      atMs: nowMs,
      rollout: rollout.id,
      revision: outcome.rollout.revision,
      from: rollout.state,
      to: outcome.rollout.state,
      code: outcome.code,
      sentence: outcome.sentence,
      wouldChange: isMoved ? null : outcome.wouldChange,
      by,
      evaluations: outcome.evaluations,
    },
  };
}
