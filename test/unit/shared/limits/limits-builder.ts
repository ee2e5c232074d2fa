/** Boring complete limits: one queue as it comes, and throttles by name. */
import {
  DEFAULT_QUEUE_LIMITS,
  type LimitOverride,
  type LimitsDocument,
  type Throttle,
} from "#shared/limits/limits-document";

export const NOW_MS = Date.UTC(2026, 0, 31, 12);

export function aThrottle(changes: Partial<Throttle> = {}): Throttle {
  return {
    name: "free",
    per: "tenant",
    value: "*",
    algorithm: "token-bucket",
    limit: 10,
    windowMs: 1_000,
    ...changes,
  };
}

export function anOverride(changes: Partial<LimitOverride> = {}): LimitOverride {
  return {
    path: "/queues/shop/depthMax",
    value: 5,
    by: "ana",
    at: new Date(NOW_MS).toISOString(),
    why: "a flood",
    expiresAt: null,
    ...changes,
  };
}

export function aDocument(changes: Partial<LimitsDocument> = {}): LimitsDocument {
  return {
    revision: 1,
    base: { queues: { shop: DEFAULT_QUEUE_LIMITS }, throttles: [aThrottle()] },
    overrides: [],
    ...changes,
  };
}

/** RFC 3339 of a moment this long after `NOW_MS`. */
export function inMs(ms: number): string {
  return new Date(NOW_MS + ms).toISOString();
}
