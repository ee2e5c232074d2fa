/**
 * What an operator's act makes of a rollout: pause, resume, retry, the three bypasses, abort, undo, a new revision, close.
 *
 * Pure. Every act has who and why, and is in the history. None of them opens a stage: they change what the next look
 * may do, so that the contract check and the drain stand whatever is asked for. Who may act is decided elsewhere.
 */

import type { RolloutPolicy } from "#shared/rollout/rollout-policy";
import { changed, cut, type Outcome } from "./decide-change.ts";
import { isFinished, leave } from "./decide-leaving.ts";
import { turnBack } from "./decide-way-back.ts";
import type { Rollout } from "./rollout-document.ts";
import type { OperatorAct } from "./rollout-observation.ts";

export type ActRefusal =
  | "who-missing"
  | "why-missing"
  | "expiry-wrong"
  | "release-wrong"
  | "too-many-drainers"
  | "not-in-this-state";

export type ActDecision =
  | { readonly kind: "done"; readonly outcome: Outcome }
  | { readonly kind: "refused"; readonly code: ActRefusal; readonly reason: string };

export interface ActInput {
  readonly act: OperatorAct;
  readonly policy: RolloutPolicy;
  readonly nowMs: number;
}

/** A force holds for this long at most: it is for an emergency. */
const FORCE_MS_MAX = 24 * 3_600_000;

const DRAINERS_MAX = 5;

export function decideAct(rollout: Rollout, input: ActInput): ActDecision {
  const { act } = input;
  if (act.by.trim() === "") return refused("who-missing", "say who asks for it");
  if (act.why.trim() === "") return refused("why-missing", `say why: ${act.kind} is kept in the history`);
  switch (act.kind) {
    case "pause":
      return pauseAct(rollout, input);
    case "resume":
      return resume(rollout, input);
    case "retry":
      return retry(rollout, input);
    case "promote":
    case "promote-full":
      return promote(rollout, input);
    case "force":
      return force(rollout, input);
    case "abort":
      return abort(rollout, input);
    case "undo":
      return undo(rollout, input);
    case "revise":
      return revise(rollout, input);
    case "close":
      return close(rollout, input);
  }
}

function pauseAct(rollout: Rollout, { act, nowMs }: ActInput): ActDecision {
  if (!isGoingOn(rollout)) return notNow(rollout, act, "only what goes forward can be paused");
  if (rollout.paused !== null) return notNow(rollout, act, `it is paused already: ${rollout.paused.why}`);
  const paused = { code: "operator", why: cut(act.why), by: act.by, atMs: nowMs };
  return done(rollout, { paused }, { act, nowMs });
}

function resume(rollout: Rollout, { act, nowMs }: ActInput): ActDecision {
  if (rollout.paused === null) return notNow(rollout, act, "it is not paused");
  return done(rollout, { paused: null, stage: watchedAnew(rollout, nowMs) }, { act, nowMs });
}

/** After a halt from the start, after a pause from the phase it is in with all its time. */
function retry(rollout: Rollout, { act, nowMs }: ActInput): ActDecision {
  if (rollout.state === "halted") {
    const patch = { ...FROM_THE_START, state: "registered" as const };
    return done(rollout, patch, { act, nowMs });
  }
  if (rollout.paused === null) return notNow(rollout, act, "it is neither halted nor paused");
  return done(rollout, { paused: null, stage: watchedAnew(rollout, nowMs) }, { act, nowMs });
}

function promote(rollout: Rollout, { act, nowMs }: ActInput): ActDecision {
  const isFull = act.kind === "promote-full";
  const mayPromote = rollout.state === "soaking" || (isFull && isGoingOn(rollout));
  if (!mayPromote) return notNow(rollout, act, "there is no step to go on from");
  const kind = isFull ? ("full" as const) : ("promote" as const);
  const bypass = { kind, by: act.by, why: cut(act.why), atMs: nowMs, expiresAtMs: null };
  return done(rollout, { paused: null, bypass, stage: clockAnew(rollout, nowMs) }, { act, nowMs });
}

function force(rollout: Rollout, { act, nowMs }: ActInput): ActDecision {
  const { expiresAtMs } = act;
  if (expiresAtMs === undefined || expiresAtMs <= nowMs || expiresAtMs > nowMs + FORCE_MS_MAX) {
    return refused("expiry-wrong", "a force ends by itself: say when, from now to 24 hours ahead");
  }
  if (!isGoingOn(rollout)) return notNow(rollout, act, "only what goes forward can be forced");
  const bypass = { kind: "force" as const, by: act.by, why: cut(act.why), atMs: nowMs, expiresAtMs };
  return done(rollout, { paused: null, bypass, stage: clockAnew(rollout, nowMs) }, { act, nowMs });
}

function abort(rollout: Rollout, { act, nowMs }: ActInput): ActDecision {
  if (!isGoingOn(rollout) && rollout.state !== "halted") {
    const hint = rollout.state === "current" ? "it is current: use undo" : "nothing of it goes forward";
    return notNow(rollout, act, hint);
  }
  const { by, why } = act;
  return gone(turnBack(rollout, { nowMs, by, why: cut(why), failed: rollout.state === "halted" }));
}

