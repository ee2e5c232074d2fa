/**
 * Whether the jobs of a lane have somebody who will run them.
 *
 * Pure. A live release is not enough: it must have a worker that takes from the lane, or be able to get
 * one. Where workers subscribe to the lane they alone are judged; where none does, those that can be
 * started for it are. A trip counts until a success has closed it, so that the alarm does not come and go
 * with every trial.
 */

/** A live release that reads the lane. */
export interface LaneReader {
  readonly release: string;
  /** Its workers that take from the lane, will soon, or are only kept from it by a trip. Draining ones do not. */
  readonly subscribers: number;
  /** A worker of it would be started for the lane. */
  readonly startable: boolean;
  /** Its own upcaster fails there; half-open too. */
  readonly tripped: boolean;
}

/**
 * `orphaned`: nobody reads the jobs that are there. `tripped`: whoever reads them fails to.
 * `null`: no jobs, or somebody runs them.
 */
export type LaneAlarm = "orphaned" | "tripped" | null;

/** @param jobs in every state but finished, those that wait for a time included. */
export function decideLaneAlarm(jobs: number, readers: readonly LaneReader[]): LaneAlarm {
  if (jobs === 0) return null;
  const subscribed = readers.filter(({ subscribers }) => subscribers > 0);
  const able = subscribed.length > 0 ? subscribed : readers.filter(({ startable }) => startable);
  if (able.length === 0) return "orphaned";
  return able.every(({ tripped }) => tripped) ? "tripped" : null;
}
