/** Boring complete values for tests of rollouts. */
import { decidePreflight, NO_TALLY, type PreflightFacts } from "#autoscaler/rollout/decide-preflight";
import { decideTransition, type TransitionDecision } from "#autoscaler/rollout/decide-transition";
import type { Rollout, RolloutStage, Tally } from "#autoscaler/rollout/rollout-document";
import type { OperatorAct, ReleaseView, RolloutObservation } from "#autoscaler/rollout/rollout-observation";
import { type RolloutPolicy, rolloutPolicy } from "#shared/rollout/rollout-policy";

export const START_MS = 1_000_000;
export const GATE = { type: "mail.send", before: 1, wanted: 2 };

export function aPolicy(over: Partial<RolloutPolicy> = {}): RolloutPolicy {
  return { ...rolloutPolicy.parse({ pickupPromiseMs: 30_000 }), ...over };
}

export function someFacts(over: Partial<PreflightFacts> = {}): PreflightFacts {
  return {
    nowMs: START_MS,
    contract: { lanesWithoutReader: [], readGroupsUp: 1 },
    fromState: "live",
    toState: "live",
    liveReleases: ["mail-1", "mail-2"],
    latest: null,
    ...over,
  };
}

export const A_REQUEST = {
  id: "mail-12",
  pool: "mail",
  from: "mail-1",
  to: "mail-2",
  by: "ben",
  why: "the new template engine",
  gates: [GATE],
};

export function aRollout(over: Partial<Rollout> = {}): Rollout {
  const decision = decidePreflight(A_REQUEST, someFacts());
  if (decision.kind !== "ready") throw new Error("the builder's rollout may not begin");
  return { ...decision.rollout, ...over };
}

export function aStage(over: Partial<RolloutStage> = {}): RolloutStage {
  return {
    kind: "share",
    step: 0,
    phase: "soaking",
    shareBefore: 0,
    openedAtMs: START_MS,
    phaseSinceMs: START_MS,
    extensions: 0,
    baseline: { to: NO_TALLY, others: NO_TALLY },
    handedBack: false,
    ...over,
  };
}

/** `finished` jobs of which `failed` failed, all run and picked up within a tenth of a second. */
export function aTally(finished: number, failed = 0, over: Partial<Tally> = {}): Tally {
  const quick = NO_TALLY.run.map((_jobs, index) => (index === 0 ? finished : 0));
  return { ...NO_TALLY, finished, failed, completed: finished - failed, run: quick, pickup: quick, ...over };
}

export function aView(over: Partial<ReleaseView> = {}): ReleaseView {
  return {
    taking: 0,
    workers: 0,
    inFlight: 0,
    leavingInFlight: 0,
    unheard: 0,
    onlyItReads: 0,
    tally: NO_TALLY,
    failuresInRow: 0,
    byWorker: [],
    ...over,
  };
}

/** 20 workers, of which 1 is of the new release; nothing in flight on leaving workers. */
export function anObservation(over: Partial<RolloutObservation> = {}): RolloutObservation {
  return {
    atMs: START_MS,
    workersWanted: 20,
    from: aView({ taking: 19, workers: 19 }),
    to: aView({ taking: 1, workers: 1 }),
    drainers: {},
    contract: { lanesWithoutReader: [], readGroupsUp: 1 },
    probe: null,
    activeVersions: { "mail.send": 1 },
    components: [],
    retired: false,
    ...over,
  };
}

/** One look, `afterMs` after the start. */
export function look(
  rollout: Rollout,
  observation: Partial<RolloutObservation>,
  { afterMs = 0, policy = aPolicy() }: { readonly afterMs?: number; readonly policy?: RolloutPolicy } = {},
): Exclude<TransitionDecision, { kind: "refused" }> {
  const nowMs = START_MS + afterMs;
  const event = {
    kind: "observed" as const,
    revision: rollout.revision,
    observation: anObservation({ atMs: nowMs, ...observation }),
  };
  const decision = decideTransition(rollout, event, { policy, nowMs });
  if (decision.kind === "refused") throw new Error(decision.reason);
  return decision;
}

export function ask(
  rollout: Rollout,
  act: Partial<OperatorAct> & Pick<OperatorAct, "kind">,
  { afterMs = 0, policy = aPolicy() }: { readonly afterMs?: number; readonly policy?: RolloutPolicy } = {},
): TransitionDecision {
  const event = {
    kind: "act" as const,
    revision: rollout.revision,
    act: { by: "ben", why: "asked on the phone", ...act },
  };
  return decideTransition(rollout, event, { policy, nowMs: START_MS + afterMs });
}
