/**
 * How far a rollout is, for people and for scripts: its steps, what time is running, and whether it came off.
 *
 * Pure, and nothing is decided by it. The verdict is what a deployment waits for; the rest is to be looked at.
 */
import type { RolloutPolicy } from "#shared/rollout/rollout-policy";
import { stateOf } from "./decide-act.ts";
import { isFinished } from "./decide-leaving.ts";
import type { Rollout, RolloutStage } from "./rollout-document.ts";

export const ROLLOUT_VERDICTS = [
  "going-on",
  "paused",
  "current",
  "finished",
  "halted",
  "rolled-back",
] as const;

/**
 * `current`: the new release has the pool, the old one may still leave. `finished`: nothing is left to do, and the new
 * release has it. `halted`, `rolled-back`: the new release does not get it; `rolled-back` from the moment it turns back.
 */
export type RolloutVerdict = (typeof ROLLOUT_VERDICTS)[number];

export const STEP_STATES = ["done", "open", "ahead", "failed"] as const;

export interface RolloutStep {
  /** A fixed word, or the share of slots in per cent. */
  readonly name: string;
  readonly state: (typeof STEP_STATES)[number];
}

/** What the time that runs is for. */
export const RUNNING_TIMES = ["probe", "start", "drain", "hand-back", "soak", "window", "hold"] as const;

export interface RunningTime {
  readonly what: (typeof RUNNING_TIMES)[number];
  /** By the present phase's own limit; 0 once it is over. */
  readonly leftMs: number;
}

export interface RolloutProgress {
  readonly verdict: RolloutVerdict;
  /** Nothing will change any more. */
  readonly isOver: boolean;
  readonly steps: readonly RolloutStep[];
  /** `null` while nothing runs out: paused, unknown, or waiting for a fact. */
  readonly running: RunningTime | null;
}

export function decideRolloutProgress(
  rollout: Rollout,
  { policy, nowMs }: { readonly policy: RolloutPolicy; readonly nowMs: number },
): RolloutProgress {
  const running = runningTime(rollout, policy);
  return {
    verdict: verdictOf(rollout),
    isOver: isFinished(rollout),
    steps: rollout.direction === "back" ? stepsBack(rollout) : stepsForward(rollout, policy),
    running: running && { what: running.what, leftMs: Math.max(running.endsAtMs - nowMs, 0) },
  };
}

function verdictOf(rollout: Rollout): RolloutVerdict {
  const state = stateOf(rollout);
  if (state === "halted") return "halted";
  if (rollout.direction === "back") return "rolled-back";
  if (state === "retired") return "finished";
  if (state === "current" || state === "draining" || state === "drained") return "current";
  return rollout.paused === null ? "going-on" : "paused";
}

function stepsForward(rollout: Rollout, policy: RolloutPolicy): readonly RolloutStep[] {
  const shares = policy.steps.map((share) => `${Math.round(share * 1_000) / 10} %`);
  const gates = rollout.gates.length > 0 ? ["gates"] : [];
  const names = ["contract", "probe", ...shares, ...gates, "window", "drain", "retire"];
  const isHalted = stateOf(rollout) === "halted";
  const open = openStep(rollout, names);
  return names.map((name, index) => {
    if (index === open) return { name, state: isHalted ? "failed" : "open" };
    return { name, state: index < open ? "done" : "ahead" };
  });
}

/** Index of the step that is open; beyond the last when all are done. */
function openStep(rollout: Rollout, names: readonly string[]): number {
  const { stage } = rollout;
  switch (stateOf(rollout)) {
    case "verifying":
      return names.indexOf("probe");
    case "soaking":
    case "halted":
      return names.indexOf("probe") + 1 + (stage?.step ?? 0);
    case "current":
      return names.indexOf("window");
    case "draining":
      return names.indexOf("drain");
    case "drained":
      return names.indexOf("retire");
    case "retired":
      return names.length;
    default:
      return 0;
  }
}

function stepsBack(rollout: Rollout): readonly RolloutStep[] {
  const names = ["gates down", "restore", "drain"];
  const state = stateOf(rollout);
  const isLowering = state === "rolling-back" && rollout.back?.phase === "lowering";
  const open = isLowering ? 0 : state === "rolling-back" ? 1 : state === "draining" ? 2 : names.length;
  return names.map((name, index) => ({
    name,
    state: index === open ? "open" : index < open ? "done" : "ahead",
  }));
}

interface Ending {
  readonly what: RunningTime["what"];
  readonly endsAtMs: number;
}

function runningTime(rollout: Rollout, policy: RolloutPolicy): Ending | null {
  if (rollout.paused !== null || rollout.missingSinceMs !== null) return null;
  const { state, stage, probe, quietSinceMs, stateSinceMs, drainForced } = rollout;
  if (state === "verifying" && probe !== null) {
    return { what: "probe", endsAtMs: probe.sinceMs + policy.startDeadlineMs + policy.verifyDeadlineMs };
  }
  if (state === "soaking" && stage !== null) return stageTime(stage, policy);
  if (state === "current") {
    return { what: "window", endsAtMs: (rollout.currentAtMs ?? stateSinceMs) + policy.rollbackWindowMs };
  }
  if (state !== "draining") return null;
  if (quietSinceMs !== null) return { what: "hold", endsAtMs: quietSinceMs + policy.drainHoldMs };
  return drainForced ? null : { what: "drain", endsAtMs: stateSinceMs + policy.drainDeadlineMs };
}

function stageTime(stage: RolloutStage, policy: RolloutPolicy): Ending | null {
  const { kind, phase, phaseSinceMs, handedBack } = stage;
  switch (phase) {
    case "starting":
    case "raising":
      return { what: "start", endsAtMs: phaseSinceMs + policy.startDeadlineMs };
    case "draining":
      return handedBack
        ? { what: "hand-back", endsAtMs: phaseSinceMs + policy.handBackGraceMs }
        : { what: "drain", endsAtMs: phaseSinceMs + policy.drainDeadlineMs };
    case "soaking":
      return {
        what: "soak",
        endsAtMs: phaseSinceMs + (kind === "emission" ? policy.emissionSoakMs : policy.soakMs),
      };
    case "gate":
      return null;
  }
}
