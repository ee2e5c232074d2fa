/**
 * What bounded a pool's number and what kept workers that nothing wants, as a record of it.
 *
 * Pure. It decides nothing about workers: decide-worker-shares.ts has done that. Code reads the fields, people the
 * sentences.
 */
import type { CeilingName, PoolCeiling } from "./decide-pool-ceilings.ts";
import type { RecentMaximum } from "./decide-recent-maximum.ts";
import { total, type WorkerCounts, type WorkerShares } from "./decide-worker-shares.ts";

export interface PoolClamp {
  readonly by: CeilingName | "workers-max" | "workers-min" | "breakers-open";
  /** Workers, or slots of one lane for `breakers-open`. */
  readonly from: number;
  readonly to: number;
  readonly sentence: string;
}

export interface PoolHold {
  readonly because: "lanes-unknown" | "redis-memory-closed" | "recently-wanted" | "not-observed-long-enough";
  /** Workers that stay only because of it, > 0. */
  readonly workers: number;
  /** When it ends if nothing else changes, by the planner's clock. `null`: not known. */
  readonly untilMs: number | null;
  readonly sentence: string;
}

export interface Bounded {
  readonly wanted: WorkerCounts;
  readonly shares: WorkerShares;
  readonly policy: { readonly workersMin: number; readonly workersMax: number };
  readonly ceilings: readonly PoolCeiling[];
  readonly limitedBy: "workers-max" | "workers-min" | null;
}

/** Each bound that is below what was wanted, the lowest first; then workersMin when it raised the number. */
export function decideClamps({ wanted, shares, policy, ceilings, limitedBy }: Bounded): readonly PoolClamp[] {
  const wantedTotal = total(wanted);
  const clamps: PoolClamp[] = [];
  if (limitedBy === "workers-max") {
    const own = { by: "workers-max", workers: policy.workersMax, sentence: "workersMax" } as const;
    for (const { by, workers, sentence } of [own, ...ceilings].toSorted((a, b) => a.workers - b.workers)) {
      if (workers < wantedTotal) clamps.push({ by, from: wantedTotal, to: workers, sentence });
    }
    // Room was there, but what may not be taken away from another release filled it.
    if (clamps.length === 0) {
      const to = Math.min(wantedTotal, total(shares.desired));
      clamps.push({
        by: "workers-max",
        from: wantedTotal,
        to,
        sentence: "workersMax, shared by the releases",
      });
    }
  }
  if (shares.raisedByMin > 0) {
    const to = total(shares.desired) - shares.heldBeyond;
    clamps.push({ by: "workers-min", from: to - shares.raisedByMin, to, sentence: "workersMin" });
  }
  return clamps;
}

export interface Held extends Bounded {
  readonly recent: RecentMaximum;
  readonly unknown: boolean;
  readonly full: boolean;
}

export function decideHolds({ wanted, shares, recent, unknown, full }: Held): readonly PoolHold[] {
  const holds: PoolHold[] = [];
  const { heldBeyond, raisedByMin } = shares;
  const kept = total(shares.desired) - heldBeyond - raisedByMin - total(wanted);
  if (kept > 0 && unknown) {
    const sentence = "a lane could not be observed, so nobody is taken away";
    holds.push({ because: "lanes-unknown", workers: kept, untilMs: null, sentence });
  } else if (kept > 0 && full) {
    const sentence = "Redis takes no more jobs and some wait, so nobody is taken away";
    holds.push({ because: "redis-memory-closed", workers: kept, untilMs: null, sentence });
  }
  if (heldBeyond > 0) {
    const because = recent.covered ? "recently-wanted" : "not-observed-long-enough";
    const sentence = recent.covered
      ? "wanted within the hold window"
      : "the hold window has not been observed yet";
    holds.push({ because, workers: heldBeyond, untilMs: recent.untilMs ?? null, sentence });
  }
  return holds;
}
