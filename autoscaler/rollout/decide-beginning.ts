/**
 * The beginning of a rollout: from its entry to the first step, past the contract check and the probe job.
 *
 * Pure. A probe that fails or does not end in time goes back by itself: a rollout never waits for ever.
 */
import { changed, missing, type Outcome, stayed } from "./decide-change.ts";
import type { Look } from "./decide-stage.ts";
import { contractBlocker, openNext } from "./decide-stage-opening.ts";
import { gatesTooHigh, turnBack } from "./decide-way-back.ts";
import type { Rollout } from "./rollout-document.ts";

export function decideRegistered(rollout: Rollout, look: Look): Outcome {
  const { observation, nowMs } = look;
  if (rollout.gateRaised) return gatesFirst(rollout, look);
  if (observation.contract === null) return missing(rollout, "whether every lane keeps a reader");
  const blocker = contractBlocker(observation.contract);
  if (blocker !== null) {
    return stayed(rollout, { code: "contract", sentence: blocker, wouldChange: "a reader for it" });
  }
  // What workers said of a probe outlives its rollout, so no number may come twice for a release.
  const attempt = Math.max((rollout.probe?.attempt ?? 0) + 1, Math.round(nowMs));
  const patch = { state: "verifying" as const, probe: { attempt, sinceMs: nowMs } };
  const sentence = `${rollout.to} gets a worker and a probe job`;
  return changed(rollout, patch, { nowMs, code: "verify", sentence });
}

/** A revision before this one had raised gates: they go down before the new release is tried. */
function gatesFirst(rollout: Rollout, { observation: { activeVersions }, nowMs }: Look): Outcome {
  if (activeVersions === null) return missing(rollout, "where the gates stand");
  const high = gatesTooHigh(rollout, activeVersions);
  if (high.length > 0) {
    const sentence = `the gate is not yet lowered: ${high.join(", ")}`;
    return stayed(rollout, { code: "lowering", sentence, wouldChange: "the gate where it was before" });
  }
  const gates = rollout.gates.filter(({ before, wanted }) => wanted > before);
  const sentence = "the gates stand where they did before the first revision";
  return changed(rollout, { gates, gateRaised: false }, { nowMs, code: "gate-lowered", sentence });
}

export function decideVerifying(rollout: Rollout, look: Look): Outcome {
  const { observation, nowMs, policy } = look;
  const { probe } = rollout;
  if (probe === null) return missing(rollout, "the probe job");
  const seen = observation.probe?.attempt === probe.attempt ? observation.probe : null;
  if (seen?.outcome === "succeeded") {
    return openNext(rollout, { observation, policy, nowMs, evaluations: [] });
  }
  if (seen?.outcome === "failed") {
    const why = `the probe job failed: ${seen.detail}`;
    return turnBack(rollout, { nowMs, by: "rollout", why, failed: true });
  }
  const leftMs = probe.sinceMs + policy.startDeadlineMs + policy.verifyDeadlineMs - nowMs;
  if (leftMs <= 0) {
    const why = "the probe job did not end in time";
    return turnBack(rollout, { nowMs, by: "rollout", why, failed: true });
  }
  if (seen === null) return missing(rollout, "what became of the probe job");
  const sentence = `the probe job has ${Math.ceil(leftMs / 1000)} s left`;
  return stayed(rollout, { code: "verifying", sentence, wouldChange: "the end of the probe job" });
}
