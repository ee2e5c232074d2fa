/**
 * What is to be so now, by the stored rollout and one observation.
 *
 * Pure, and the same for the same document however often it is asked: orders say how things are to be, not what to
 * do next, so a new leader that asks again orders the same. Carrying one out twice must change nothing. What is not
 * known orders nothing: the fleet keeps what it was told last.
 */

import type { RolloutPolicy } from "#shared/rollout/rollout-policy";
import { bypassInForce } from "./decide-bypass.ts";
import { isForced, leaverOf } from "./decide-leaving.ts";
import { decideSplit } from "./decide-split.ts";
import { shareOf } from "./decide-stage.ts";
import { KEEPERS } from "./decide-way-back.ts";
import type { Rollout, RolloutState } from "./rollout-document.ts";
import type { ReleaseView, RolloutObservation } from "./rollout-observation.ts";

/** What a release's workers take. `own-lanes`: only from lanes that no other live release reads. */
export type Takes = "all" | "probe" | "own-lanes" | "nothing";

export type Order =
  | { readonly kind: "share"; readonly release: string; readonly workers: number; readonly takes: Takes }
  | { readonly kind: "start-probe"; readonly release: string; readonly attempt: number }
  /** The release's own lanes stand still; what others read goes on. */
  | { readonly kind: "pause-lanes"; readonly release: string }
  /** Its attempts since the rollout began do not count, and jobs that they exhausted run again. */
  | { readonly kind: "requeue-exhausted"; readonly release: string }
  | { readonly kind: "set-gate"; readonly type: string; readonly version: number; readonly raise: boolean }
  | { readonly kind: "quarantine"; readonly worker: string }
  /** What its leaving workers still run is taken back, without counting an attempt. */
  | { readonly kind: "hand-back"; readonly release: string }
  | { readonly kind: "retire"; readonly release: string; readonly forced: boolean };

interface Situation {
  readonly rollout: Rollout;
  readonly state: RolloutState;
  readonly observation: RolloutObservation;
  readonly policy: RolloutPolicy;
  /** `null`: the fleet keeps what it has. */
  readonly wanted: number | null;
}

export function decideOrders(
  rollout: Rollout,
  observation: RolloutObservation,
  { policy, nowMs }: { readonly policy: RolloutPolicy; readonly nowMs: number },
): readonly Order[] {
  const state = rollout.state === "unknown" ? (rollout.knownState ?? "unknown") : rollout.state;
  const wanted = observation.workersWanted;
  const situation = { rollout, state, observation, policy, wanted };
  return [
    ...gateOrders(situation),
    ...freezeOrders(situation),
    ...rollout.quarantined.map(({ worker }) => ({ kind: "quarantine" as const, worker })),
    ...shareOrders(situation),
    ...drainerOrders(situation),
    ...probeOrders(situation),
    ...handBackOrders(situation, nowMs),
    ...(rollout.state === "drained" && rollout.direction === "forward"
      ? [{ kind: "retire" as const, release: rollout.from, forced: isForced(rollout) }]
      : []),
  ];
}

/** Lowered in every state but the ones that need it raised: going back begins with it. */
function gateOrders({ rollout, state }: Situation): readonly Order[] {
  if (!rollout.gateRaised) return [];
  const isBack = state === "halted" || state === "rolling-back" || state === "registered";
  const isRaising = state === "soaking" && rollout.stage?.phase === "raising";
  if (!isBack && !isRaising) return [];
  return rollout.gates.map(({ type, before, wanted }) => ({
    kind: "set-gate",
    type,
    version: isBack ? before : wanted,
    raise: !isBack,
  }));
}

function freezeOrders({ rollout, state }: Situation): readonly Order[] {
  const hasFailed = state === "halted" || (rollout.direction === "back" && rollout.back?.failed === true);
  const failed = [
    ...(hasFailed ? [rollout.to] : []),
    ...rollout.drainers.filter((it) => it.failed).map(({ release }) => release),
  ];
  return failed.flatMap((release) => [
    { kind: "pause-lanes" as const, release },
    { kind: "requeue-exhausted" as const, release },
  ]);
}

