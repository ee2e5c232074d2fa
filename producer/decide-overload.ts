/**
 * Whether a process takes one more request that hands jobs in, and how many it takes at once.
 *
 * The limit follows what the process can bear: it falls by a fifth when requests take too long or the event loop is
 * late, and rises by a step when there was demand for more and both were well (additive increase,
 * multiplicative decrease). Below it priorities have shares, so that what can wait is refused first; and near it no
 * tenant holds more than its part while others want theirs. Pure: the gate keeps the counts and the time.
 */
import type { Priority } from "#shared/envelope";

/** Requests at once; never fewer, so that a stall does not close the door for good. */
export const LIMIT_MIN = 64;
export const LIMIT_MAX = 4_000;
export const LIMIT_AT_START = 700;

const LIMIT_STEP = 16;
const LIMIT_CUT = 0.8;

/** A request that takes longer than this waits for others more than for Redis. */
const LATENCY_MS_MAX = 60;

/** An event loop that is this late answers nobody in time. */
const LOOP_DELAY_MS_MAX = 20;

/** The share of the limit that was needed for it to rise. */
const DEMAND_SHARE = 0.8;

export interface ProcessLoad {
  /** Mean time of the requests that were answered since the last look; `null`: none was. */
  readonly latencyMs: number | null;
  /** Mean lateness of the event loop since then, in milliseconds. */
  readonly loopDelayMs: number;
  /** The most requests that were held at once since then. */
  readonly heldMax: number;
}

export function decideLimit(limit: number, { latencyMs, loopDelayMs, heldMax }: ProcessLoad): number {
  const isLate = (latencyMs ?? 0) > LATENCY_MS_MAX || loopDelayMs > LOOP_DELAY_MS_MAX;
  if (isLate) return Math.max(LIMIT_MIN, Math.floor(limit * LIMIT_CUT));
  return heldMax >= limit * DEMAND_SHARE ? Math.min(LIMIT_MAX, limit + LIMIT_STEP) : limit;
}

/** The share of the limit that requests of a priority may fill. */
const SHARES: Readonly<Record<Priority, number>> = { critical: 1, high: 0.95, normal: 0.85, low: 0.5 };

/** From this share of the limit on, a tenant keeps to its part. */
const FAIR_SHARE = 0.5;

export interface OverloadFacts {
  readonly limit: number;
  /** Requests held now, the one that asks not counted. */
  readonly held: number;
  /** Those of them that are of its tenant. */
  readonly heldByTenant: number;
  /** Tenants that hold any, its own counted. */
  readonly tenants: number;
  readonly priority: Priority;
}

/** `null`: the request is taken. */
export type OverloadReason = "limit" | "share" | null;

export function decideOverload({
  limit,
  held,
  heldByTenant,
  tenants,
  priority,
}: OverloadFacts): OverloadReason {
  if (held >= limit * SHARES[priority]) return "limit";
  if (held < limit * FAIR_SHARE) return null;
  return heldByTenant >= limit / Math.max(1, tenants) ? "share" : null;
}
