/**
 * Back to the old release: the gate is lowered first, then the old release has all, at once.
 *
 * Pure. A release that failed takes nothing from the moment it is halted, whatever phase the way back is in. A healthy
 * one keeps one worker on what only it reads until that is empty. A way back is not paused and has no gate.
 */
import { changed, missing, type Outcome, stayed } from "./decide-change.ts";
import { leave } from "./decide-leaving.ts";
import type { Look } from "./decide-stage.ts";
import type { Rollout } from "./rollout-document.ts";

export interface Reason {
  readonly nowMs: number;
  readonly by: string;
  readonly why: string;
  /** The release failed: it is not to run anything any more. */
  readonly failed: boolean;
}

/** Workers that a healthy release keeps on the way back for what only it reads. */
export const KEEPERS = 1;

export function turnBack(rollout: Rollout, { nowMs, by, why, failed }: Reason): Outcome {
  const patch: Partial<Rollout> = {
    state: "rolling-back",
    direction: "back",
    back: { phase: "lowering", failed, by, why },
    paused: null,
    bypass: null,
    knownState: null,
    quietSinceMs: null,
  };
  const sentence = `${rollout.from} is to have it all again: ${why}`;
  return changed(rollout, patch, { nowMs, code: "roll-back", sentence, by, why });
}

export function decideHalted(rollout: Rollout, { policy, nowMs }: Look): Outcome {
  const why = rollout.halt === null ? "halted" : `${rollout.halt.gate}: ${rollout.halt.why}`;
  if (policy.autoRollback) return turnBack(rollout, { nowMs, by: "rollout", why, failed: true });
  return stayed(rollout, { code: "halted", sentence: why, wouldChange: "abort, retry, or a new revision" });
}

export function decideWayBack(rollout: Rollout, look: Look): Outcome {
  const { back } = rollout;
  if (back === null) return missing(rollout, "why the rollout goes back");
  return back.phase === "lowering" ? lowering(rollout, back, look) : restoring(rollout, back, look);
}

function lowering(
  rollout: Rollout,
  back: NonNullable<Rollout["back"]>,
  { observation: { activeVersions }, nowMs }: Look,
): Outcome {
  if (rollout.gateRaised) {
    if (activeVersions === null) return missing(rollout, "where the gates stand");
    const high = gatesTooHigh(rollout, activeVersions);
    if (high.length > 0) {
      const sentence = `the gate is not yet lowered: ${high.join(", ")}`;
      return stayed(rollout, { code: "lowering", sentence, wouldChange: "the gate where it was before" });
    }
  }
  const patch = { back: { ...back, phase: "restoring" as const }, gateRaised: false };
  const sentence = `nothing new is written for ${rollout.to}; ${rollout.from} takes over`;
  return changed(rollout, patch, { nowMs, code: "restore", sentence });
}

function restoring(
  rollout: Rollout,
  { failed, why }: NonNullable<Rollout["back"]>,
  { observation, nowMs }: Look,
): Outcome {
  const { workersWanted, from, to } = observation;
  if (workersWanted === null) return missing(rollout, "how many workers the pool is to have");
  if (from.taking === null) return missing(rollout, `how many workers of ${rollout.from} take jobs`);
  if (from.taking < workersWanted) {
    const sentence = `${from.taking} of ${workersWanted} workers of ${rollout.from} take jobs`;
    return stayed(rollout, { code: "restoring", sentence, wouldChange: "its workers" });
  }
  const kept = failed ? 0 : KEEPERS;
  if (to.taking === null) return missing(rollout, `how many workers of ${rollout.to} take jobs`);
  if (to.taking > kept) {
    const sentence = `${to.taking} workers of ${rollout.to} take jobs, ${kept} are to`;
    return stayed(rollout, { code: "restoring", sentence, wouldChange: "their drain" });
  }
  // What they still run, they finish in the state that follows, which has the deadline.
  return leave(rollout, { nowMs, sentence: `${rollout.from} has it all again: ${why}` });
}

/** Types whose gate stands above where the rollout found it. */
export function gatesTooHigh(
  { gates }: Pick<Rollout, "gates">,
  activeVersions: Readonly<Record<string, number>>,
): readonly string[] {
  return gates.filter(({ type, before }) => (activeVersions[type] ?? 0) > before).map(({ type }) => type);
}
