import { describe, expect, test } from "vitest";
import { decideRolloutProgress } from "#autoscaler/rollout/decide-rollout-progress";
import type { Rollout } from "#autoscaler/rollout/rollout-document";
import { aPolicy, aRollout, aStage, START_MS } from "./rollout-builder.ts";

const policy = aPolicy();

function progress(over: Partial<Rollout>, afterMs = 0) {
  return decideRolloutProgress(aRollout(over), { policy, nowMs: START_MS + afterMs });
}

const PAUSED = { code: "operator", why: "lunch", by: "ben", atMs: START_MS };
const HALT = { atMs: START_MS, gate: "failures", why: "it fails", suspects: [] };
const BACK = { phase: "restoring" as const, failed: true, by: "rollout", why: "it fails" };

/** The step that is open or failed. */
function at(over: Partial<Rollout>): string | undefined {
  return progress(over).steps.find(({ state }) => state === "open" || state === "failed")?.name;
}

describe("the verdict", () => {
  test.each<[Partial<Rollout>, string, boolean]>([
    [{ state: "registered" }, "going-on", false],
    [{ state: "soaking", stage: aStage() }, "going-on", false],
    [{ state: "soaking", stage: aStage(), paused: PAUSED }, "paused", false],
    [{ state: "unknown", knownState: "soaking", stage: aStage() }, "going-on", false],
    [{ state: "unknown", knownState: "current" }, "current", false],
    [{ state: "current" }, "current", false],
    [{ state: "draining" }, "current", false],
    [{ state: "drained" }, "current", false],
    [{ state: "retired" }, "finished", true],
    [{ state: "halted", stage: aStage(), halt: HALT }, "halted", false],
    [{ state: "rolling-back", direction: "back", back: BACK }, "rolled-back", false],
    [{ state: "draining", direction: "back", back: BACK }, "rolled-back", false],
    [{ state: "drained", direction: "back", back: BACK }, "rolled-back", true],
  ])("of %j is %s", (over, verdict, isOver) => {
    expect(progress(over)).toMatchObject({ verdict, isOver });
  });
});

describe("the steps", () => {
  test("are those of the policy between the probe and the gates, of which one is open", () => {
    const { steps } = progress({ state: "soaking", stage: aStage({ step: 1 }) });
    expect(steps.map(({ name, state }) => `${name}: ${state}`)).toEqual([
      "contract: done",
      "probe: done",
      "5 %: done",
      "25 %: open",
      "50 %: ahead",
      "100 %: ahead",
      "gates: ahead",
      "window: ahead",
      "drain: ahead",
      "retire: ahead",
    ]);
  });

  test("leave the gates out where no type broke", () => {
    expect(progress({ gates: [] }).steps.map(({ name }) => name)).not.toContain("gates");
  });

  test("are where the state says", () => {
    expect(at({ state: "registered" })).toBe("contract");
    expect(at({ state: "verifying", probe: { attempt: 1, sinceMs: START_MS } })).toBe("probe");
    expect(at({ state: "soaking", stage: aStage({ kind: "emission", step: 4, phase: "raising" }) })).toBe(
      "gates",
    );
    expect(at({ state: "halted", stage: aStage(), halt: HALT })).toBe("5 %");
    expect(at({ state: "unknown", knownState: "current" })).toBe("window");
    expect(at({ state: "drained" })).toBe("retire");
    expect(at({ state: "retired" })).toBeUndefined();
    expect(at({ state: "rolling-back", direction: "back", back: BACK })).toBe("restore");
    expect(at({ state: "drained", direction: "back", back: BACK })).toBeUndefined();
  });

  test("say which one failed", () => {
    const { steps } = progress({ state: "halted", stage: aStage(), halt: HALT });
    expect(steps[2]).toEqual({ name: "5 %", state: "failed" });
  });
});

describe("the time that runs", () => {
  test("is the phase's own, and never less than none", () => {
    const soaking = { state: "soaking" as const, stage: aStage() };
    // A soak of 600 s, of which 10 are over.
    expect(progress(soaking, 10_000).running).toEqual({ what: "soak", leftMs: 590_000 });
    expect(progress(soaking, 700_000).running).toEqual({ what: "soak", leftMs: 0 });
    const draining = { state: "soaking" as const, stage: aStage({ phase: "draining" }) };
    expect(progress(draining).running).toEqual({ what: "drain", leftMs: policy.drainDeadlineMs });
    const taken = { state: "soaking" as const, stage: aStage({ phase: "draining", handedBack: true }) };
    expect(progress(taken).running).toEqual({ what: "hand-back", leftMs: policy.handBackGraceMs });
    expect(progress({ state: "current", currentAtMs: START_MS }).running?.what).toBe("window");
    expect(progress({ state: "draining", quietSinceMs: START_MS }).running).toEqual({
      what: "hold",
      leftMs: policy.drainHoldMs,
    });
  });

  test("is none while it is paused, while a fact is missing, and at a gate", () => {
    expect(progress({ state: "soaking", stage: aStage(), paused: PAUSED }).running).toBeNull();
    expect(progress({ state: "soaking", stage: aStage(), missingSinceMs: START_MS }).running).toBeNull();
    expect(progress({ state: "soaking", stage: aStage({ phase: "gate" }) }).running).toBeNull();
  });
});
