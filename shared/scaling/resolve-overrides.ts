/**
 * From the overrides and a moment to what is in force for a pool. Pure.
 *
 * What has ended is left out. Bounds that have lost their sense because the configuration changed under them are
 * cut to what it allows, and never make the rest unusable.
 */
import { fromRfc3339 } from "../system-clock.ts";
import {
  ALL_POOLS,
  type BoundsOverride,
  type Freeze,
  type PoolBounds,
  type ScalingOverrides,
} from "./overrides-document.ts";

/** What operators have set over one pool, as it is at a moment. */
export interface PoolOverrides {
  /** The pool's own, or that of all pools; the harder one when there are both. */
  readonly freeze: Freeze | null;
  readonly bounds: BoundsOverride | null;
}

/** @param nowMs milliseconds since the Unix epoch, by the clock that the ends were set by: Redis'. */
export function overridesOf(
  { freezes, bounds }: ScalingOverrides,
  pool: string,
  nowMs: number,
): PoolOverrides {
  const living = freezes.filter((it) => isInForce(it, nowMs));
  const own = living.find((it) => it.pool === pool);
  const all = living.find((it) => it.pool === ALL_POOLS);
  const hard = [own, all].find((it) => it?.hard === true);
  return {
    freeze: hard ?? own ?? all ?? null,
    bounds: bounds.find((it) => it.pool === pool && isInForce(it, nowMs)) ?? null,
  };
}

/**
 * The bounds that hold for a pool.
 *
 * An override's workersMax is cut to the configuration's unless it may go beyond; its workersMin is cut to the
 * workersMax that results.
 */
export function boundsInForce(configured: PoolBounds, override: BoundsOverride | null): PoolBounds {
  if (override === null) return configured;
  const asked = override.workersMax ?? configured.workersMax;
  const workersMax = override.beyondConfig ? asked : Math.min(asked, configured.workersMax);
  return { workersMin: Math.min(override.workersMin ?? configured.workersMin, workersMax), workersMax };
}

/** An end that cannot be read is past. */
export function isInForce({ expiresAt }: { readonly expiresAt: string }, nowMs: number): boolean {
  return (fromRfc3339(expiresAt) ?? Number.NEGATIVE_INFINITY) > nowMs;
}
