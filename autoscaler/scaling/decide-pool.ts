/**
 * How many workers each release of a pool should have.
 *
 * Pure. It turns the slots of the lanes into workers of releases, within the pool's bounds, and tells why
 * in a code and a sentence. It does not pick which worker leaves (decide-leavers.ts) and starts nothing.
 *
 * The rules a changer must keep: workers are added at once and taken away only after the hold window; a lane
 * that could not be observed takes no worker away; a lane with work keeps one worker that reads it.
 * Draining workers take nothing new, so they do not count against workersMax.
 */

import { decideClamps, decideHolds, type PoolClamp, type PoolHold } from "./decide-clamps.ts";
import { decideLaneOwners, type LaneOwners, type PoolLane, type PoolRelease } from "./decide-lane-owners.ts";
import type { PoolCeiling } from "./decide-pool-ceilings.ts";
import { explainPool } from "./decide-pool-sentence.ts";
import { type RecentMaximum, type WorkersByRelease, workersOf } from "./decide-recent-maximum.ts";
import { decideWorkerShares, total, type WorkerCounts, type WorkerShares } from "./decide-worker-shares.ts";

export interface PoolObservation {
  readonly observedAtMs: number;
  readonly lanes: readonly PoolLane[];
  /** Live ones, and retired ones that still have workers. */
  readonly releases: readonly PoolRelease[];
  /** What was wanted over the hold window: `holdRecentMaximum(history, nowMs, holdWindowMs(...))`. */
  readonly recent: RecentMaximum;
  /**
   * Bounds beside workersMax.
   * @default none
   */
  readonly ceilings?: readonly PoolCeiling[];
  /**
   * Admission refuses new jobs because Redis is full: while jobs wait, nobody who could empty it is taken away.
   * @default false
   */
  readonly memoryClosed?: boolean;
  /**
   * Workers by release that had nothing to do for so long that they are not held.
   * @default none
   */
  readonly idle?: WorkersByRelease;
}

/** Validated with the configuration, so trusted here. */
export interface PoolPolicy {
  /** Jobs that one worker runs at once, >= 1. */
  readonly slotsPerWorker: number;
  /** >= 0; 0 lets the pool go to zero. */
  readonly workersMin: number;
  /** >= workersMin. */
  readonly workersMax: number;
}

/**
 * Why the total is what it is, the strongest reason only.
 * `lanes-unknown`: a lane could not be observed, nothing is taken away.
 * `redis-memory-closed`: Redis takes no more jobs and some wait, so nothing is taken away.
 * `workers-max`, `workers-min`: a bound decided; with `workers-max` the first of `clamps` says which.
 * `holding-recent-maximum`: wanted lately, too early to take away.
 * `holding-until-observed`: the history does not fill the hold window yet.
 * `as-wanted`: exactly what the lanes need. `no-work`: they need nothing.
 */
export type PoolReason =
  | "lanes-unknown"
  | "redis-memory-closed"
  | "workers-max"
  | "workers-min"
  | "holding-recent-maximum"
  | "holding-until-observed"
  | "as-wanted"
  | "no-work";

export interface PoolDecision {
  /** `hold`: a lane could not be observed, so this may add workers and takes none away. */
  readonly kind: "sized" | "hold";
  /** Workers for every release observed. May exceed workersMax in a `hold` only, by what is there already. */
  readonly desired: WorkersByRelease;
  /** What the lanes need now, before bounds and holding. */
  readonly wanted: WorkersByRelease;
  /** For the history: `wanted`, and in a hold no less than what is there. See `rememberWanted`. */
  readonly toRemember: WorkersByRelease;
  readonly wantedTotal: number;
  readonly appliedTotal: number;
  /** `workers-max`: a release gets less than it wants, by workersMax or a ceiling. `workers-min`: more than the lanes want. */
  readonly limitedBy: "workers-max" | "workers-min" | null;
  /** Lanes that have work and that no live release reads. An alarm. */
  readonly orphanLanes: readonly string[];
  /** Lanes that have work, but workersMax leaves no room for a reader. An alarm. */
  readonly uncoveredLanes: readonly string[];
  /** What cut or raised the number on its way from wanted to applied, in the order applied. */
  readonly clamps: readonly PoolClamp[];
  /** Why workers stay that nothing wants now. */
  readonly holds: readonly PoolHold[];
  readonly reason: PoolReason;
  /** The whole explanation for a person. */
  readonly sentence: string;
}

