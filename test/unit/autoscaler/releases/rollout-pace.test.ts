import { describe, expect, test } from "vitest";
import { ACTIVE_PACE_MS, DRAIN_PACE_MS, decideRolloutPace } from "#autoscaler/releases/decide-rollout-pace";
import { aRollout, aStage } from "../rollout/rollout-builder.ts";

const PAUSED = { code: "operator", why: "lunch", by: "ben", atMs: 1 };

describe("decideRolloutPace", () => {
  test("leaves it to the tick while nothing is due", () => {
    expect(decideRolloutPace([], true)).toBeNull();
    for (const state of ["current", "retired"] as const) {
      expect(decideRolloutPace([aRollout({ state })], true)).toBeNull();
    }
    expect(decideRolloutPace([aRollout({ state: "drained", direction: "back" })], false)).toBeNull();
    expect(decideRolloutPace([aRollout({ paused: PAUSED })], false)).toBeNull();
  });

  test("looks often at a rollout under way, a paused stage too: its gates still halt it", () => {
    expect(decideRolloutPace([aRollout()], false)).toBe(ACTIVE_PACE_MS);
    const stage = aStage({ phase: "draining" });
    expect(decideRolloutPace([aRollout({ state: "soaking", stage, paused: PAUSED })], false)).toBe(
      ACTIVE_PACE_MS,
    );
  });

  test("looks most often right after a change and while something drains", () => {
    expect(decideRolloutPace([aRollout()], true)).toBe(DRAIN_PACE_MS);
    expect(decideRolloutPace([aRollout({ state: "draining" })], false)).toBe(DRAIN_PACE_MS);
    const stage = aStage({ phase: "draining" });
    expect(
      decideRolloutPace([aRollout({ state: "current" }), aRollout({ state: "soaking", stage })], false),
    ).toBe(DRAIN_PACE_MS);
    const quiet = aRollout({ state: "draining", quietSinceMs: 1 });
    expect(decideRolloutPace([quiet], false)).toBe(ACTIVE_PACE_MS);
  });
});
