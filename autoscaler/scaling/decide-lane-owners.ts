/**
 * Which release the slots of each lane are given to.
 *
 * Pure. Any release may take jobs from every lane it reads; the owner is the one that is started for the
 * lane's sake. It does not split a lane between releases: that is the rollout's.
 */

import type { LaneSlotTerms } from "./decide-lane-change.ts";

/** One lane of the pool, as decide-lane-slots.ts sized it. */
export interface PoolLane {
  /** `<queue>.r<generation>`. */
  readonly lane: string;
  /** The reader generation that the lane is for, from 1. */
  readonly generation: number;
  /** Slots the lane needs, >= 0. `null`: could not be observed. */
  readonly slots: number | null;
  /** A job waits, runs or falls due soon, as far as was seen. */
  readonly hasWork: boolean;
  /** Where the slots came from, for the explanation. `null` when it is not known. */
  readonly terms: LaneSlotTerms | null;
}

/** One release of the pool, live or still with workers. */
export interface PoolRelease {
  readonly release: string;
  /** Its own reader generation, from 1. */
  readonly generation: number;
  /** Every generation it reads; its own may be left out. */
  readonly readsGenerations: readonly number[];
  /** Generations whose lanes it has tripped: it fails to read what is there. */
  readonly trippedGenerations: readonly number[];
  /** Rises with every published release of the pool; the highest is the newest. */
  readonly publishedOrder: number;
  /** False once it is retired: it then owns nothing and its workers leave. */
  readonly live: boolean;
  /** Workers that hold a place: starting, ok or suspect. */
  readonly workers: number;
  /** Those of `workers` that take nothing yet. Missing: not known. */
  readonly starting?: number;
  /** Slots of its workers that take jobs and run nothing. Missing: not known. */
  readonly freeSlots?: number;
  /** Workers that finish what they have and take nothing new. Not among `workers`. */
  readonly draining: number;
}

export interface LaneOwners {
  /** Release id by lane, for each lane that has a live reader. */
  readonly ownerOf: ReadonlyMap<string, string>;
  /** Lanes that have work and that no live release reads. Always an alarm. */
  readonly orphanLanes: readonly string[];
}

export function decideLaneOwners(lanes: readonly PoolLane[], releases: readonly PoolRelease[]): LaneOwners {
  const ownerOf = new Map<string, string>();
  const orphanLanes: string[] = [];
  for (const lane of lanes) {
    const owner = ownerOfLane(lane, releases);
    if (owner !== null) ownerOf.set(lane.lane, owner.release);
    else if (lane.hasWork) orphanLanes.push(lane.lane);
  }
  return { ownerOf, orphanLanes };
}

export function readsLane(release: PoolRelease, lane: PoolLane): boolean {
  return release.generation === lane.generation || release.readsGenerations.includes(lane.generation);
}

/** Highest generation first, then newest. The id breaks ties, so that two observers agree. */
export function newestFirst(a: PoolRelease, b: PoolRelease): number {
  return (
    b.generation - a.generation ||
    b.publishedOrder - a.publishedOrder ||
    (a.release < b.release ? -1 : Number(a.release > b.release))
  );
}

/**
 * The newest live release of the lane's own generation; without one, the nearest that still reads the lane:
 * the lowest generation, then the newest. One that has tripped the lane is started for it only when all
 * readers have. `null` when no live release reads it.
 */
function ownerOfLane(lane: PoolLane, releases: readonly PoolRelease[]): PoolRelease | null {
  const all = releases.filter((release) => release.live && readsLane(release, lane)).sort(newestFirst);
  const sound = all.filter(({ trippedGenerations }) => !trippedGenerations.includes(lane.generation));
  const readers = sound.length > 0 ? sound : all;
  const own = readers.find((release) => release.generation === lane.generation);
  if (own !== undefined) return own;

  const nearest = Math.min(...readers.map((release) => release.generation));
  return readers.find((release) => release.generation === nearest) ?? null;
}
