/**
 * The end of a rollout: the window in which the way back is at once, then the leaving release until it is retired.
 *
 * Pure. The leaver is the old release, or the new one after a rollback. A release counts as drained only after it was
 * seen to hold nothing for the whole hold without a gap in what is known; work that comes up again makes it draining
 * again. Who was rolled back is not retired by itself: it may be wanted again.
 */
import { changed, missing, type Outcome, stayed } from "./decide-change.ts";
import { decideReleaseDrained } from "./decide-drained.ts";
import type { Look } from "./decide-stage.ts";
import type { Rollout } from "./rollout-document.ts";
import type { ReleaseView, RolloutObservation } from "./rollout-observation.ts";

export function leaverOf({ direction, from, to }: Pick<Rollout, "direction" | "from" | "to">): string {
  return direction === "forward" ? from : to;
}

/** Whether what the old release still ran was taken from it, in a step or at the end. */
export function isForced({
  drainForced,
  shareTakenBack,
}: Pick<Rollout, "drainForced" | "shareTakenBack">): boolean {
  return drainForced || shareTakenBack;
}

/** Whether nothing of the rollout is left to do: another may begin in its pool. */
export function isFinished({ state, direction }: Pick<Rollout, "state" | "direction">): boolean {
  return state === "retired" || (state === "drained" && direction === "back");
}

export function decideWindow(rollout: Rollout, { observation, nowMs, policy }: Look): Outcome {
  const leftMs = (rollout.currentAtMs ?? nowMs) + policy.rollbackWindowMs - nowMs;
  if (leftMs > 0) {
    const sentence = `${Math.ceil(leftMs / 1000)} s of the rollback window are left`;
    return stayed(rollout, { code: "window", sentence, wouldChange: "the end of the window, or undo" });
  }
  // Its end takes warm workers away: not while nobody knows that the new ones are there.
  const { workersWanted, to } = observation;
  if (workersWanted === null || to.taking === null) {
    return missing(rollout, `whether ${rollout.to} has its workers`);
  }
  if (to.taking < workersWanted) {
    const sentence = `the rollback window is over, and ${to.taking} of ${workersWanted} workers of ${rollout.to} take jobs`;
    return stayed(rollout, { code: "window", sentence, wouldChange: "its workers, or undo" });
  }
  return leave(rollout, { nowMs, sentence: "the rollback window is over" });
}

/** The leaver takes nothing more from here on. */
export function leave(
  rollout: Rollout,
  said: { readonly nowMs: number; readonly sentence: string; readonly by?: string; readonly why?: string },
): Outcome {
  const patch = { state: "draining" as const, quietSinceMs: null, drainForced: false, paused: null };
  return changed(rollout, patch, { code: "drain", ...said });
}

export function decideDraining(rollout: Rollout, look: Look): Outcome {
  const { nowMs, policy } = look;
  const release = leaverOf(rollout);
  const drained = decideReleaseDrained(release, viewOf(rollout, look.observation));
  if (drained.kind === "not-known") return missing(rollout, drained.what);
  if (drained.kind === "holds") return stillHolds(rollout, drained.blockers, look);
  if (rollout.quietSinceMs === null) {
    const sentence = `${release} holds nothing; that has to stay so for ${policy.drainHoldMs / 1000} s`;
    return changed(rollout, { quietSinceMs: nowMs }, { nowMs, code: "quiet", sentence });
  }
  const leftMs = rollout.quietSinceMs + policy.drainHoldMs - nowMs;
  if (leftMs > 0) {
    const sentence = `${release} holds nothing, and is watched for ${Math.ceil(leftMs / 1000)} s more`;
    return stayed(rollout, { code: "quiet", sentence, wouldChange: "a lost job that comes up again" });
  }
  const how = rollout.drainForced ? ", after its jobs were taken back" : "";
  return changed(
    rollout,
    { state: "drained" },
    { nowMs, code: "drained", sentence: `${release} is drained${how}` },
  );
}

export function decideRetired(rollout: Rollout, look: Look): Outcome {
  const { observation, nowMs } = look;
  const release = leaverOf(rollout);
  const drained = decideReleaseDrained(release, viewOf(rollout, observation));
  if (drained.kind === "not-known") return missing(rollout, drained.what);
  if (drained.kind === "holds") {
    const sentence = drained.blockers.join("; ");
    const patch = { state: "draining" as const, quietSinceMs: null };
    return changed(rollout, patch, { nowMs, code: "not-drained", sentence });
  }
  if (observation.retired === null) return missing(rollout, `whether ${release} is retired`);
  if (!observation.retired) {
    const sentence = `${release} is drained and is to retire`;
    return stayed(rollout, { code: "retiring", sentence, wouldChange: "its entry as retired" });
  }
  const sentence = `${release} is retired${isForced(rollout) ? " (forced: its jobs were taken back)" : ""}`;
  return changed(rollout, { state: "retired" }, { nowMs, code: "retired", sentence });
}

function stillHolds(rollout: Rollout, blockers: readonly string[], { nowMs, policy }: Look): Outcome {
  const sentence = blockers.join("; ");
  if (rollout.quietSinceMs !== null) {
    return changed(rollout, { quietSinceMs: null }, { nowMs, code: "not-quiet", sentence });
  }
  const forMs = nowMs - rollout.stateSinceMs;
  if (!rollout.drainForced && forMs >= policy.drainDeadlineMs) {
    const patch = { drainForced: true };
    return changed(rollout, patch, { nowMs, code: "hand-back", sentence: `taken back: ${sentence}` });
  }
  const code = forMs >= policy.drainDeadlineMs + policy.handBackGraceMs ? "drain-stuck" : "draining";
  return stayed(rollout, { code, sentence, wouldChange: "the end of these jobs" });
}

function viewOf({ direction }: Rollout, { from, to }: RolloutObservation): ReleaseView {
  return direction === "forward" ? from : to;
}
