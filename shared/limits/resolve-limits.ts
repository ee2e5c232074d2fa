/**
 * From the limits document and a moment to the limits in force. Pure.
 *
 * An override that has expired is left out, and so is one that has nothing to act on any more because the
 * base changed under it: it never makes the rest unusable, and `states` says what became of it.
 */
import { fromRfc3339 } from "../system-clock.ts";
import type { LimitOverride, LimitsBase, LimitsDocument } from "./limits-document.ts";
import { applyOverride } from "./override-paths.ts";

export type OverrideState = "in-force" | "expired" | "without-effect";

/** The limits as they are at one moment. */
export interface Limits extends LimitsBase {
  /** When the next override ends, in ms since the Unix epoch; until then this stays as it is. `null`: never. */
  readonly nextExpiryMs: number | null;
  /** What became of each override of the document, in its order. */
  readonly states: readonly OverrideState[];
}

/** @param nowMs milliseconds since the Unix epoch. */
export function resolveLimits({ base, overrides }: LimitsDocument, nowMs: number): Limits {
  let resolved: LimitsBase = base;
  let nextExpiryMs: number | null = null;
  const states = overrides.map((override): OverrideState => {
    const expiresAtMs = expiryOf(override);
    if (expiresAtMs !== null && expiresAtMs <= nowMs) return "expired";
    const applied = applyOverride(resolved, override);
    if ("rule" in applied) return "without-effect";
    resolved = applied;
    if (expiresAtMs !== null) nextExpiryMs = Math.min(nextExpiryMs ?? expiresAtMs, expiresAtMs);
    return "in-force";
  });
  return { ...resolved, nextExpiryMs, states };
}

/** Milliseconds since the Unix epoch; `null`: never. An expiry that cannot be read is past. */
export function expiryOf({ expiresAt }: LimitOverride): number | null {
  return expiresAt === null ? null : (fromRfc3339(expiresAt) ?? Number.NEGATIVE_INFINITY);
}
