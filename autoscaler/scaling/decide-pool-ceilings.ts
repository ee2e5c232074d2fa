/**
 * What keeps a pool from having more workers, beside its workersMax, and what keeps it from having fewer.
 *
 * Pure. A ceiling says how many workers there may be and why; decide-pool.ts applies the lowest and tells of each that
 * cut. Workers that drain are taken back before any is started, so they are room and not growth. A measurement
 * that is not known is no ceiling: it must not keep jobs from being run.
 */
import type { PoolRelease } from "./decide-lane-owners.ts";

export type CeilingName = "downstream-slots-max" | "room-for-workers" | "step-max";

export interface PoolCeiling {
  readonly by: CeilingName;
  /** Workers at most, >= 0. */
  readonly workers: number;
  /** For a person. */
  readonly sentence: string;
}

export interface CeilingFacts {
  readonly releases: readonly PoolRelease[];
  readonly slotsPerWorker: number;
  /** Workers started at most in one look, >= 1. `null`: any number. */
  readonly stepMax: number | null;
  /** Jobs that what the jobs call can serve at once, >= 1. `null`: no such bound. */
  readonly downstreamSlotsMax: number | null;
  /** How many more workers the machine's memory has room for, >= 0. `null`: not known. */
  readonly roomForWorkers: number | null;
}

export function decidePoolCeilings(facts: CeilingFacts): readonly PoolCeiling[] {
  const { releases, slotsPerWorker, stepMax, downstreamSlotsMax, roomForWorkers } = facts;
  const there = releases.reduce((sum, { workers, draining }) => sum + workers + draining, 0);
  const ceilings: PoolCeiling[] = [];
  if (downstreamSlotsMax !== null) {
    ceilings.push({
      by: "downstream-slots-max",
      workers: Math.floor(downstreamSlotsMax / slotsPerWorker),
      sentence: `what the jobs call serves ${downstreamSlotsMax} at once (downstreamSlotsMax), so more workers would not help and the promise may not be kept`,
    });
  }
  if (roomForWorkers !== null) {
    ceilings.push({
      by: "room-for-workers",
      workers: there + roomForWorkers,
      sentence: `the machine's memory has room for ${roomForWorkers} more`,
    });
  }
  if (stepMax !== null) {
    ceilings.push({
      by: "step-max",
      workers: there + stepMax,
      sentence: `at most ${stepMax} are started in one look (stepMax)`,
    });
  }
  return ceilings;
}
