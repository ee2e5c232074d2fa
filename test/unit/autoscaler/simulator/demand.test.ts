/** The demand curve and the metrics made with it, by hand. */
import { describe, expect, test } from "vitest";
import { demandOf } from "#autoscaler/simulator/demand";
import { geometricMean, intervalOf } from "#autoscaler/simulator/interval";
import { elasticityOf, metricsOf, quantile } from "#autoscaler/simulator/metrics";
import { simulate } from "#autoscaler/simulator/simulate";
import { fleet, policy, simulation, workload } from "./simulation-builder.ts";

const terms = { pickupPromiseMs: 60_000, slotsPerWorker: 1 };

describe("the demand", () => {
  test("is the least that takes every job of the minute within the promise", () => {
    // Six jobs of 30 s at 0 s: with one slot they start at 0, 30, 60, 90 ... and 90 s is too late; with two the
    // last two start at 60 s. In the second minute nothing new comes and the last two have started at its beginning.
    const jobs = workload(
      Array.from({ length: 6 }, () => [0, 30] as const),
      120,
    );
    expect([...demandOf(jobs, terms)]).toEqual([2, 2]);
    expect([...demandOf(jobs, { ...terms, pickupPromiseMs: 30_000 })]).toEqual([3, 0]);
    expect([...demandOf(jobs, { ...terms, slotsPerWorker: 2 })]).toEqual([1, 1]);
  });

  test("takes over what still runs from the minute before", () => {
    // A job of 100 s holds a slot in the second minute; one that comes at 60 s must start by 70 s: two workers.
    const jobs = workload(
      [
        [0, 100],
        [60, 10],
      ],
      120,
    );
    expect([...demandOf(jobs, { ...terms, pickupPromiseMs: 10_000 })]).toEqual([1, 2]);
  });

  test("is none where nothing comes", () => {
    expect([...demandOf(workload([[130, 1]], 180), terms)]).toEqual([0, 0, 1]);
  });

  test("keeps the promise when it is followed", () => {
    const jobs = workload(
      Array.from({ length: 400 }, (_, at) => [at * 2 + (at % 7), 5 + ((at * 13) % 40)] as const).sort(
        (a, b) => a[0] - b[0],
      ),
      900,
    );
    const demand = demandOf(jobs, terms);
    const peak = Math.max(...demand);
    const { pickupMs } = simulate(
      simulation({ workload: jobs, policy: policy(() => peak), fleet: fleet({ workersInitially: peak }) }),
    );
    expect(Math.max(...pickupMs)).toBeLessThanOrEqual(60_000);
  });
});

describe("the metrics", () => {
  test("tell how far and how long supply is under and over the demand", () => {
    // Minutes: right, 1 of 4 missing, 2 of 2 too many, right.
    const told = elasticityOf(Float64Array.from([4, 3, 4, 4]), Uint32Array.from([4, 4, 2, 4]));
    expect(told).toEqual({
      thetaUnderPercent: 6.25,
      thetaOverPercent: 25,
      tauUnderPercent: 25,
      tauOverPercent: 25,
      // Moves: supply down, up, level; demand level, down, up. Never the same.
      instabilityPercent: 100,
    });
  });

  test("tell misses, pickup times and hours", () => {
    const jobs = workload(
      [
        [0, 90],
        [0, 90],
      ],
      3_600,
    );
    const outcome = simulate(
      simulation({ workload: jobs, policy: policy(() => 1), fleet: fleet({ workersInitially: 1 }) }),
    );
    const metrics = metricsOf(outcome, demandOf(jobs, terms));
    // The second waits 90 s, longer than 60 s.
    expect(metrics).toMatchObject({
      jobs: 2,
      missesPercent: 50,
      pickupP50Ms: 0,
      pickupP99Ms: 90_000,
      workerHours: 1,
    });
  });

  test("take the smallest value that enough of them do not exceed", () => {
    const values = Float64Array.from([1, 2, 3, 4]);
    expect([0.25, 0.5, 0.51, 1].map((share) => quantile(values, share))).toEqual([1, 2, 3, 4]);
    expect(quantile(new Float64Array(), 0.5)).toBe(0);
  });

  test("have confidence intervals by Student", () => {
    // Mean 2, standard deviation 1, three values: 4.303 / sqrt(3).
    expect(intervalOf([1, 2, 3])).toEqual({ mean: 2, ci95: expect.closeTo(4.303 / Math.sqrt(3), 9) });
    expect(intervalOf([5])).toEqual({ mean: 5, ci95: null });
    expect(geometricMean([1, 4])).toBeCloseTo(2, 12);
  });
});
