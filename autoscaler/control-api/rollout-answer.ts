/**
 * A rollout as the control API tells it: times as RFC 3339, without the counters that only a next look needs.
 *
 * What its fields promise is in `operations/rollouts.ts`.
 */
import type { RolloutPolicy } from "#shared/rollout/rollout-policy";
import { toRfc3339 } from "#shared/system-clock";
import { decideRolloutProgress } from "../rollout/decide-rollout-progress.ts";
import type { RolloutRecord } from "../rollout/decide-transition.ts";
import type { RolloutView } from "../rollout/rollout-desk.ts";
import type { Rollout, RolloutStage } from "../rollout/rollout-document.ts";
import type { ReleaseView, RolloutObservation } from "../rollout/rollout-observation.ts";

export type ShownRolloutView = ReturnType<typeof shownView>;

/** Of each list of an observation, the first are told. */
const LISTED_MAX = 100;

export function shownView({ rollout, policy, lastRecord, observation }: RolloutView, nowMs: number) {
  return {
    at: toRfc3339(nowMs),
    rollout: shownRollout(rollout),
    progress: decideRolloutProgress(rollout, { policy, nowMs }),
    share: shareOf(rollout, policy),
    policy,
    lastRecord: lastRecord === null ? null : shownRecord(lastRecord),
    observation: observation === null ? null : shownObservation(observation),
  };
}

export function shownRollout(rollout: Rollout) {
  const { paused, halt, bypass, probe } = rollout;
  return {
    id: rollout.id,
    pool: rollout.pool,
    from: rollout.from,
    to: rollout.to,
    revision: rollout.revision,
    state: rollout.state,
    knownState: rollout.knownState,
    direction: rollout.direction,
    since: toRfc3339(rollout.stateSinceMs),
    createdAt: toRfc3339(rollout.createdAtMs),
    updatedAt: toRfc3339(rollout.updatedAtMs),
    currentAt: timeOrNull(rollout.currentAtMs),
    missingSince: timeOrNull(rollout.missingSinceMs),
    quietSince: timeOrNull(rollout.quietSinceMs),
    stage: rollout.stage === null ? null : shownStage(rollout.stage),
    paused: paused && { code: paused.code, why: paused.why, by: paused.by, at: toRfc3339(paused.atMs) },
    halt: halt && { gate: halt.gate, why: halt.why, suspects: halt.suspects, at: toRfc3339(halt.atMs) },
    bypass: bypass && {
      kind: bypass.kind,
      by: bypass.by,
      why: bypass.why,
      at: toRfc3339(bypass.atMs),
      expiresAt: timeOrNull(bypass.expiresAtMs),
    },
    back: rollout.back,
    gates: rollout.gates,
    gateRaised: rollout.gateRaised,
    drainers: rollout.drainers.map(({ release, failed, sinceMs }) => ({
      release,
      failed,
      since: toRfc3339(sinceMs),
    })),
    quarantined: rollout.quarantined.map(({ atMs, step, ...rest }) => ({
      ...rest,
      step: step + 1,
      at: toRfc3339(atMs),
    })),
    probe: probe && { attempt: probe.attempt, since: toRfc3339(probe.sinceMs) },
    drainForced: rollout.drainForced,
    history: rollout.history.map(({ atMs, ...rest }) => ({ at: toRfc3339(atMs), ...rest })),
  };
}

export function shownRecord({ atMs, ...record }: RolloutRecord) {
  return { at: toRfc3339(atMs), ...record };
}

/** Steps are told from 1, as people count. */
function shownStage({ kind, step, phase, openedAtMs, phaseSinceMs, extensions, handedBack }: RolloutStage) {
  return {
    kind,
    step: step + 1,
    phase,
    openedAt: toRfc3339(openedAtMs),
    phaseSince: toRfc3339(phaseSinceMs),
    extensions,
    handedBack,
  };
}

function shownObservation(observation: RolloutObservation) {
  return {
    at: toRfc3339(observation.atMs),
    workersWanted: observation.workersWanted,
    from: shownRelease(observation.from),
    to: shownRelease(observation.to),
    drainers: Object.fromEntries(
      Object.entries(observation.drainers).map(([release, view]) => [release, shownRelease(view)]),
    ),
    contract: observation.contract,
    probe: observation.probe,
    activeVersions: observation.activeVersions,
    components: observation.components.slice(0, LISTED_MAX),
    retired: observation.retired,
  };
}

function shownRelease({ tally, byWorker, ...view }: ReleaseView) {
  return {
    ...view,
    ran: tally && {
      finished: tally.finished,
      failed: tally.failed,
      failedElsewhere: tally.failedElsewhere,
      retried: tally.retried,
      retriedFailed: tally.retriedFailed,
      stalls: tally.stalls,
      mismatches: tally.mismatches,
      created: tally.created,
      completed: tally.completed,
    },
    byWorker: byWorker.slice(0, LISTED_MAX),
  };
}

/** The new release's share of the slots that the present state asks for, 0 to 1. */
function shareOf({ state, knownState, direction, stage }: Rollout, { steps }: RolloutPolicy): number {
  if (direction === "back") return 0;
  const known = knownState ?? state;
  if (known === "soaking" && stage !== null) {
    return stage.kind === "emission" ? 1 : (steps[stage.step] ?? 1);
  }
  return ["current", "draining", "drained", "retired"].includes(known) ? 1 : 0;
}

function timeOrNull(atMs: number | null): string | null {
  return atMs === null ? null : toRfc3339(atMs);
}
