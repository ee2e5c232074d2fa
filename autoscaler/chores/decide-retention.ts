/**
 * What is removed although it could be kept longer, and what is not: when memory runs low, and beyond the bounds of what
 * is kept for people.
 */
import type { HeldJobs, SucceededJobs } from "#shared/redis/chore-store";
import type { MemoryUse } from "#shared/redis/memory-watch";

/** Shares of Redis' `maxmemory`. */
export interface CleaningPolicy {
  /** Above it succeeded jobs begin to be removed. */
  readonly above: number;
  /** Below it they are kept again; less than `above`. */
  readonly until: number;
}

/** Jobs removed in one round. */
export const CLEANED_A_ROUND_MAX = 1_000;

/** Quarantined jobs are kept for two weeks, and so many. */
export const HELD_MS_MAX = 14 * 86_400_000;
export const HELD_MAX = 10_000;

/** Whether succeeded jobs are to be removed now. Without a limit of memory, or unmeasured, none are. */
export function decideCleaning(
  { usedBytes, maxBytes }: MemoryUse,
  { above, until }: CleaningPolicy,
  wasCleaning: boolean,
): boolean {
  if (maxBytes <= 0) return false;
  const share = usedBytes / maxBytes;
  return share > above || (wasCleaning && share >= until);
}

export interface CleanStep {
  readonly place: string;
  readonly max: number;
}

/** Where to remove how many: from the place whose oldest is the oldest first, at most `CLEANED_A_ROUND_MAX` together. */
export function decideCleanSteps(succeeded: readonly SucceededJobs[]): readonly CleanStep[] {
  const steps: CleanStep[] = [];
  let left = CLEANED_A_ROUND_MAX;
  const byAge = succeeded.toSorted((a, b) => (a.oldestMs ?? 0) - (b.oldestMs ?? 0));
  for (const { place, count } of byAge) {
    const max = Math.min(count, left);
    if (max > 0) steps.push({ place, max });
    left -= max;
  }
  return steps;
}

/** Ids of quarantined jobs beyond their bounds, oldest first. One whose age nothing tells goes by number only. */
export function decideQuarantineRemoval({ count, oldest }: HeldJobs, nowMs: number): readonly string[] {
  const beyond = Math.max(0, count - HELD_MAX);
  return oldest
    .filter(({ heldSinceMs }, index) => index < beyond || isTooOld(heldSinceMs, nowMs))
    .map(({ jobId }) => jobId);
}

/** Parked jobs are never removed: that they are beyond the same bounds is an alarm. */
export function isParkedAlarm({ count, oldest }: HeldJobs, nowMs: number): boolean {
  return count > HELD_MAX || oldest.some(({ heldSinceMs }) => isTooOld(heldSinceMs, nowMs));
}

function isTooOld(heldSinceMs: number | null, nowMs: number): boolean {
  return heldSinceMs !== null && nowMs - heldSinceMs > HELD_MS_MAX;
}
