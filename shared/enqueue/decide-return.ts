/**
 * When a refused job is told to come back.
 *
 * A place is free once the backlog has shrunk below the bound, and every job refused before has been promised
 * a place too: so each next one is told a place later, and those who obey do not come all at once. The
 * promises run out by themselves as their times pass.
 */

export interface ReturnFacts {
  /** Monotonic. */
  readonly nowMs: number;
  /** Jobs that must be taken before there is a place. */
  readonly ahead: number;
  /** Jobs taken per second; `null` when not measured. */
  readonly drainPerSec: number | null;
  /** When the last place that was promised comes free; `null` when none was. */
  readonly promisedUntilMs: number | null;
}

export interface ReturnDecision {
  readonly retryAfterMs: number;
  /** What is promised from now on. */
  readonly promisedUntilMs: number;
}

/** Told when nothing is measured. */
export const UNMEASURED_MS = 2_000;

/** Nobody is sent away for longer: by then the fleet is another. */
const RETRY_AFTER_MS_MAX = 120_000;

const RETRY_AFTER_MS_MIN = 100;

export function decideReturn({ nowMs, ahead, drainPerSec, promisedUntilMs }: ReturnFacts): ReturnDecision {
  if (drainPerSec === null || drainPerSec <= 0) {
    return { retryAfterMs: UNMEASURED_MS, promisedUntilMs: promisedUntilMs ?? nowMs };
  }
  const placeMs = Math.min(RETRY_AFTER_MS_MAX, 1_000 / drainPerSec);
  const fromMs = Math.max(nowMs + Math.max(0, ahead - 1) * placeMs, promisedUntilMs ?? nowMs);
  const untilMs = Math.min(fromMs + placeMs, nowMs + RETRY_AFTER_MS_MAX);
  return { retryAfterMs: Math.max(RETRY_AFTER_MS_MIN, untilMs - nowMs), promisedUntilMs: untilMs };
}
