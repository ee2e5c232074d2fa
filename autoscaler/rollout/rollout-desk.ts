/**
 * The port by which people ask about rollouts and for them: what the control API serves and `autoscaler/releases/`
 * keeps. Types only.
 *
 * A wish is stored by compare-and-set and carried out by the leader with its next look; any autoscaler takes it. All
 * reject with a `RedisUnavailableError` when Redis is away, and never hang.
 */

import type { RolloutPolicy } from "#shared/rollout/rollout-policy";
import type { ActRefusal } from "./decide-act.ts";
import type { PreflightBlocker } from "./decide-preflight.ts";
import type { RolloutRecord } from "./decide-transition.ts";
import type { Rollout } from "./rollout-document.ts";
import type { ActKind, RolloutObservation } from "./rollout-observation.ts";

export interface RolloutView {
  readonly rollout: Rollout;
  readonly policy: RolloutPolicy;
  /** Of the last look in which it was decided on; `null` before the first. */
  readonly lastRecord: RolloutRecord | null;
  /** What the leader saw then; `null` where this process does not lead, or has not looked yet. */
  readonly observation: RolloutObservation | null;
}

export interface StartAsk {
  readonly pool: string;
  readonly to: string;
  /** The release that has the pool when missing. */
  readonly from?: string | undefined;
  readonly by: string;
  readonly why: string;
  /** Enters a channel that is shut; needs an end. */
  readonly bypassChannelUntilMs?: number | undefined;
}

export type StartAnswer =
  | { readonly kind: "started"; readonly rollout: Rollout }
  | { readonly kind: "unknown-pool"; readonly pools: readonly string[] }
  /** `code` of a blocker is that of the preflight, or `channel`, or `takeover-at-once`. */
  | {
      readonly kind: "blocked";
      readonly blockers: readonly {
        readonly code: PreflightBlocker["code"] | "channel" | "takeover-at-once";
        readonly what: string;
      }[];
    };

export interface ActAsk {
  readonly pool: string;
  readonly kind: ActKind;
  readonly by: string;
  readonly why: string;
  /** For `force`. */
  readonly expiresAtMs?: number | undefined;
  /** For `revise`: the release that takes the new one's place. */
  readonly to?: string | undefined;
  /** The revision that the caller saw; the newest when missing. */
  readonly revision?: number | undefined;
}

export type ActAnswer =
  | { readonly kind: "done"; readonly rollout: Rollout; readonly record: RolloutRecord }
  | {
      readonly kind: "refused";
      readonly code: ActRefusal | "stale-revision" | "stale-observation";
      readonly reason: string;
    }
  | { readonly kind: "unknown-pool"; readonly pools: readonly string[] }
  | { readonly kind: "no-rollout" };

export interface RolloutDesk {
  /** The newest rollout of each pool that had one, by pool. */
  list(): Promise<readonly RolloutView[]>;
  /** The newest of a pool; `null` when it never had one. */
  get(pool: string): Promise<RolloutView | null>;
  start(ask: StartAsk): Promise<StartAnswer>;
  /** What would keep it from starting; stores nothing. */
  lint(ask: StartAsk): Promise<StartAnswer>;
  act(ask: ActAsk): Promise<ActAnswer>;
  /** Rollouts of the pool before the newest, newest first, at most 50. */
  history(pool: string): Promise<readonly Rollout[]>;
  /** Transitions and distinct holds of the pool's rollouts, newest first. */
  records(pool: string, options: { readonly limit: number }): Promise<readonly RolloutRecord[]>;
}
