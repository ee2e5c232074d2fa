/** What holds in every run, whatever comes and whatever the policy wants. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Outcome } from "#autoscaler/simulator/outcome";
import type { ScaleIn } from "#autoscaler/simulator/scaling-policy";
import { simulate } from "#autoscaler/simulator/simulate";
import type { Simulation } from "#autoscaler/simulator/simulation";
import { fleet, policy, workload } from "./simulation-builder.ts";

const WORKERS_MAX = 8;

const jobs = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 1, max: 20 })), {
    minLength: 1,
    maxLength: 40,
  })
  .map((list) => list.toSorted((a, b) => a[0] - b[0]));

const ways = fc.constantFrom<ScaleIn>("drain-idle-first", "kill-random", "kill-idle-first");

interface Case {
  readonly wants: readonly number[];
  readonly way: ScaleIn;
  readonly graceSec: number;
  readonly simulation: Omit<Simulation, "policy">;
}

/** Wants anything for five minutes, beyond what may be too, and two workers from then on. */
function play({ wants, way, graceSec, simulation }: Case): Outcome {
  const wanted = policy(({ nowMs }) => wants[Math.floor(nowMs / 5_000)] ?? 2, {
    scaleIn: way,
    victimGraceMs: graceSec * 1_000,
  });
  return simulate({ ...simulation, policy: wanted });
}

const cases: fc.Arbitrary<Case> = fc.record({
  wants: fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 60, maxLength: 60 }),
  way: ways,
  graceSec: fc.constantFrom(0, 5, 30),
  simulation: fc.record({
    workload: jobs.map((list) => workload(list, 300)),
    seed: fc.integer({ min: 1, max: 1_000 }),
    pickupPromiseMs: fc.constant(30_000),
    fleet: fc
      .record({
        slotsPerWorker: fc.integer({ min: 1, max: 3 }),
        workersInitially: fc.integer({ min: 0, max: 3 }),
        startDelayMs: fc.constantFrom(0, 1_000, 15_000),
        startDelayScv: fc.constantFrom(0, 1),
        startFailureShare: fc.constantFrom(0, 0.3),
        crashesPerWorkerHour: fc.constantFrom(0, 20),
        orderDelayMsMax: fc.constantFrom(0, 2_000),
        stopDelayMs: fc.constantFrom(0, 3_000),
      })
      .map((it) => fleet({ ...it, workersMax: WORKERS_MAX })),
  }),
});

describe("in every run", () => {
  test("each job is settled, and started once for each attempt", () => {
    fc.assert(
      fc.property(cases, (it) => {
        const { settled, starts, killedJobs, crashedJobs } = play(it);
        expect(settled.every((one) => one === 1)).toBe(true);
        const attempts = starts.reduce((sum, times) => sum + times, 0);
        expect(attempts).toBe(starts.length + killedJobs + crashedJobs);
      }),
    );
  });

  test("jobs are taken in the order in which they came", () => {
    fc.assert(
      fc.property(cases, (it) => {
        const { arrivalsMs } = it.simulation.workload;
        const takenMs = [...play(it).pickupMs].map((pickupMs, job) => (arrivalsMs[job] ?? 0) + pickupMs);
        expect(takenMs).toEqual(takenMs.toSorted((a, b) => a - b));
        expect(takenMs.every((ms, job) => ms >= (arrivalsMs[job] ?? 0))).toBe(true);
      }),
    );
  });

  test("there are never more workers than may be", () => {
    fc.assert(
      fc.property(cases, (it) => {
        const first = it.simulation.fleet.workersInitially;
        expect(play(it).workersPeak).toBeLessThanOrEqual(Math.max(WORKERS_MAX, first));
      }),
    );
  });

  test("the same seed gives the same run", () => {
    fc.assert(
      fc.property(cases, (it) => {
        expect(play(it)).toEqual(play(it));
      }),
      { numRuns: 30 },
    );
  });

  test("no job is killed by draining, and none is without a worker's going", () => {
    fc.assert(
      fc.property(cases, (it) => {
        const calm = {
          ...it,
          simulation: { ...it.simulation, fleet: { ...it.simulation.fleet, crashesPerWorkerHour: 0 } },
        };
        const { killedJobs, crashedJobs, wastedMs, starts } = play({ ...calm, way: "drain-idle-first" });
        expect({ killedJobs, crashedJobs, wastedMs }).toEqual({ killedJobs: 0, crashedJobs: 0, wastedMs: 0 });
        expect(starts.every((times) => times === 1)).toBe(true);
      }),
    );
  });

  test("what is paid is at least the work", () => {
    fc.assert(
      fc.property(cases, (it) => {
        const { serviceMs } = it.simulation.workload;
        const workMs = serviceMs.reduce((sum, ms) => sum + ms, 0) / it.simulation.fleet.slotsPerWorker;
        expect(play(it).paidWorkerMs).toBeGreaterThanOrEqual(workMs - 1e-6);
      }),
    );
  });
});
