/**
 * How fast a queue's jobs are taken, from what admissions see of it: jobs taken between two looks are those
 * admitted between them less what the backlog has grown by.
 *
 * Only stretches in which jobs waited all the time count: when none waits, the rate is that of arrivals
 * and says nothing of what the fleet can do. Pure: the caller keeps the state.
 */

export interface DrainLook {
  readonly atMs: number;
  /** Jobs waiting. */
  readonly depth: number;
  /** Jobs ever admitted to wait. */
  readonly admitted: number;
}

export interface DrainEstimate {
  /** Looks of the present stretch, oldest first. */
  readonly looks: readonly DrainLook[];
  /** The newest rate that could be measured; `null` before the first. */
  readonly measured: { readonly perSec: number; readonly atMs: number } | null;
}

export const NO_DRAIN_ESTIMATE: DrainEstimate = { looks: [], measured: null };

/** Looks closer together than this add nothing. */
const LOOK_INTERVAL_MS = 200;

/** The rate is that of the last this many milliseconds. */
const WINDOW_MS = 5_000;

/** A stretch shorter than this is not measured. */
const STRETCH_MIN_MS = 1_000;

/** A rate older than this says nothing of now: the fleet may be another. */
const FORGET_AFTER_MS = 60_000;

export function withDrainLook(estimate: DrainEstimate, look: DrainLook): DrainEstimate {
  const last = estimate.looks.at(-1);
  if (look.depth <= 0) return estimate.looks.length === 0 ? estimate : { ...estimate, looks: [] };
  if (last === undefined || look.atMs < last.atMs || look.admitted < last.admitted) {
    return { ...estimate, looks: [look] };
  }
  if (look.atMs - last.atMs < LOOK_INTERVAL_MS) return estimate;
  const kept = estimate.looks.filter((_it, index, all) => {
    const next = all[index + 1] ?? look;
    return look.atMs - next.atMs < WINDOW_MS;
  });
  const looks = [...kept, look];
  const [first = look] = looks;
  const lengthMs = look.atMs - first.atMs;
  if (lengthMs < STRETCH_MIN_MS) return { ...estimate, looks };
  const taken = look.admitted - first.admitted - (look.depth - first.depth);
  // Nothing is taken: by a fleet at zero, or a paused one, which says nothing of what it can do.
  if (taken <= 0) return { looks, measured: null };
  return { looks, measured: { perSec: (taken * 1_000) / lengthMs, atMs: look.atMs } };
}

/** Jobs taken per second while others waited; `null` when not measured lately. */
export function drainPerSec({ measured }: DrainEstimate, nowMs: number): number | null {
  return measured === null || nowMs - measured.atMs > FORGET_AFTER_MS ? null : measured.perSec;
}
