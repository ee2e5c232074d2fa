/**
 * Which releases have a part in a pool that is taken over by rollouts only, and which of them has it.
 *
 * Pure. A release that is published and has no part gets no worker, and a worker of it that is there takes nothing:
 * publishing a build is not bringing it in.
 */
import { stateOf } from "../rollout/decide-act.ts";
import type { Rollout } from "../rollout/rollout-document.ts";

export interface PoolReleases {
  /** The release that has the pool; `null` when none can be started. */
  readonly incumbent: string | null;
  /** Releases that may have workers. */
  readonly parts: ReadonlySet<string>;
}

/** States in which a rollout that goes forward has brought the new release in. */
const BROUGHT_IN: ReadonlySet<string> = new Set(["current", "draining", "drained", "retired"]);

/** @param live releases of the pool that are live and can be started, oldest first. */
export function decidePoolReleases(latest: Rollout | null, live: readonly string[]): PoolReleases {
  const [oldest = null] = live;
  if (latest === null) return { incumbent: oldest, parts: new Set(oldest === null ? [] : [oldest]) };
  const state = stateOf(latest);
  const { from, to, drainers } = latest;
  const incumbent = incumbentOf(latest);
  if (state !== "retired") {
    return { incumbent, parts: new Set([from, to, ...drainers.map(({ release }) => release)]) };
  }
  // What it brought in may be gone from the configuration since.
  const present = live.includes(to) ? to : (oldest ?? to);
  return { incumbent: present, parts: new Set([present]) };
}

/** The release that has the pool as far as a rollout says. */
export function incumbentOf(rollout: Rollout): string {
  const isIn = rollout.direction === "forward" && BROUGHT_IN.has(stateOf(rollout));
  return isIn ? rollout.to : rollout.from;
}
