/**
 * How many jobs may wait in a queue before a new one is refused.
 *
 * Three bounds, of which the tightest holds: waiting jobs, their bytes, and how long the last of them would
 * wait at the measured rate. What is not measured bounds nothing: unknown is not zero. The lower a job's
 * priority, the earlier it is refused, so that a flood of what can wait leaves room for what cannot.
 */
import type { Priority } from "../envelope.ts";
import type { QueueLimits } from "../limits/limits-document.ts";

/** What bounds a queue's backlog. */
export type BacklogBounds = Pick<QueueLimits, "depthMax" | "bytesMax" | "waitMaxMs">;

export interface QueueLoad {
  /** Jobs taken per second while others waited; `null` when not measured lately. */
  readonly drainPerSec: number | null;
  /** Mean size of an envelope; `null` before the first. */
  readonly meanBytes: number | null;
}

export interface Room {
  /** Waiting jobs from which on a job is refused; 0: always. */
  readonly depthMax: number;
  readonly limitedBy: "depth" | "bytes" | "wait";
}

/** The share of a queue's room that jobs of a priority may fill. */
const SHARES: Readonly<Record<Priority, number>> = { critical: 1, high: 0.95, normal: 0.9, low: 0.6 };

export function decideRoom(bounds: BacklogBounds, load: QueueLoad, priority: Priority): Room {
  const { depthMax, bytesMax, waitMaxMs } = bounds;
  const byBytes = load.meanBytes === null ? Number.POSITIVE_INFINITY : bytesMax / Math.max(1, load.meanBytes);
  const byWait =
    load.drainPerSec === null ? Number.POSITIVE_INFINITY : (load.drainPerSec * waitMaxMs) / 1_000;
  const whole = Math.min(depthMax, byBytes, byWait);
  const limitedBy = whole === depthMax ? "depth" : whole === byBytes ? "bytes" : "wait";
  // A bound of 0 closes the queue; any other leaves room for one.
  const least = whole > 0 ? 1 : 0;
  return { depthMax: Math.max(least, Math.floor(whole * SHARES[priority])), limitedBy };
}
