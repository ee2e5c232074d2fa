/**
 * What operators have set over scaling: pools that are frozen, and bounds other than the configuration's.
 *
 * One document in Redis, changed by compare-and-set on its revision. Everything in it ends by itself. What is in
 * force at a moment is worked out by `resolve-overrides.ts`, never stored. Data only: no IO, no clock.
 */
import { z } from "zod";
import { QUEUE_NAME_PATTERN } from "../lane.ts";

/** In the place of a pool's name: all of them, those that come later too. */
export const ALL_POOLS = "*";

/** An operator goes home at some time: nothing that holds the fleet outlives a week. */
export const OVERRIDE_MS_MAX = 604_800_000;
export const OVERRIDE_MS_MIN = 1_000;
export const OVERRIDE_MS_DEFAULT = 3_600_000;

/** Freezes, and as many bounds: more than there are pools. */
export const SCALING_OVERRIDES_MAX = 1_000;

/** No pool is larger, whatever anybody sets. */
export const POOL_WORKERS_MAX = 1_000;

const workers = z.int().min(0).max(POOL_WORKERS_MAX);

/** Who set it, when and until when, in RFC 3339 by Redis' clock. */
const setting = {
  by: z.string(),
  why: z.string(),
  at: z.string(),
  expiresAt: z.string(),
};

export const freeze = z.object({
  pool: z.union([z.string().regex(QUEUE_NAME_PATTERN), z.literal(ALL_POOLS)]),
  /** Not even a worker that dies is replaced. */
  hard: z.boolean(),
  /** Workers by pool and release at the moment of the freeze: what is replaced up to. */
  held: z.record(z.string(), z.record(z.string(), z.int().min(0))),
  ...setting,
});

export const boundsOverride = z.object({
  pool: z.string().regex(QUEUE_NAME_PATTERN),
  /** `null`: the configuration's. */
  workersMin: workers.nullable(),
  workersMax: workers.nullable(),
  /** Whether workersMax may be above the configuration's. */
  beyondConfig: z.boolean(),
  ...setting,
});

export const scalingOverrides = z.object({
  /** Raised by each change; 0: nothing is stored. */
  revision: z.int().min(0),
  freezes: z.array(freeze).max(SCALING_OVERRIDES_MAX),
  bounds: z.array(boundsOverride).max(SCALING_OVERRIDES_MAX),
});

export type Freeze = Readonly<z.output<typeof freeze>>;
export type BoundsOverride = Readonly<z.output<typeof boundsOverride>>;

export interface ScalingOverrides {
  readonly revision: number;
  readonly freezes: readonly Freeze[];
  readonly bounds: readonly BoundsOverride[];
}

export const NO_OVERRIDES: ScalingOverrides = { revision: 0, freezes: [], bounds: [] };

/** How many workers a pool may have, whole numbers >= 0, min <= max. */
export interface PoolBounds {
  readonly workersMin: number;
  readonly workersMax: number;
}
