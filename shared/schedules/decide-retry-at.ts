/** When a refused occurrence is tried again: soon at first, then every five seconds, and once more when its time is over. */

const FIRST_MS = 1_000;
const LATER_MS_MAX = 5_000;

export interface RefusedOccurrence {
  readonly nowMs: number;
  /** How often it was tried, from 1. */
  readonly tries: number;
  /** Beyond this it is given up. */
  readonly triedUntilMs: number;
}

/** In milliseconds since the Unix epoch, after `nowMs`. */
export function decideRetryAt({ nowMs, tries, triedUntilMs }: RefusedOccurrence): number {
  const waitMs = Math.min(LATER_MS_MAX, FIRST_MS * 2 ** Math.min(tries - 1, 10));
  return Math.max(nowMs + 1, Math.min(nowMs + waitMs, triedUntilMs + 1));
}
