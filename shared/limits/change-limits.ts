/**
 * What a change makes of the limits document. Pure: `shared/redis/limits-store.ts` moves the documents.
 *
 * A change that may not be made is never stored: an override is first applied to what would be in force.
 * Overrides that have expired go whenever something else changes.
 */
import type { Issue } from "../errors.ts";
import {
  type LimitOverride,
  type LimitsBase,
  type LimitsDocument,
  limitsBase,
  OVERRIDES_MAX,
} from "./limits-document.ts";
import { applyOverride } from "./override-paths.ts";
import { expiryOf, resolveLimits } from "./resolve-limits.ts";

export type LimitsChange =
  | {
      readonly kind: "changed";
      readonly document: LimitsDocument;
      /** The override that is no longer there; `null`: there was none. */
      readonly replaced: LimitOverride | null;
    }
  /** It is as wanted already. */
  | { readonly kind: "unchanged"; readonly document: LimitsDocument }
  | { readonly kind: "refused"; readonly issue: Issue }
  /** There are as many overrides as there may be. */
  | { readonly kind: "full" }
  | { readonly kind: "not-found" }
  /** The caller saw another revision than this one. */
  | { readonly kind: "conflict"; readonly revision: number };

/** The configuration's limits become the base; overrides stay. */
export function withBase(document: LimitsDocument, base: LimitsBase, nowMs: number): LimitsChange {
  const clean = limitsBase.parse(base);
  if (JSON.stringify(clean) === JSON.stringify(document.base)) return { kind: "unchanged", document };
  return changed(document, { base: clean, overrides: living(document, nowMs) }, null);
}

/** The override is set, in the place of one of the same path. */
export function withOverride(document: LimitsDocument, override: LimitOverride, nowMs: number): LimitsChange {
  const overrides = living(document, nowMs);
  const others = overrides.filter((it) => it.path !== override.path);
  const applied = applyOverride(resolveLimits({ ...document, overrides: others }, nowMs), override);
  if ("rule" in applied) return { kind: "refused", issue: applied };
  const expiresAtMs = expiryOf(override);
  if (expiresAtMs !== null && expiresAtMs <= nowMs) {
    const message = "is in the past";
    return { kind: "refused", issue: { pointer: "/expiresInMs", rule: "past", message } };
  }
  if (others.length >= OVERRIDES_MAX) return { kind: "full" };
  const replaced = overrides.find((it) => it.path === override.path) ?? null;
  return changed(document, { base: document.base, overrides: [...others, override] }, replaced);
}

export function withoutOverride(document: LimitsDocument, path: string, nowMs: number): LimitsChange {
  const overrides = living(document, nowMs);
  const dropped = overrides.find((it) => it.path === path);
  if (dropped === undefined) return { kind: "not-found" };
  const others = overrides.filter((it) => it !== dropped);
  return changed(document, { base: document.base, overrides: others }, dropped);
}

function living({ overrides }: LimitsDocument, nowMs: number): readonly LimitOverride[] {
  return overrides.filter((it) => (expiryOf(it) ?? Number.POSITIVE_INFINITY) > nowMs);
}

function changed(
  { revision }: LimitsDocument,
  { base, overrides }: { readonly base: LimitsBase; readonly overrides: readonly LimitOverride[] },
  replaced: LimitOverride | null,
): LimitsChange {
  return { kind: "changed", document: { revision: revision + 1, base, overrides }, replaced };
}
