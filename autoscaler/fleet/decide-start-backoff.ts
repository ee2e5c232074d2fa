/**
 * When a release whose workers keep dying at birth may be started again.
 *
 * Pure. Doubles from one second to a minute with every worker in a row that ended before it was ever
 * heard of; one that was heard of clears the count.
 */

const BACKOFF_MS_MIN = 1_000;
const BACKOFF_MS_MAX = 60_000;

/** @param failures workers in a row that ended at birth. */
export function decideStartBackoff(failures: number): number {
  if (failures === 0) return 0;
  return Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** Math.min(failures - 1, 10));
}
