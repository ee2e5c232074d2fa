/**
 * How many more workers the machine's memory has room for.
 *
 * Pure. A tenth of the memory, up to half a gigabyte, is left alone: for Redis, for the jobs that the workers take,
 * and for everything else that lives there.
 */

const SHARE_LEFT_ALONE = 0.1;
const BYTES_LEFT_ALONE_MAX = 512 * 1_048_576;

/** A worker that has not yet been given work grows. */
const GROWTH = 1.25;

export interface RoomFacts {
  /** What processes may still take, in bytes. */
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** Resident memory of the pool's workers that are up, in bytes each. */
  readonly workerBytes: readonly number[];
  /** Workers that have just been started and have not taken their memory yet. */
  readonly starting: number;
}

/** `null`: not known, because no worker of the pool is up. */
export function decideRoomForWorkers(facts: RoomFacts): number | null {
  const { freeBytes, totalBytes, workerBytes, starting } = facts;
  if (workerBytes.length === 0) return null;
  const mean = workerBytes.reduce((sum, it) => sum + it, 0) / workerBytes.length;
  const leftAlone = Math.min(BYTES_LEFT_ALONE_MAX, SHARE_LEFT_ALONE * totalBytes);
  const room = Math.floor((freeBytes - leftAlone) / Math.max(1, mean * GROWTH)) - starting;
  return Math.max(0, room);
}
