/**
 * What an operator's freeze makes of a pool's decision: the number stays.
 *
 * Pure. Nobody is started and nobody drained. A worker that dies is replaced, up to what was there when the pool
 * was frozen, because a freeze holds the number; a hard one replaces nobody. A worker that came up on its own, or
 * was on its way, stays. A retired release gets nobody back. What the lanes want is decided all the same, remembered
 * and told, so that a thaw finds the pool as if it had never been frozen.
 */
import type { Freeze } from "#shared/scaling/overrides-document";
import type { PoolRelease } from "./decide-lane-owners.ts";
import type { PoolDecision } from "./decide-pool.ts";

/** As the clamps of a decision: what limited it, from how many workers to how many, and why. */
export interface FreezeClamp {
  readonly by: "frozen";
  /** Workers that the decision would have asked for. */
  readonly from: number;
  readonly to: number;
  readonly sentence: string;
}

export interface Freezing {
  readonly pool: string;
  readonly freeze: Freeze;
  readonly releases: readonly PoolRelease[];
}

/** The numbers of the freeze: workers for every release observed. */
export function decideFreeze(
  decision: Pick<PoolDecision, "appliedTotal">,
  { pool, freeze, releases }: Freezing,
): { readonly desired: Readonly<Record<string, number>>; readonly clamp: FreezeClamp } {
  const held = Object.hasOwn(freeze.held, pool) ? (freeze.held[pool] ?? {}) : {};
  const desired = releases.map(({ release, live, workers }): [string, number] => {
    const before = Object.hasOwn(held, release) ? (held[release] ?? 0) : 0;
    return [release, freeze.hard || !live ? workers : Math.max(workers, before)];
  });
  const to = desired.reduce((sum, [, workers]) => sum + workers, 0);
  const clamp = { by: "frozen", from: decision.appliedTotal, to, sentence: sentenceOf(freeze) } as const;
  return { desired: Object.fromEntries(desired), clamp };
}

function sentenceOf({ by, why, expiresAt, hard, pool }: Freeze): string {
  const how = hard ? "frozen hard" : "frozen";
  const all = pool === "*" ? " with all pools" : "";
  return `${how}${all} by ${by} until ${minute(expiresAt)}: '${why}'`;
}

/** "2026-01-31 12:00 UTC". */
function minute(at: string): string {
  return `${at.slice(0, 16).replace("T", " ")} UTC`;
}
