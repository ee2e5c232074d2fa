/** What a rollout makes of a pool's number, as a decision's record tells it. Pure. */
import type { PoolSplit } from "./releases/rollout-keeper.ts";

export interface SplitClamp {
  readonly by: "rollout";
  readonly from: number;
  readonly to: number;
  readonly sentence: string;
}

export interface Split {
  readonly desired: Readonly<Record<string, number>>;
  readonly clamp: SplitClamp;
}

/** `null` where no rollout splits the pool. */
export function splitClamp(split: PoolSplit | null, workersWanted: number): Split | null {
  if (split === null || split.rollout === null || split.rollout.state === "retired") return null;
  const { desired, rollout, taking } = split;
  const shares = Object.entries(desired).filter(([, workers]) => workers > 0);
  const told = shares.map(([release, workers]) => `${workers} of ${release}${idleIn(taking, release)}`);
  const sentence = `rollout ${rollout.id}: ${told.length === 0 ? "nobody" : told.join(", ")}`;
  return { desired, clamp: { by: "rollout", from: workersWanted, to: totalOf(desired), sentence } };
}

export function totalOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, it) => sum + it, 0);
}

/** Both, release by release. */
export function addedUp(
  counts: Readonly<Record<string, number>>,
  others: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const releases = new Set([...Object.keys(counts), ...Object.keys(others)]);
  return Object.fromEntries([...releases].map((it) => [it, (counts[it] ?? 0) + (others[it] ?? 0)]));
}

function idleIn(taking: Readonly<Record<string, number>>, release: string): string {
  return (taking[release] ?? 0) > 0 ? "" : " that take no shared jobs";
}
