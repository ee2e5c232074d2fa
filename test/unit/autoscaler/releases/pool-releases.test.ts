import { describe, expect, test } from "vitest";
import { decidePoolReleases, incumbentOf } from "#autoscaler/releases/decide-pool-releases";
import { aRollout } from "../rollout/rollout-builder.ts";

const parts = (...of: Parameters<typeof decidePoolReleases>) => [...decidePoolReleases(...of).parts];

describe("decidePoolReleases", () => {
  test("gives a pool without a rollout to its oldest release, however many were published since", () => {
    expect(decidePoolReleases(null, ["mail-1", "mail-2"])).toEqual({
      incumbent: "mail-1",
      parts: new Set(["mail-1"]),
    });
    expect(decidePoolReleases(null, [])).toEqual({ incumbent: null, parts: new Set() });
  });

  test.each([
    ["registered", "forward", "mail-1"],
    ["soaking", "forward", "mail-1"],
    ["halted", "forward", "mail-1"],
    ["current", "forward", "mail-2"],
    ["draining", "forward", "mail-2"],
    ["rolling-back", "back", "mail-1"],
    ["draining", "back", "mail-1"],
    ["drained", "back", "mail-1"],
  ] as const)("while it is %s %s, both have a part and %3$s has the pool", (state, direction, has) => {
    const rollout = aRollout({ state, direction });
    expect(decidePoolReleases(rollout, ["mail-1", "mail-2", "mail-3"])).toEqual({
      incumbent: has,
      parts: new Set(["mail-1", "mail-2"]),
    });
  });

  test("takes an unknown state for the one before", () => {
    expect(incumbentOf(aRollout({ state: "unknown", knownState: "current" }))).toBe("mail-2");
  });

  test("keeps releases of earlier revisions until they have left", () => {
    const drainers = [{ release: "mail-0", sinceMs: 1, failed: false }];
    expect(parts(aRollout({ state: "soaking", drainers }), [])).toEqual(["mail-1", "mail-2", "mail-0"]);
  });

  test("leaves the new one alone once the old one is retired", () => {
    const retired = aRollout({ state: "retired" });
    expect(parts(retired, ["mail-2", "mail-3"])).toEqual(["mail-2"]);
    // Gone from the configuration: whoever is there.
    expect(parts(retired, ["mail-3", "mail-4"])).toEqual(["mail-3"]);
  });
});
