/** What a real fleet taught: words about probes outlive a rollout, and a worker that takes may have taken. */
import { describe, expect, test } from "vitest";
import { decideReleaseDrained } from "#autoscaler/rollout/decide-drained";
import { aRollout, aView, look, START_MS } from "./rollout-builder.ts";

describe("a probe", () => {
  test("has a number that no rollout of the release has used before: what was said of one outlives it", () => {
    const first = look(aRollout(), {}).rollout;
    const second = look(aRollout(), {}, { afterMs: 5_000 }).rollout;
    expect(second.probe?.attempt).toBeGreaterThan(first.probe?.attempt ?? 0);
  });

  test("has a higher number when it is tried again, whatever the clock says", () => {
    const before = { attempt: START_MS + 9, sinceMs: START_MS };
    expect(look(aRollout({ probe: before }), {}).rollout.probe?.attempt).toBe(START_MS + 10);
  });
});

describe("a release", () => {
  test("is not drained while a worker of it takes jobs: it may have taken one since it was heard of", () => {
    expect(decideReleaseDrained("mail-1", aView({ taking: 1 }))).toEqual({
      kind: "holds",
      blockers: ["1 worker of mail-1 takes jobs"],
    });
    expect(decideReleaseDrained("mail-1", aView({ taking: null })).kind).toBe("not-known");
    expect(decideReleaseDrained("mail-1", aView({ taking: 0, workers: 4 })).kind).toBe("drained");
  });
});
