/** The baselines, step by step as their documents tell them. */
import { describe, expect, test } from "vitest";
import { awsBacklogPolicy } from "#autoscaler/simulator/policies/aws-backlog";
import { judoscalePolicy } from "#autoscaler/simulator/policies/judoscale";
import { keda, kedaDefault } from "#autoscaler/simulator/policies/keda";
import { clairvoyantPolicy, constantPolicy } from "#autoscaler/simulator/policies/planned";
import type { PolicyFactory, PoolSight } from "#autoscaler/simulator/scaling-policy";
import { POLICY_OPTIONS, sight } from "./simulation-builder.ts";

/** The answers to looks a tick apart; each tells what is different from nothing. */
function answers(factory: PolicyFactory, looks: readonly Partial<PoolSight>[]): number[] {
  const policy = factory(POLICY_OPTIONS);
  return looks.map((look, at) => policy.decide(sight({ nowMs: at * policy.tickMs, ...look })));
}

const times = (count: number, look: Partial<PoolSight>) => Array<Partial<PoolSight>>(count).fill(look);

describe("KEDA", () => {
  test("counts what waits, over the target, rounded up", () => {
    // 41 / 5 = 8.2 -> 9, within 6 + max(4, 6).
    expect(answers(kedaDefault("waiting", 5), [{ waiting: 41, active: 30, readyWorkers: 6 }])).toEqual([9]);
  });

  test("counts what runs too when it is told to", () => {
    // (41 + 30) / 10 = 7.1 -> 8.
    expect(
      answers(kedaDefault("waiting+active", 10), [{ waiting: 41, active: 30, readyWorkers: 6 }]),
    ).toEqual([8]);
  });

  test("grows by 4 pods or by 100 %, whichever is more", () => {
    const looks = [1, 5, 10, 20].map((readyWorkers) => ({ waiting: 500, readyWorkers }));
    // 1 + 4; 5 x 2; 10 x 2; 20 x 2; wanted are 100.
    expect(answers(kedaDefault("waiting", 5), looks)).toEqual([5, 10, 20, 40]);
  });

  test("stays within a tolerance of a tenth", () => {
    const at = (waiting: number) => answers(kedaDefault("waiting", 5), [{ waiting, readyWorkers: 10 }])[0];
    // 54 / 50 = 1.08 and 46 / 50 = 0.92 are within it; 56 / 50 = 1.12 wants ceil(11.2).
    expect([at(46), at(54), at(56)]).toEqual([10, 10, 12]);
  });

  test("shrinks to the most that was recommended within the window", () => {
    const window = keda({
      name: "test",
      metric: "waiting",
      target: 1,
      stabilizationMs: 60_000,
      replicasMin: 0,
      scaleIn: "kill-random",
      victimGraceMs: 30_000,
    });
    const looks = [{ waiting: 20 }, { waiting: 12 }, ...times(5, { waiting: 5 })].map((it) => ({
      ...it,
      readyWorkers: 20,
    }));
    // 20 is recommended at 0 s and 12 at 15 s. The window of 60 s forgets what was said 60 s ago:
    // the 20 at 60 s, the 12 at 75 s.
    expect(answers(window, looks)).toEqual([20, 20, 20, 20, 12, 5, 5]);
  });

  test("begins with what is there when it remembers nothing", () => {
    expect(answers(kedaDefault("waiting", 5), [{ waiting: 5, readyWorkers: 20 }])).toEqual([20]);
  });

  test("goes from none to one at its poll, every 30 s, whatever the backlog", () => {
    // Looks are 15 s apart, polls 30 s: the job that comes after the first look is seen with the third.
    expect(answers(kedaDefault("waiting", 5), [{}, { waiting: 900 }, { waiting: 900 }])).toEqual([0, 0, 1]);
  });

  test("goes to none 300 s after it last saw something", () => {
    const looks = [{ waiting: 1, readyWorkers: 1 }, ...times(22, { readyWorkers: 1 })];
    // 300 s are 20 looks; the poll of the 20th is the first after them.
    expect(answers(kedaDefault("waiting", 5), looks).indexOf(0)).toBe(20);
  });
});

describe("AWS' backlog per instance", () => {
  // A mean of 30 s: 60 / 30 = 2 jobs an instance are acceptable.
  const measured = { finishedTotal: 10, busyMsTotal: 300_000, readyWorkers: 10 };

  test("grows in proportion after three of three minutes above the target", () => {
    // 50 / 10 / 2 = 2.5: 25 instances.
    expect(answers(awsBacklogPolicy, times(3, { ...measured, waiting: 50 }))).toEqual([10, 10, 25]);
  });

  test("shrinks in proportion after fifteen minutes below nine tenths of it", () => {
    // 10 / 10 / 2 = 0.5: 5 instances.
    const told = answers(awsBacklogPolicy, times(15, { ...measured, waiting: 10 }));
    expect(told).toEqual([...Array(14).fill(10), 5]);
  });
});

describe("Judoscale's steps", () => {
  test("add one at each report above half of the promise", () => {
    const looks = [29_000, 31_000, 40_000].map((oldestDueAgeMs) => ({ oldestDueAgeMs, readyWorkers: 3 }));
    expect(answers(judoscalePolicy, looks)).toEqual([3, 4, 4]);
  });

  test("take one away after ten minutes below a tenth of it", () => {
    const told = answers(judoscalePolicy, times(62, { readyWorkers: 3 }));
    // 600 s are 60 reports.
    expect(told).toEqual([...Array(60).fill(3), 2, 3]);
  });
});

describe("the planned baselines", () => {
  test("keep to their plan", () => {
    expect(answers(constantPolicy(7), [{}, { waiting: 99 }])).toEqual([7, 7]);
    const plan = clairvoyantPolicy(Uint32Array.from([2, 9, 4]), 15_000);
    // At 0 s the second minute is 60 s away; at 45 s a worker started now is ready in it.
    expect(answers(plan, [{ nowMs: 0 }, { nowMs: 45_000 }, { nowMs: 120_000 }])).toEqual([2, 9, 4]);
  });
});
