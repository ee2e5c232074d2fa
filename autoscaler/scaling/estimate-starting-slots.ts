/**
 * When the workers that are on their way will take jobs.
 *
 * Pure. Orders are remembered with the moment at which they should be up; what the fleet shows as starting corrects it: workers
 * that are no longer starting are the oldest ones, and those that nobody remembers are half-way.
 */
import type { StartingSlots } from "./decide-deadline-slots.ts";

/** Workers ordered together. */
export interface StartingWorkers {
  readonly upAtMs: number;
  readonly workers: number;
}

export interface StartsSeen {
  readonly nowMs: number;
  /** Workers that are starting now. */
  readonly starting: number;
  readonly startDelayMs: number;
}

/** The orders that are still under way, oldest first; their sum is what is starting. */
export function followStarts(
  remembered: readonly StartingWorkers[],
  { nowMs, starting, startDelayMs }: StartsSeen,
): readonly StartingWorkers[] {
  const total = remembered.reduce((sum, { workers }) => sum + workers, 0);
  let over = total - starting;
  if (over < 0) return [{ upAtMs: nowMs + startDelayMs / 2, workers: -over }, ...remembered];
  const left: StartingWorkers[] = [];
  for (const { upAtMs, workers } of remembered) {
    const gone = Math.min(over, workers);
    over -= gone;
    if (workers > gone) left.push({ upAtMs, workers: workers - gone });
  }
  return left;
}

/** As slots on their way. One that is overdue is given as long again: the longer it has been, the less it is counted on. */
export function startingSlots(
  starts: readonly StartingWorkers[],
  { nowMs, slotsPerWorker }: { readonly nowMs: number; readonly slotsPerWorker: number },
): StartingSlots[] {
  return starts.map(({ upAtMs, workers }) => ({
    readyInMs: Math.abs(upAtMs - nowMs),
    slots: workers * slotsPerWorker,
  }));
}
