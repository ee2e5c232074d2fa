/**
 * Whole rollouts with jobs drawn from seeds: good releases go through, bad ones are stopped early.
 *
 * 20 workers, steps of 5, 25, 50 and 100 % with ten minutes each and the emission gate after them. The good ones are looked
 * at every 40 s to keep the test short. Looked at every 5 s, 4,000 of them had 0 halts and 1 that paused as
 * inconclusive: more looks are not more false halts, since the bounds hold at all looks together.
 */
import { describe, expect, test } from "vitest";
import { Dice } from "#test/support/dice";
import { aPolicy } from "./rollout-builder.ts";
import { type Behaviour, type Ending, simulateRollout } from "./simulate-rollout.ts";

const MEDIAN_MS = 480;

interface Case {
  readonly rollouts: number;
  readonly jobsPerSec: number;
  readonly from: Behaviour;
  readonly to: Behaviour;
  readonly tickMs: number;
}

function simulate({ rollouts, ...scenario }: Case): readonly Ending[] {
  const policy = aPolicy();
  return Array.from({ length: rollouts }, (_nothing, index) =>
    simulateRollout({ ...scenario, workers: 20, policy }, new Dice(index * 7_919 + 1)),
  );
}

function behaviour(failureRate: number, medianMs = MEDIAN_MS): Behaviour {
  return { failureRate, medianMs };
}

function having(endings: readonly Ending[], state: string): readonly Ending[] {
  return endings.filter(({ rollout }) => rollout.state === state && rollout.paused === null);
}

describe("of 1,000 releases as good as the old one", () => {
  test.each([
    { jobsPerSec: 200, rate: 0.01 },
    { jobsPerSec: 200, rate: 0.05 },
    { jobsPerSec: 20, rate: 0.01 },
    { jobsPerSec: 20, rate: 0.05 },
  ])(
    "fewer than 1 % are halted and 95 % become current unaided, at $jobsPerSec jobs/s that fail $rate",
    { timeout: 60_000 },
    ({ jobsPerSec, rate }) => {
      const good = behaviour(rate);
      const endings = simulate({ rollouts: 1_000, jobsPerSec, from: good, to: good, tickMs: 40_000 });
      expect(having(endings, "halted").length).toBeLessThan(10);
      expect(having(endings, "current").length).toBeGreaterThanOrEqual(950);
    },
  );
});

describe("a release that fails 30 % of its jobs", () => {
  test.each([0, 0.01, 0.05])(
    "is halted within 10 s of its 60th job beside one that fails %d, at 200 jobs/s",
    (rate) => {
      const endings = simulate({
        rollouts: 200,
        jobsPerSec: 200,
        from: behaviour(rate),
        to: behaviour(0.3),
        tickMs: 5_000,
      });
      expect(having(endings, "halted")).toHaveLength(200);
      expect(Math.max(...endings.map(({ sinceSixtiethMs }) => sinceSixtiethMs))).toBeLessThanOrEqual(10_000);
    },
  );

  test("ran at most 1.5 times its share of the jobs when it is halted", () => {
    const endings = simulate({
      rollouts: 200,
      jobsPerSec: 200,
      from: behaviour(0.05),
      to: behaviour(0.3),
      tickMs: 5_000,
    });
    const mean = endings.reduce((sum, { exposure }) => sum + exposure, 0) / endings.length;
    expect(mean).toBeLessThanOrEqual(1.1);
    expect(Math.max(...endings.map(({ exposure }) => exposure))).toBeLessThanOrEqual(1.5);
    expect(endings.every(({ rollout }) => rollout.stage?.step === 0)).toBe(true);
  });

  test("is halted in its first step at 20 jobs/s too, where 60 jobs are a minute", () => {
    const endings = simulate({
      rollouts: 200,
      jobsPerSec: 20,
      from: behaviour(0.05),
      to: behaviour(0.3),
      tickMs: 5_000,
    });
    expect(having(endings, "halted")).toHaveLength(200);
    // The 5 % of 20 jobs/s are one a second.
    expect(Math.max(...endings.map(({ jobsOfNew }) => jobsOfNew))).toBeLessThan(200);
  });
});

describe("a release whose jobs take three times as long", () => {
  test.each([
    { medianMs: 480, where: "in the middle of a bucket" },
    // The 95th percentile goes from 0.21 s to 0.63 s: from the bucket up to 0.5 s into the next but one.
    { medianMs: 40.5, where: "just above a bound" },
  ])("is halted before its second step, with the 95th percentile $where", ({ medianMs }) => {
    const endings = simulate({
      rollouts: 100,
      jobsPerSec: 200,
      from: behaviour(0.01, medianMs),
      to: behaviour(0.01, 3 * medianMs),
      tickMs: 5_000,
    });
    const halted = having(endings, "halted");
    expect(halted).toHaveLength(100);
    expect(halted.every(({ rollout }) => rollout.halt?.gate === "run-time")).toBe(true);
    expect(halted.every(({ rollout }) => rollout.stage?.step === 0)).toBe(true);
  });
});

describe("the power of the failure test at 200 jobs/s beside 5 %", () => {
  test("finds 10 % in the first step, long before all slots", () => {
    const endings = simulate({
      rollouts: 100,
      jobsPerSec: 200,
      from: behaviour(0.05),
      to: behaviour(0.1),
      tickMs: 5_000,
    });
    expect(having(endings, "halted")).toHaveLength(100);
    expect(endings.every(({ rollout }) => rollout.stage?.step === 0)).toBe(true);
  });

  test("lets a release pass that fails 6 %: that is not worse enough to act on", () => {
    const endings = simulate({
      rollouts: 40,
      jobsPerSec: 200,
      from: behaviour(0.05),
      to: behaviour(0.06),
      tickMs: 20_000,
    });
    expect(having(endings, "halted")).toHaveLength(0);
  });
});
