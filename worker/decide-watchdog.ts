/**
 * Is this worker stuck: connected, free, with work waiting, and starting nothing?
 *
 * Pure. A queue client can fall silent without an error; a worker that is alive but takes nothing
 * is worse than a dead one, because nobody replaces it.
 */

/** Waiting work and a free slot, and nothing started for this long. Longer than any reconnect. */
export const STUCK_AFTER_MS = 30_000;

export interface TakingObservation {
  /** Jobs waiting, by lane. */
  readonly backlog: ReadonlyMap<string, number>;
  /** Lanes that nothing is taken from on purpose, tripped or held: their backlog is no sign of being stuck. */
  readonly trippedLanes: readonly string[];
  /** Whether the worker wants to take jobs at all. */
  readonly taking: boolean;
  readonly freeSlots: number;
}

/** Whether a job should start any moment now. */
export function couldTake({ backlog, trippedLanes, taking, freeSlots }: TakingObservation): boolean {
  const waiting = [...backlog].some(([lane, jobs]) => jobs > 0 && !trippedLanes.includes(lane));
  return waiting && taking && freeSlots > 0;
}

export interface WatchdogObservation {
  /** Monotonic. */
  readonly nowMs: number;
  /** Since when there has been waiting work, a free slot and the wish to take; `null` when one is missing. */
  readonly couldTakeSinceMs: number | null;
  /** When a job last started, `null` when none has. */
  readonly lastStartedMs: number | null;
}

export function decideWatchdog(observation: WatchdogObservation): "ok" | "stuck" {
  const { nowMs, couldTakeSinceMs, lastStartedMs } = observation;
  if (couldTakeSinceMs === null) return "ok";
  const quietSinceMs = Math.max(couldTakeSinceMs, lastStartedMs ?? 0);
  return nowMs - quietSinceMs >= STUCK_AFTER_MS ? "stuck" : "ok";
}
