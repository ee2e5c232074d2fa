/**
 * Whether more workers of a release may be started after some of them have ended at birth.
 *
 * Pure. Each failure in a row makes the next start wait longer. After `FAILURES_TO_OPEN` of them the circuit is open:
 * when its time is over, one worker is tried at a time, and the first that is heard of closes it.
 */

/** Failures in a row that open the circuit. */
export const FAILURES_TO_OPEN = 5;

const WAIT_MS_MIN = 1_000;
const WAIT_MS_MAX = 60_000;

export interface StartCircuit {
  /** Workers in a row that ended at birth. */
  readonly failures: number;
  /** Nothing is started before, of any clock that only rises; 0 when nothing has failed. */
  readonly notBeforeMs: number;
  /** How the last one ended, in a few words; `null` when nothing has failed. */
  readonly lastEnd: string | null;
}

export const CLOSED_CIRCUIT: StartCircuit = { failures: 0, notBeforeMs: 0, lastEnd: null };

export type StartPermission =
  | { readonly kind: "free" }
  /** Half-open: one may be started. */
  | { readonly kind: "trial" }
  /** Nothing may be started yet. */
  | { readonly kind: "wait"; readonly state: "backing-off" | "open" | "half-open"; readonly waitMs: number };

/**
 * @param nowMs of the same clock as `notBeforeMs`. @param unheard workers of the release that were started and not
 * heard of yet.
 */
export function decideStart(circuit: StartCircuit, nowMs: number, unheard: number): StartPermission {
  if (circuit.failures === 0) return { kind: "free" };
  const isOpen = circuit.failures >= FAILURES_TO_OPEN;
  const waitMs = circuit.notBeforeMs - nowMs;
  if (waitMs > 0) return { kind: "wait", state: isOpen ? "open" : "backing-off", waitMs };
  if (!isOpen) return { kind: "free" };
  return unheard === 0 ? { kind: "trial" } : { kind: "wait", state: "half-open", waitMs: 0 };
}

/** A worker has ended at birth. @param end how, in a few words. */
export function afterFailedStart(circuit: StartCircuit, nowMs: number, end: string): StartCircuit {
  const failures = circuit.failures + 1;
  return { failures, notBeforeMs: nowMs + decideStartWait(failures), lastEnd: end };
}

/** A worker could not come up for a reason that is not the release's: try again soon, and count nothing. */
export function afterHinderedStart(circuit: StartCircuit, nowMs: number, end: string): StartCircuit {
  const notBeforeMs = Math.max(circuit.notBeforeMs, nowMs + WAIT_MS_MIN);
  return circuit.failures === 0 ? circuit : { ...circuit, notBeforeMs, lastEnd: end };
}

/** Doubles from a second to a minute. @param failures workers in a row that ended at birth. */
export function decideStartWait(failures: number): number {
  if (failures === 0) return 0;
  return Math.min(WAIT_MS_MAX, WAIT_MS_MIN * 2 ** Math.min(failures - 1, 10));
}
