/**
 * How many of a lane's slots would be of use, when those who read it fail to.
 *
 * Pure. Where every release that reads a lane has tripped it, or what its jobs call is known to be down, one worker
 * more only fails faster: nobody is added, and one stays to find out when it is over.
 */
import { type PoolLane, type PoolRelease, readsLane } from "./decide-lane-owners.ts";

export interface UsefulFacts {
  readonly lane: PoolLane;
  readonly releases: readonly PoolRelease[];
  /** Slots that are there or on their way for the lane. */
  readonly presentSlots: number;
  /** Lanes whose jobs wait for something that is down. */
  readonly breakersOpen: readonly string[];
}

export interface BreakerClamp {
  readonly lane: string;
  /** Slots. */
  readonly from: number;
  readonly to: number;
  readonly sentence: string;
}

/** `null`: all of its slots are of use, as far as is known. */
export function decideUsefulSlots(facts: UsefulFacts): BreakerClamp | null {
  const { lane, releases, presentSlots, breakersOpen } = facts;
  if (lane.slots === null || lane.slots <= 1) return null;
  const readers = releases.filter((release) => release.live && readsLane(release, lane));
  const tripped = readers.filter(({ trippedGenerations }) => trippedGenerations.includes(lane.generation));
  const allTripped = readers.length > 0 && tripped.length === readers.length;
  const isDown = breakersOpen.includes(lane.lane);
  const to = Math.max(1, presentSlots);
  if (!(allTripped || isDown) || to >= lane.slots) return null;
  const why = isDown ? "what its jobs call is down" : "every release that reads it fails to";
  return {
    lane: lane.lane,
    from: lane.slots,
    to,
    sentence: `lane ${lane.lane}: ${why}, so more workers will not help; ${to} ${to === 1 ? "slot stays" : "slots stay"} to try`,
  };
}
