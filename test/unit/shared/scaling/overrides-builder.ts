/** Boring overrides of a pool called shop, set at noon for an hour. */
import type { BoundsOverride, Freeze, ScalingOverrides } from "#shared/scaling/overrides-document";

export const NOON = "2026-03-01T12:00:00.000Z";
export const NOON_MS = Date.UTC(2026, 2, 1, 12);
export const HOUR_MS = 3_600_000;

const setting = { by: "ada", why: "checkout incident", at: NOON, expiresAt: "2026-03-01T13:00:00.000Z" };

export function aFreeze(changes: Partial<Freeze> = {}): Freeze {
  return { pool: "shop", hard: false, held: { shop: { "shop-1": 3 } }, ...setting, ...changes };
}

export function aBounds(changes: Partial<BoundsOverride> = {}): BoundsOverride {
  return { pool: "shop", workersMin: null, workersMax: 3, beyondConfig: false, ...setting, ...changes };
}

export function someOverrides(changes: Partial<ScalingOverrides> = {}): ScalingOverrides {
  return { revision: 3, freezes: [], bounds: [], ...changes };
}
