/**
 * How soon rollouts are looked at again: not with the tick alone, so that a bad release stops soon and "drained" is told
 * soon after the last job.
 *
 * Pure. A rollout that nothing is due of (finished, paused, its window open) waits for the tick.
 */
import { stateOf } from "../rollout/decide-act.ts";
import { isFinished } from "../rollout/decide-leaving.ts";
import type { Rollout } from "../rollout/rollout-document.ts";

/** While something drains, and right after a change, since the next one may be due already. */
export const DRAIN_PACE_MS = 250;
export const ACTIVE_PACE_MS = 1_000;

/** @param moved the last look has changed a rollout. Answers in milliseconds; `null`: the tick is soon enough. */
export function decideRolloutPace(rollouts: readonly Rollout[], moved: boolean): number | null {
  const active = rollouts.filter(isWaitedFor);
  if (active.length === 0) return null;
  return moved || active.some(isDraining) ? DRAIN_PACE_MS : ACTIVE_PACE_MS;
}

function isWaitedFor(rollout: Rollout): boolean {
  if (isFinished(rollout) || stateOf(rollout) === "current") return false;
  // A paused stage is still held against its gates.
  return rollout.paused === null || rollout.stage !== null;
}

function isDraining(rollout: Rollout): boolean {
  const state = stateOf(rollout);
  if (state === "draining") return rollout.quietSinceMs === null;
  return state === "soaking" && rollout.paused === null && rollout.stage?.phase === "draining";
}
