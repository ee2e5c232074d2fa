/**
 * What an operator's bypass leaves out at this moment. Pure.
 *
 * No bypass leaves out the contract check or the drain. `force` shortens a drain by taking the jobs back at once; the
 * next step still waits until nothing is in flight.
 */
import type { Rollout } from "./rollout-document.ts";

export interface InForce {
  /** The rest of the soak, and the wait for evidence. */
  readonly skipsSoak: boolean;
  /** The steps between here and the last. */
  readonly skipsSteps: boolean;
  /** A gate that fails. */
  readonly skipsGates: boolean;
  readonly handsBackNow: boolean;
}

export function bypassInForce({ bypass }: Pick<Rollout, "bypass">, nowMs: number): InForce {
  const isForce = bypass?.kind === "force" && (bypass.expiresAtMs ?? 0) > nowMs;
  return {
    skipsSoak: bypass?.kind === "promote" || bypass?.kind === "full" || isForce,
    skipsSteps: bypass?.kind === "full",
    skipsGates: isForce,
    handsBackNow: isForce,
  };
}

/** A promotion ends with the step that it opened, a force at its time. */
export function bypassAfterStage({ bypass }: Pick<Rollout, "bypass">, nowMs: number): Rollout["bypass"] {
  const isOver =
    bypass?.kind === "promote" || (bypass?.kind === "force" && (bypass.expiresAtMs ?? 0) <= nowMs);
  return isOver ? null : bypass;
}
