/**
 * What a change makes of the scaling overrides. Pure: `shared/redis/scaling-overrides-store.ts` moves the documents.
 *
 * Bounds that make no sense are never stored. What has ended goes whenever something else changes.
 */
import type { Issue } from "../errors.ts";
import {
  type BoundsOverride,
  type Freeze,
  type PoolBounds,
  SCALING_OVERRIDES_MAX,
  type ScalingOverrides,
} from "./overrides-document.ts";
import { isInForce } from "./resolve-overrides.ts";

export type OverridesChange =
  | {
      readonly kind: "changed";
      readonly document: ScalingOverrides;
      /** What is there now, `null` when something was taken away. */
      readonly set: Freeze | BoundsOverride | null;
      /** What is no longer there, `null` when there was none. */
      readonly replaced: Freeze | BoundsOverride | null;
    }
  | { readonly kind: "refused"; readonly issue: Issue }
  /** There are as many as there may be. */
  | { readonly kind: "full" }
  | { readonly kind: "not-found" }
  /** The caller saw another revision than this one. */
  | { readonly kind: "conflict"; readonly revision: number };

/**
 * A pool, or all of them, is frozen. One that is frozen already stays at the number that it was frozen at, so that
 * a freeze can be made longer without a look at the fleet.
 */
export function withFreeze(document: ScalingOverrides, freeze: Freeze, nowMs: number): OverridesChange {
  const { freezes, bounds } = living(document, nowMs);
  const replaced = freezes.find(({ pool }) => pool === freeze.pool) ?? null;
  const others = freezes.filter((it) => it !== replaced);
  if (others.length >= SCALING_OVERRIDES_MAX) return { kind: "full" };
  const set = replaced === null ? freeze : { ...freeze, held: { ...freeze.held, ...replaced.held } };
  return changed(document, { freezes: [...others, set], bounds }, { set, replaced });
}

export function withoutFreeze(document: ScalingOverrides, pool: string, nowMs: number): OverridesChange {
  const { freezes, bounds } = living(document, nowMs);
  const replaced = freezes.find((it) => it.pool === pool);
  if (replaced === undefined) return { kind: "not-found" };
  const others = freezes.filter((it) => it !== replaced);
  return changed(document, { freezes: others, bounds }, { set: null, replaced });
}

/** The bounds of a pool are others than the configuration's; they are set as a whole. */
export function withBounds(
  document: ScalingOverrides,
  { override, configured }: { readonly override: BoundsOverride; readonly configured: PoolBounds },
  nowMs: number,
): OverridesChange {
  const issue = issueWith(override, configured);
  if (issue !== null) return { kind: "refused", issue };
  const { freezes, bounds } = living(document, nowMs);
  const replaced = bounds.find(({ pool }) => pool === override.pool) ?? null;
  const others = bounds.filter((it) => it !== replaced);
  if (others.length >= SCALING_OVERRIDES_MAX) return { kind: "full" };
  return changed(document, { freezes, bounds: [...others, override] }, { set: override, replaced });
}

export function withoutBounds(document: ScalingOverrides, pool: string, nowMs: number): OverridesChange {
  const { freezes, bounds } = living(document, nowMs);
  const replaced = bounds.find((it) => it.pool === pool);
  if (replaced === undefined) return { kind: "not-found" };
  const others = bounds.filter((it) => it !== replaced);
  return changed(document, { freezes, bounds: others }, { set: null, replaced });
}

function issueWith(override: BoundsOverride, configured: PoolBounds): Issue | null {
  const { workersMin, workersMax, beyondConfig } = override;
  if (workersMin === null && workersMax === null) {
    return { pointer: "", rule: "required", message: "needs workersMin, workersMax or both" };
  }
  if (workersMax !== null && workersMax > configured.workersMax && !beyondConfig) {
    const message = `is above the ${configured.workersMax} of the configuration; say beyondConfig to go beyond it`;
    return { pointer: "/workersMax", rule: "beyond-config", message };
  }
  const min = workersMin ?? configured.workersMin;
  const max = workersMax ?? configured.workersMax;
  if (min <= max) return null;
  const of = workersMax === null ? "the configuration's workersMax" : "workersMax";
  if (workersMin !== null) {
    return { pointer: "/workersMin", rule: "min-above-max", message: `is above ${of}, which is ${max}` };
  }
  const message = `is below the configuration's workersMin, which is ${min}; set workersMin too`;
  return { pointer: "/workersMax", rule: "min-above-max", message };
}

function living({ freezes, bounds }: ScalingOverrides, nowMs: number) {
  return {
    freezes: freezes.filter((it) => isInForce(it, nowMs)),
    bounds: bounds.filter((it) => isInForce(it, nowMs)),
  };
}

function changed(
  { revision }: ScalingOverrides,
  rest: Omit<ScalingOverrides, "revision">,
  { set, replaced }: Pick<Extract<OverridesChange, { kind: "changed" }>, "set" | "replaced">,
): OverridesChange {
  return { kind: "changed", document: { revision: revision + 1, ...rest }, set, replaced };
}