function undo(rollout: Rollout, { act, nowMs, policy }: ActInput): ActDecision {
  if (stateOf(rollout) !== "current")
    return notNow(rollout, act, "only a current release is undone; use abort");
  const { by, why } = act;
  if (nowMs >= (rollout.currentAtMs ?? 0) + policy.rollbackWindowMs) {
    return notNow(rollout, act, `the rollback window is over: start a rollout to ${rollout.from}`);
  }
  return gone(turnBack(rollout, { nowMs, by, why: cut(why), failed: false }));
}

/** Another build takes the new release's place and begins at the first step; the one before leaves. */
function revise(rollout: Rollout, { act, nowMs }: ActInput): ActDecision {
  const { to } = act;
  const isBack = rollout.direction === "back" && !isFinished(rollout);
  if (!isGoingOn(rollout) && rollout.state !== "halted" && !isBack) {
    return notNow(rollout, act, "it has ended or is current: start a new rollout");
  }
  if (to === undefined || to === rollout.to || to === rollout.from || to === "") {
    return refused("release-wrong", "name another release than the two of this rollout");
  }
  if (rollout.drainers.some(({ release }) => release === to)) {
    return refused("release-wrong", `${to} still leaves this pool; publish a new build`);
  }
  if (rollout.drainers.length >= DRAINERS_MAX) {
    return refused("too-many-drainers", `${DRAINERS_MAX} releases still leave this pool; wait for one`);
  }
  const failed = rollout.state === "halted" || rollout.back?.failed === true;
  const patch: Partial<Rollout> = {
    ...FROM_THE_START,
    state: "registered",
    to,
    gates: mergeGates(rollout, act.gates ?? []),
    drainers: [...rollout.drainers, { release: rollout.to, sinceMs: nowMs, failed }],
  };
  return done(rollout, patch, { act, nowMs });
}

function close(rollout: Rollout, { act, nowMs }: ActInput): ActDecision {
  if (stateOf(rollout) !== "current") return notNow(rollout, act, "no rollback window is open");
  const { by, why } = act;
  return gone(leave(rollout, { nowMs, sentence: "the rollback window is closed", by, why: cut(why) }));
}

/** What a rollout that starts over forgets. */
const FROM_THE_START: Partial<Rollout> = {
  direction: "forward",
  stage: null,
  knownState: null,
  missingSinceMs: null,
  paused: null,
  halt: null,
  bypass: null,
  back: null,
  quietSinceMs: null,
  drainForced: false,
  shareTakenBack: false,
  currentAtMs: null,
};

/** Where a gate stood is what the first revision found; one that only an older revision raised is only lowered. */
function mergeGates(
  { gates, gateRaised }: Rollout,
  later: NonNullable<OperatorAct["gates"]>,
): Rollout["gates"] {
  const merged = later.map((it) => {
    const earlier = gateRaised ? gates.find(({ type }) => type === it.type) : undefined;
    return { ...it, before: Math.min(it.before, earlier?.before ?? it.before) };
  });
  if (!gateRaised) return merged;
  const only = gates.filter(({ type }) => later.every((it) => it.type !== type));
  return [...merged, ...only.map((it) => ({ ...it, wanted: it.before }))];
}

/** The state that counts for people while facts are missing. */
export function stateOf({ state, knownState }: Rollout): Rollout["state"] {
  return state === "unknown" ? (knownState ?? state) : state;
}

function isGoingOn(rollout: Rollout): boolean {
  return ["registered", "verifying", "soaking"].includes(stateOf(rollout));
}

/** A soak that was found inconclusive is watched from here with all its extensions. */
function watchedAnew({ stage }: Rollout, nowMs: number): Rollout["stage"] {
  if (stage === null) return null;
  const phase = stage.phase === "gate" ? ("soaking" as const) : stage.phase;
  return { ...stage, phase, phaseSinceMs: nowMs, extensions: 0 };
}

function clockAnew({ stage, paused }: Rollout, nowMs: number): Rollout["stage"] {
  return stage === null || paused === null ? stage : { ...stage, phaseSinceMs: nowMs };
}

function done(
  rollout: Rollout,
  patch: Partial<Rollout>,
  { act, nowMs }: { readonly act: OperatorAct; readonly nowMs: number },
): ActDecision {
  const until = act.expiresAtMs === undefined ? "" : ` (until ${act.expiresAtMs})`;
  const sentence = `${act.by} asked for ${act.kind}: ${act.why}`;
  const why = cut(`${act.why}${until}`);
  return gone(changed(rollout, patch, { nowMs, code: act.kind, sentence, by: act.by, why }));
}

function gone(outcome: Outcome): ActDecision {
  return { kind: "done", outcome };
}

function notNow({ state }: Rollout, { kind }: OperatorAct, why: string): ActDecision {
  return refused("not-in-this-state", `${kind} does nothing while the rollout is ${state}: ${why}`);
}

function refused(code: ActRefusal, reason: string): ActDecision {
  return { kind: "refused", code, reason };
}
