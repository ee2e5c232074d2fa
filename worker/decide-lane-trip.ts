/**
 * For how long a build stops taking from a lane in which its own upcaster has failed: the lane is tripped.
 *
 * Pure. The first trip lasts 30 s, each further one in a row twice as long, up to 10 minutes; of every
 * length up to a fifth is drawn off. Once its time is over the lane is half-open: taking is tried again,
 * a job that is read closes the trip, one that is not trips the lane for longer. A failure while the
 * trip is in force changes nothing: that job was taken before taking had stopped.
 *
 * Only a defect of the build counts, never a job that is poison, too new or foreign; that is seen to by
 * the caller. Times are Redis', so that all workers of a release mean the same moment.
 */

const TRIP_MS_MIN = 30_000;
const TRIP_MS_MAX = 600_000;

/** Share of a length that may be drawn off. With more, the sixth trip (600 s) could be shorter than the fifth (480 s). */
const JITTER = 0.2;

/** The lane's last trip that no success has closed. */
export interface EarlierTrip {
  /** Trips in a row, this one included, from 1. */
  readonly failures: number;
  /** Until when nothing is taken, in milliseconds since the Unix epoch. */
  readonly untilMs: number;
}

export interface FailureNow {
  /** Milliseconds since the Unix epoch. */
  readonly nowMs: number;
  /** A draw in [0, 1). */
  readonly random: number;
}

/** `in-force`: the earlier trip stands as it is. */
export type LaneTripDecision = EarlierTrip & { readonly kind: "trip" | "in-force" };

/** @param earlier `null` when there was none, or a success has closed it. */
export function decideLaneTrip(earlier: EarlierTrip | null, { nowMs, random }: FailureNow): LaneTripDecision {
  if (earlier !== null && nowMs < earlier.untilMs) {
    return { kind: "in-force", failures: earlier.failures, untilMs: earlier.untilMs };
  }
  const failures = (earlier?.failures ?? 0) + 1;
  const lengthMs = Math.min(TRIP_MS_MAX, TRIP_MS_MIN * 2 ** Math.min(failures - 1, 16));
  return { kind: "trip", failures, untilMs: nowMs + Math.round(lengthMs * (1 - JITTER * random)) };
}
