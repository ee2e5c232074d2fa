/**
 * Is this worker stuck: connected, free, with work waiting, and starting nothing?
 *
 * Pure. A queue client can fall silent without an error; a worker that is alive but takes nothing
 * is worse than a dead one, because nobody replaces it.
 */

/** Waiting work and a free slot, and nothing started for this long. Longer than any reconnect. */
export const STUCK_AFTER_MS = 30_000;

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
