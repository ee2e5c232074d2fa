import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { demoJob, jobsDue, LOAD_PROFILES, type LoadPlan, orderData } from "#cli/demo/decide-demo-jobs";
import { app as demoV1 } from "#examples/demo/releases/demo-v1";
import { app as demoV2 } from "#examples/demo/releases/demo-v2";
import { app as demoV3 } from "#examples/demo/releases/demo-v3";
import { compileStrictCheck } from "#shared/contracts/strict-check";
import { describeApp } from "#worker/app";

const plan = (more: Partial<LoadPlan> = {}): LoadPlan => ({
  profile: "steady",
  ratePerSecond: 100,
  forMs: 10_000,
  workMs: 40,
  ...more,
});

describe("the jobs of a demo that are due", () => {
  it("are the rate times the time, and no more once the plan is over", () => {
    expect([0, 1_000, 10_000, 60_000].map((ms) => jobsDue(plan(), ms))).toEqual([0, 100, 1_000, 1_000]);
  });

  it("are five times as many a second in the middle fifth of a spike", () => {
    // 4 s at 100, 2 s at 500, 4 s at 100.
    const spike = plan({ profile: "spike" });
    expect([4_000, 5_000, 6_000, 10_000].map((ms) => jobsDue(spike, ms))).toEqual([400, 900, 1_400, 1_800]);
  });

  it("never fall", () => {
    const moments = fc.tuple(fc.nat(20_000), fc.nat(20_000));
    fc.assert(
      fc.property(fc.constantFrom(...LOAD_PROFILES), moments, (profile, [a, b]) => {
        const [first, second] = a < b ? [a, b] : [b, a];
        expect(jobsDue(plan({ profile }), second)).toBeGreaterThanOrEqual(jobsDue(plan({ profile }), first));
      }),
    );
  });
});

describe("a job of a demo", () => {
  const versions = [demoV1, demoV2, demoV3].map((app, index) => {
    const newest = describeApp(app, "demo").types[0]?.versions[index];
    if (newest === undefined) throw new Error(`version ${index + 1} is missing`);
    return { version: index + 1, check: compileStrictCheck(newest.schema, "/data") };
  });

  it.each(versions)("passes the door as version $version unless it is malformed", ({ version, check }) => {
    const isFine = (n: number) =>
      check(orderData(demoJob(plan({ profile: "poison" }), n), version)).length === 0;
    // Of thirty the tenth is malformed.
    expect(Array.from({ length: 30 }, (_, n) => n).filter((n) => !isFine(n))).toEqual([9]);
  });

  it("is made to fail in two of thirty of a poisoned load, and is ten times as long in a slow one", () => {
    const made = Array.from({ length: 30 }, (_, n) => demoJob(plan({ profile: "poison" }), n));
    expect(made.filter((it) => it.made === "to-fail").map(({ n, act }) => [n, act])).toEqual([
      [19, "refuse"],
      [29, "throw"],
    ]);
    expect(demoJob(plan({ profile: "slow" }), 1).workMs).toBe(400);
  });
});
