/**
 * How a pool's bounds share workers out to its releases.
 *
 * Pure. What is wanted comes from decide-pool.ts; here it meets workersMin and workersMax. Claims are
 * served in order, each as far as the room goes, so that a weaker one never displaces a stronger:
 *
 * 1. what may not be taken away because a lane could not be observed (this alone may exceed workersMax);
 * 2. one reader for every lane with work;
 * 3. what is wanted now;
 * 4. workersMin;
 * 5. what was wanted lately and is still there.
 *
 * Within a claim the smallest release is served first, which is to cut the largest first.
 */

import { newestFirst, type PoolLane, type PoolRelease, readsLane } from "./decide-lane-owners.ts";

/** Whole workers >= 0 by release id; a release that is missing has none. */
export type WorkerCounts = ReadonlyMap<string, number>;

export interface WorkerClaims {
  readonly lanes: readonly PoolLane[];
  readonly releases: readonly PoolRelease[];
  /** May not be taken away, whatever workersMax says. Empty when every lane was observed. */
  readonly kept: WorkerCounts;
  /** Needed by the lanes now. */
  readonly wanted: WorkerCounts;
  /** Not needed now, but too early to take away. */
  readonly held: WorkerCounts;
  readonly workersMin: number;
  readonly workersMax: number;
}

export interface WorkerShares {
  /** Every release of the claims is named. */
  readonly desired: WorkerCounts;
  /** Workers that only workersMin asked for. */
  readonly raisedByMin: number;
  /** Workers that are there only because they were wanted lately. */
  readonly heldBeyond: number;
  /** Lanes with work that have a live reader, but none for which workersMax left room. */
  readonly uncoveredLanes: readonly string[];
}

export function decideWorkerShares(claims: WorkerClaims): WorkerShares {
  const { lanes, workersMin, workersMax } = claims;
  const releases = claims.releases.toSorted(newestFirst);
  const live = releases.filter((release) => release.live);
  const working = lanes.filter((lane) => lane.hasWork && live.some((release) => readsLane(release, lane)));
  const raise = (from: WorkerCounts, towards: WorkerCounts, totalMax: number): WorkerCounts =>
    raiseSmallestFirst(releases, { from, towards, totalMax });

  const none = new Map(releases.map(({ release }) => [release, 0]));
  const kept = raise(none, claims.kept, Number.POSITIVE_INFINITY);
  const readers = chooseReaders({
    working,
    live,
    wanted: claims.wanted,
    kept,
    room: workersMax - total(kept),
  });
  const covered = raise(kept, new Map(readers.map(({ release }) => [release, 1])), workersMax);
  const needed = raise(covered, claims.wanted, workersMax);
  const warm = raise(needed, withMinimum(needed, live[0], workersMin), workersMax);
  const desired = raise(warm, claims.held, workersMax);

  const running = live.filter(({ release }) => (desired.get(release) ?? 0) > 0);
  return {
    desired,
    raisedByMin: total(warm) - total(needed),
    heldBeyond: total(desired) - total(warm),
    uncoveredLanes: unread(working, running).map(({ lane }) => lane),
  };
}

export function total(counts: WorkerCounts): number {
  let sum = 0;
  for (const count of counts.values()) sum += count;
  return sum;
}

interface Raise {
  readonly from: WorkerCounts;
  readonly towards: WorkerCounts;
  /** The total is not raised beyond this; a total that is higher already stays. */
  readonly totalMax: number;
}

/** Raises counts towards higher ones, one by one from the smallest; between equals the newest release first. */
function raiseSmallestFirst(
  releases: readonly PoolRelease[],
  { from, towards, totalMax }: Raise,
): WorkerCounts {
  const counts = new Map(from);
  const targetOf = (release: string): number => Math.max(towards.get(release) ?? 0, from.get(release) ?? 0);
  const targets = new Map(releases.map(({ release }) => [release, targetOf(release)]));
  if (total(targets) <= totalMax) return targets;

  const isOpen = (release: string): boolean => (counts.get(release) ?? 0) < (targets.get(release) ?? 0);
  for (let room = totalMax - total(counts); room > 0; room -= 1) {
    const smallest = smallestOf(counts, isOpen, releases);
    if (smallest === null) break;
    counts.set(smallest, (counts.get(smallest) ?? 0) + 1);
  }
  return counts;
}

function smallestOf(
  counts: WorkerCounts,
  isOpen: (release: string) => boolean,
  releases: readonly PoolRelease[],
): string | null {
  let smallest: string | null = null;
  for (const { release } of releases) {
    if (!isOpen(release)) continue;
    if (smallest === null || (counts.get(release) ?? 0) < (counts.get(smallest) ?? 0)) smallest = release;
  }
  return smallest;
}

/** Counts with the newest live release raised so that the total reaches `workersMin`. */
function withMinimum(
  counts: WorkerCounts,
  newest: PoolRelease | undefined,
  workersMin: number,
): WorkerCounts {
  const missing = workersMin - total(counts);
  if (newest === undefined || missing <= 0) return counts;
  return new Map(counts).set(newest.release, (counts.get(newest.release) ?? 0) + missing);
}

interface Coverage {
  readonly working: readonly PoolLane[];
  readonly live: readonly PoolRelease[];
  readonly wanted: WorkerCounts;
  readonly kept: WorkerCounts;
  readonly room: number;
}

/**
 * Releases that need one worker each so that every lane with work has a reader. Those that are wanted
 * suffice unless the room is too small for them; then any live release that reads more lanes will do.
 */
function chooseReaders({ working, live, wanted, kept, room }: Coverage): readonly PoolRelease[] {
  const keptLive = live.filter(({ release }) => (kept.get(release) ?? 0) > 0);
  const lanes = unread(working, keptLive);
  const wantedLive = live.filter(({ release }) => (wanted.get(release) ?? 0) > 0);

  const chosen = coverGreedily(lanes, wantedLive, room);
  const left = unread(lanes, chosen).length;
  if (left === 0) return chosen;
  const wider = coverGreedily(lanes, live, room);
  return unread(lanes, wider).length < left ? wider : chosen;
}

/** At most `room` releases, each time the one that reads most of the lanes still unread; the newest of equals. */
function coverGreedily(
  lanes: readonly PoolLane[],
  candidates: readonly PoolRelease[],
  room: number,
): readonly PoolRelease[] {
  const chosen: PoolRelease[] = [];
  while (chosen.length < room) {
    const open = unread(lanes, chosen);
    let best: PoolRelease | null = null;
    let bestReads = 0;
    for (const candidate of candidates) {
      const reads = open.filter((lane) => readsLane(candidate, lane)).length;
      if (reads <= bestReads) continue;
      best = candidate;
      bestReads = reads;
    }
    if (best === null) break;
    chosen.push(best);
  }
  return chosen;
}

function unread(lanes: readonly PoolLane[], readers: readonly PoolRelease[]): readonly PoolLane[] {
  return lanes.filter((lane) => !readers.some((release) => readsLane(release, lane)));
}