export function decidePool(observation: PoolObservation, policy: PoolPolicy): PoolDecision {
  const { lanes, releases, recent, ceilings = [] } = observation;
  const isUnknown = lanes.some((lane) => lane.slots === null);
  const isFull = observation.memoryClosed === true && lanes.some((lane) => lane.hasWork);
  const owners = decideLaneOwners(lanes, releases);
  const wanted = wantedWorkers(observation, owners, policy.slotsPerWorker);
  const present = new Map(releases.map(({ release, workers }) => [release, workers]));

  const shares = decideWorkerShares({
    lanes,
    releases,
    kept: isUnknown || isFull ? present : new Map(),
    wanted,
    held: heldWorkers(observation),
    workersMin: policy.workersMin,
    workersMax: Math.min(policy.workersMax, ...ceilings.map(({ workers }) => workers)),
  });
  const limitedBy = limitOf(wanted, shares);
  const facts = {
    kind: isUnknown ? "hold" : "sized",
    wantedTotal: total(wanted),
    appliedTotal: total(shares.desired),
    limitedBy,
    orphanLanes: owners.orphanLanes,
    uncoveredLanes: shares.uncoveredLanes,
  } as const;
  const bounds = { wanted, shares, policy, ceilings, limitedBy };
  const clamps = decideClamps(bounds);
  const holds = decideHolds(Object.assign({ recent, unknown: isUnknown, full: isFull }, bounds));
  // Not by a spread with more behind it, which costs several microseconds each, hundreds of times a look.
  const result = {
    desired: Object.fromEntries(shares.desired),
    wanted: Object.fromEntries(wanted),
    toRemember: Object.fromEntries(isUnknown ? atLeast(wanted, present) : wanted),
    clamps,
    holds,
    reason: reasonOf(facts, { shares, recent, isFull }),
    sentence: explainPool(
      Object.assign(
        {
          lanes,
          slotsPerWorker: policy.slotsPerWorker,
          ceiling: clamps.find(({ by }) => by !== "workers-min") ?? null,
          memoryClosed: holds.some(({ because }) => because === "redis-memory-closed"),
          heldBeyond: shares.heldBeyond,
          heldBecause: recent.covered ? ("recently-wanted" as const) : ("not-observed-long-enough" as const),
          draining: releases.reduce((sum, release) => sum + release.draining, 0),
        },
        facts,
      ),
    ),
  };
  return Object.assign(result, facts);
}

/** ceil(slots / slotsPerWorker) for the lanes each release owns, and one while any of them has work. */
function wantedWorkers(
  { lanes, releases }: PoolObservation,
  { ownerOf }: LaneOwners,
  slotsPerWorker: number,
): WorkerCounts {
  return new Map(
    releases.map(({ release }) => {
      const owned = lanes.filter(({ lane }) => ownerOf.get(lane) === release);
      const slots = owned.reduce((sum, lane) => sum + (lane.slots ?? 0), 0);
      const floor = owned.some((lane) => lane.hasWork) ? 1 : 0;
      return [release, Math.max(Math.ceil(slots / slotsPerWorker), floor)];
    }),
  );
}

/** What is there, was wanted lately and had something to do. Holding keeps workers; it never starts one. */
function heldWorkers({ releases, recent, idle = {} }: PoolObservation): WorkerCounts {
  return new Map(
    releases.map(({ release, workers }) => {
      if (!recent.covered) return [release, workers];
      const used = workers - workersOf(idle, release);
      return [release, Math.max(0, Math.min(used, workersOf(recent.byRelease, release)))];
    }),
  );
}

function atLeast(counts: WorkerCounts, floor: WorkerCounts): WorkerCounts {
  return new Map([...counts].map(([release, count]) => [release, Math.max(count, floor.get(release) ?? 0)]));
}

function limitOf(wanted: WorkerCounts, shares: WorkerShares): PoolDecision["limitedBy"] {
  const isCut = [...wanted].some(([release, workers]) => (shares.desired.get(release) ?? 0) < workers);
  if (isCut) return "workers-max";
  return shares.raisedByMin > 0 ? "workers-min" : null;
}

function reasonOf(
  facts: Pick<PoolDecision, "kind" | "limitedBy" | "appliedTotal" | "wantedTotal">,
  { shares, recent, isFull }: { shares: WorkerShares; recent: RecentMaximum; isFull: boolean },
): PoolReason {
  if (facts.kind === "hold") return "lanes-unknown";
  if (facts.limitedBy === "workers-max") return "workers-max";
  if (isFull && facts.appliedTotal > facts.wantedTotal) return "redis-memory-closed";
  if (shares.heldBeyond > 0) return recent.covered ? "holding-recent-maximum" : "holding-until-observed";
  if (facts.limitedBy === "workers-min") return "workers-min";
  return facts.appliedTotal === 0 ? "no-work" : "as-wanted";
}
