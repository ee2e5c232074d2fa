/**
 * Whether a rollout may begin, and the document that it begins with.
 *
 * Pure. All blockers are named at once. What is not known blocks. The caller stores the document only if the pool's
 * entry is still the one that was looked at: that is what keeps two rollouts of a pool from beginning together.
 */
import { cut } from "./decide-change.ts";
import { isFinished } from "./decide-leaving.ts";
import { contractBlocker } from "./decide-stage-opening.ts";
import { BUCKETS } from "./estimate-quantile.ts";
import type { Rollout, Tally } from "./rollout-document.ts";
import type { ContractView } from "./rollout-observation.ts";

export interface RolloutRequest {
  readonly id: string;
  readonly pool: string;
  readonly from: string;
  readonly to: string;
  readonly by: string;
  readonly why: string;
  /** The types whose gate has to go up for the release's versions. */
  readonly gates: Rollout["gates"];
}

export interface PreflightFacts {
  readonly nowMs: number;
  readonly contract: ContractView | null;
  /** Both releases' state in the registry; `null` when it does not know them. */
  readonly fromState: "live" | "retired" | null;
  readonly toState: "live" | "retired" | null;
  /** Live releases of the pool that do not leave it. */
  readonly liveReleases: readonly string[];
  /** The newest rollout of the pool. */
  readonly latest: Rollout | null;
}

export interface PreflightBlocker {
  readonly code:
    | "who-missing"
    | "same-release"
    | "release-not-live"
    | "third-release"
    | "rollout-active"
    | "window-open"
    | "contract-not-known"
    | "contract";
  readonly what: string;
}

export type PreflightDecision =
  | { readonly kind: "ready"; readonly rollout: Rollout }
  | { readonly kind: "blocked"; readonly blockers: readonly PreflightBlocker[] };

export function decidePreflight(request: RolloutRequest, facts: PreflightFacts): PreflightDecision {
  const blockers = [...requestBlockers(request, facts), ...latestBlockers(facts), ...contractBlockers(facts)];
  return blockers.length > 0
    ? { kind: "blocked", blockers }
    : { kind: "ready", rollout: newRollout(request, facts.nowMs) };
}

export const NO_TALLY: Tally = {
  finished: 0,
  failed: 0,
  failedElsewhere: 0,
  retried: 0,
  retriedFailed: 0,
  stalls: 0,
  mismatches: 0,
  created: 0,
  completed: 0,
  run: Array.from({ length: BUCKETS }, () => 0),
  pickup: Array.from({ length: BUCKETS }, () => 0),
};

function requestBlockers(
  { by, why, from, to, pool }: RolloutRequest,
  { fromState, toState, liveReleases }: PreflightFacts,
): PreflightBlocker[] {
  const third = liveReleases.find((release) => release !== from && release !== to);
  const blockers: (PreflightBlocker | false)[] = [
    (by.trim() === "" || why.trim() === "") && { code: "who-missing", what: "say who starts it, and why" },
    from === to && { code: "same-release", what: `${to} has the pool ${pool} already` },
    fromState !== "live" && { code: "release-not-live", what: `${from} is not a live release` },
    toState !== "live" && { code: "release-not-live", what: `${to} is not a live release; publish it first` },
    third !== undefined && {
      code: "third-release",
      what: `${third} is live in the pool ${pool} too; two at a time, so retire it first`,
    },
  ];
  return blockers.filter((it) => it !== false);
}

function latestBlockers({ latest }: PreflightFacts): PreflightBlocker[] {
  if (latest === null || isFinished(latest)) return [];
  const { id, state, direction, from } = latest;
  if (state === "current") {
    const what = `the rollback window of ${id} is open and keeps ${from} warm; close it first`;
    return [{ code: "window-open", what }];
  }
  // What leaves may still be leaving: it is a drainer beside the two.
  if (direction === "forward" && (state === "draining" || state === "drained")) return [];
  return [{ code: "rollout-active", what: `${id} is ${state}; one rollout a pool at a time` }];
}

function contractBlockers({ contract }: PreflightFacts): PreflightBlocker[] {
  if (contract === null) {
    return [
      { code: "contract-not-known", what: "whether every lane keeps a reader is not known; try again" },
    ];
  }
  const what = contractBlocker(contract);
  return what === null ? [] : [{ code: "contract", what }];
}

function newRollout({ id, pool, from, to, by, why, gates }: RolloutRequest, nowMs: number): Rollout {
  return {
    id,
    pool,
    from,
    to,
    revision: 1,
    state: "registered",
    direction: "forward",
    stateSinceMs: nowMs,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
    stage: null,
    knownState: null,
    missingSinceMs: null,
    paused: null,
    halt: null,
    bypass: null,
    back: null,
    gates,
    gateRaised: false,
    drainers: [],
    quarantined: [],
    reference: NO_TALLY,
    probe: null,
    quietSinceMs: null,
    drainForced: false,
    shareTakenBack: false,
    currentAtMs: null,
    history: [
      { atMs: nowMs, revision: 1, from: "registered", to: "registered", by, what: "start", why: cut(why) },
    ],
  };
}