function shareOrders(situation: Situation): readonly Order[] {
  const { rollout, state, wanted } = situation;
  const { from, to } = rollout;
  switch (state) {
    case "registered":
      return [...allTo(from, wanted), share(to, 0, "nothing")];
    case "verifying":
      return [...allTo(from, wanted), share(to, 1, "probe")];
    case "soaking":
      return stageShares(situation);
    case "current":
      return [...allTo(to, wanted), ...warm(situation)];
    case "halted":
      return [...allTo(from, wanted), share(to, 0, "nothing")];
    case "rolling-back":
      return [...allTo(from, wanted), ...goingBack(situation)];
    case "draining":
    case "drained":
      return leaverShares(situation);
    case "retired":
      return [...allTo(to, wanted), share(from, 0, "nothing")];
    case "unknown":
      return [];
  }
}

function leaverShares({ rollout, observation, wanted }: Situation): readonly Order[] {
  const { from, to, direction, back } = rollout;
  if (direction === "forward") return [...allTo(to, wanted), ...leaving(from, observation.from, false)];
  return [...allTo(from, wanted), ...leaving(to, observation.to, back?.failed === true)];
}

/** While the new workers start, the old ones keep what they had: what is ready goes first. */
function stageShares(situation: Situation): readonly Order[] {
  const { rollout, policy, wanted } = situation;
  if (wanted === null) return [];
  const { stage, from, to } = rollout;
  const newShare = shareOf(rollout, policy);
  const isStarting = stage?.phase === "starting";
  const split = decideSplit(wanted, newShare);
  const old = isStarting ? decideSplit(wanted, stage.shareBefore).from : split.from;
  const isGone = newShare >= 1 && !isStarting;
  return [share(to, split.to, "all"), ...(isGone ? warm(situation) : [share(from, old, "all")])];
}

/** Kept for the way back: idle, and there at once. */
function warm({ rollout, policy, wanted }: Situation): readonly Order[] {
  return wanted === null ? [] : [share(rollout.from, Math.ceil(wanted * policy.warmShare), "nothing")];
}

function allTo(release: string, wanted: number | null): readonly Order[] {
  return wanted === null ? [] : [share(release, wanted, "all")];
}

/** A failed release has nothing; a healthy one goes on until the old one has its workers. */
function goingBack({ rollout, observation, policy, wanted }: Situation): readonly Order[] {
  const { back, to } = rollout;
  if (back?.failed === true) return [share(to, 0, "nothing")];
  const hasOldWorkers = wanted !== null && (observation.from.taking ?? -1) >= wanted;
  if (back?.phase === "restoring" && hasOldWorkers) return leaving(to, observation.to, false);
  if (wanted === null) return [];
  const untilNow = rollout.currentAtMs === null ? shareOf(rollout, policy) : 1;
  return [share(to, decideSplit(wanted, untilNow).to, "all")];
}

/** One worker while anything is left that only it can do or may hold; not known is something. */
function leaving(release: string, view: ReleaseView, failed: boolean): readonly Order[] {
  if (failed) return [share(release, 0, "nothing")];
  const { inFlight, onlyItReads, workers } = view;
  const isNeeded = onlyItReads === null || onlyItReads > 0;
  if (isNeeded) return [share(release, KEEPERS, "own-lanes")];
  const isOrphaned = inFlight === null || (inFlight > 0 && (workers ?? 0) === 0);
  return [share(release, isOrphaned ? KEEPERS : 0, isOrphaned ? "own-lanes" : "nothing")];
}

function drainerOrders({ rollout, observation }: Situation): readonly Order[] {
  return rollout.drainers.flatMap(({ release, failed }) => {
    const view = observation.drainers[release];
    return view === undefined ? [] : leaving(release, view, failed);
  });
}

function probeOrders({ rollout, state }: Situation): readonly Order[] {
  const { probe, to } = rollout;
  if (state !== "verifying" || probe === null) return [];
  return [{ kind: "start-probe", release: to, attempt: probe.attempt }];
}

function handBackOrders({ rollout, state }: Situation, nowMs: number): readonly Order[] {
  const { stage } = rollout;
  const isStage = state === "soaking" && stage?.phase === "draining";
  if (isStage && (stage.handedBack || bypassInForce(rollout, nowMs).handsBackNow)) {
    return [{ kind: "hand-back", release: rollout.from }];
  }
  if (state === "draining" && rollout.drainForced) return [{ kind: "hand-back", release: leaverOf(rollout) }];
  return [];
}

function share(release: string, workers: number, takes: Takes): Order {
  return { kind: "share", release, workers, takes };
}
