/**
 * What becomes of a job that this build must not run: back into the lane for another build, or parked.
 *
 * Pure. The delay doubles from 1 s to 60 s with a jitter of half of it, so that jobs handed back
 * together do not come back together. After `HAND_BACKS_MAX` times (two to four minutes) no build that
 * can read the job is here, and it is parked until one registers. It is never failed.
 */

export type HandBackDecision =
  | { readonly kind: "hand-back"; readonly delayMs: number }
  | { readonly kind: "park" };

export const HAND_BACKS_MAX = 8;

const DELAY_MS_MIN = 1_000;
const DELAY_MS_MAX = 60_000;

/**
 * @param handBacks how often the job was handed back before.
 * @param random a draw in [0, 1).
 */
export function decideHandBack(handBacks: number, random: number): HandBackDecision {
  if (handBacks >= HAND_BACKS_MAX) return { kind: "park" };
  const ceilingMs = Math.min(DELAY_MS_MAX, 2 * DELAY_MS_MIN * 2 ** Math.min(handBacks, 16));
  return { kind: "hand-back", delayMs: Math.round(ceilingMs * (0.5 + random / 2)) };
}
