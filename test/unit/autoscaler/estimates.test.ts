import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ArrivalRateEstimate, estimateArrivalRate } from "#autoscaler/scaling/estimate-arrival-rate";
import { estimateServiceTime, type ServiceTimeEstimate } from "#autoscaler/scaling/estimate-service-time";
import {
  estimateStartDelay,
  START_DELAY_DEFAULT_MS,
  START_DELAY_MAX_MS,
} from "#autoscaler/scaling/estimate-start-delay";

describe("estimateServiceTime", () => {
  test("is not known before a job has finished", () => {
    expect(estimateServiceTime(null, { finished: 0, busyMs: 0 })).toBeNull();
  });

  test("takes the first sample as it is", () => {
    // 3 jobs held their slots for 600 ms in all: 200 ms each.
    expect(estimateServiceTime(null, { finished: 3, busyMs: 600 })?.serviceTimeMs).toBeCloseTo(200);
  });

  test("forgets the first cold job as fast as a plain mean would", () => {
    const cold = estimateServiceTime(null, { finished: 1, busyMs: 5_000 });
    const warm = estimateServiceTime(cold, { finished: 50, busyMs: 50 * 100 });
    // Gains 1-e^(-1/50) = 0.0198 and 1-e^-1 = 0.6321. The cold job keeps 0.0198 x 0.3679 = 0.0073 of
    // 0.0073 + 0.6321: 1.14 %. So 100 + 0.0114 x 4900 = 155.8.
    expect(warm?.serviceTimeMs).toBeCloseTo(155.8, 0);
  });

  test("moves by 63 % of the difference when 50 jobs of a new length finish", () => {
    let estimate: ServiceTimeEstimate | null = null;
    for (let round = 0; round < 20; round += 1) {
      estimate = estimateServiceTime(estimate, { finished: 50, busyMs: 50 * 100 });
    }
    estimate = estimateServiceTime(estimate, { finished: 50, busyMs: 50 * 200 });
    // 100 + (1 - e^-1) x 100 = 163.2.
    expect(estimate?.serviceTimeMs).toBeCloseTo(163.2, 1);
  });

  test("remembers a quiet lane for ever", () => {
    const before = estimateServiceTime(null, { finished: 10, busyMs: 900 });
    expect(estimateServiceTime(before, { finished: 0, busyMs: 0 })).toBe(before);
  });

  test.for([
    { finished: -5, busyMs: 100 },
    { finished: 5, busyMs: -100 },
    { finished: Number.NaN, busyMs: 100 },
  ])("keeps what it knew when a counter makes no sense: %o", (sample) => {
    const before = estimateServiceTime(null, { finished: 10, busyMs: 900 });
    expect(estimateServiceTime(before, sample)).toBe(before);
    expect(estimateServiceTime(null, sample)).toBeNull();
  });

  test("stays between the shortest and the longest mean it was shown", () => {
    const samples = fc.array(
      fc.record({
        finished: fc.integer({ min: 1, max: 10_000 }),
        meanMs: fc.nat(1e9).map((microseconds) => microseconds / 1000),
      }),
      { minLength: 1, maxLength: 50 },
    );
    fc.assert(
      fc.property(samples, (shown) => {
        let estimate: ServiceTimeEstimate | null = null;
        for (const { finished, meanMs } of shown) {
          estimate = estimateServiceTime(estimate, { finished, busyMs: finished * meanMs });
        }
        const means = shown.map(({ meanMs }) => meanMs);
        expect(estimate?.serviceTimeMs).toBeGreaterThanOrEqual(Math.min(...means) * (1 - 1e-9));
        expect(estimate?.serviceTimeMs).toBeLessThanOrEqual(Math.max(...means) * (1 + 1e-9) + 1e-9);
      }),
    );
  });
});

describe("estimateArrivalRate", () => {
  /** The estimate after `seconds` of ticks at one rate. */
  function arrivalsAt(ratePerSec: number, seconds: number, from: ArrivalRateEstimate | null = null) {
    let estimate = from;
    for (let tick = 0; tick < seconds / 5; tick += 1) {
      estimate = estimateArrivalRate(estimate, { arrivals: ratePerSec * 5, elapsedMs: 5_000 });
    }
    return estimate;
  }

  test("knows a steady rate after one tick, not after two minutes", () => {
    expect(arrivalsAt(80, 5)?.arrivalRatePerSec).toBeCloseTo(80);
    expect(arrivalsAt(80, 600)?.arrivalRatePerSec).toBeCloseTo(80);
  });

  test("follows a change with a time constant of 120 s", () => {
    const before = arrivalsAt(100, 3_600);
    // 100 x e^-1 = 36.8 after 120 s of silence.
    expect(arrivalsAt(0, 120, before)?.arrivalRatePerSec).toBeCloseTo(36.8, 1);
  });

  test("does not take one arrival in the first milliseconds for a flood", () => {
    // One arrival in 10 ms is 100/s on paper; read as one in 5 s it is 0.2/s.
    const estimate = estimateArrivalRate(null, { arrivals: 1, elapsedMs: 10 });
    expect(estimate?.arrivalRatePerSec).toBeCloseTo(0.2, 1);
  });

  test("is not known before two readings", () => {
    expect(estimateArrivalRate(null, { arrivals: null, elapsedMs: 5_000 })).toBeNull();
  });

  test.for([
    { arrivals: -300, elapsedMs: 5_000 },
    { arrivals: null, elapsedMs: 5_000 },
    { arrivals: 10, elapsedMs: 0 },
    { arrivals: 10, elapsedMs: -5 },
  ])("keeps what it knew when the sample tells nothing: %o", (sample) => {
    const before = arrivalsAt(80, 60);
    expect(estimateArrivalRate(before, sample)).toBe(before);
  });

  test("is never negative and never above the highest rate it was shown", () => {
    const anySample = fc.record({
      arrivals: fc.nat(1_000_000),
      elapsedMs: fc.integer({ min: 1, max: 600_000 }),
    });
    fc.assert(
      fc.property(fc.array(anySample, { minLength: 1, maxLength: 50 }), (samples) => {
        let estimate: ArrivalRateEstimate | null = null;
        for (const sample of samples) estimate = estimateArrivalRate(estimate, sample);
        const rates = samples.map(({ arrivals, elapsedMs }) => (arrivals * 1000) / elapsedMs);
        expect(estimate?.arrivalRatePerSec).toBeGreaterThanOrEqual(0);
        expect(estimate?.arrivalRatePerSec).toBeLessThanOrEqual(Math.max(...rates) * (1 + 1e-9));
      }),
    );
  });

  test("does not depend on how often a steady stream is sampled", () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 60_000 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(cuts, (lengthsMs) => {
        let estimate = arrivalsAt(7, 5);
        for (const elapsedMs of lengthsMs) {
          estimate = estimateArrivalRate(estimate, { arrivals: (7 * elapsedMs) / 1000, elapsedMs });
        }
        expect(estimate?.arrivalRatePerSec).toBeCloseTo(7, 6);
      }),
    );
  });
});

describe("estimateStartDelay", () => {
  test("is the default until a start was seen, and says so", () => {
    expect(estimateStartDelay(null, [])).toEqual({ startDelayMs: START_DELAY_DEFAULT_MS, measured: false });
  });

  test("drops the default for the first measured start", () => {
    expect(estimateStartDelay(null, [800])).toEqual({ startDelayMs: 800, measured: true });
  });

  test("moves by 30 % of the difference a start", () => {
    // 800 + 0.3 x (1800 - 800) = 1100.
    expect(estimateStartDelay(null, [800, 1_800]).startDelayMs).toBeCloseTo(1_100);
  });

  test("leaves out a delay that two disagreeing clocks made negative", () => {
    const before = estimateStartDelay(null, [800]);
    expect(estimateStartDelay(before, [-50, Number.NaN])).toEqual(before);
  });

  test("counts an endless start as ten minutes", () => {
    expect(estimateStartDelay(null, [1e9]).startDelayMs).toBe(START_DELAY_MAX_MS);
  });

  test("does not care whether starts come one by one or together", () => {
    const anyDelays = fc.array(fc.nat(700_000), { maxLength: 20 });
    fc.assert(
      fc.property(anyDelays, anyDelays, (first, second) => {
        const apart = estimateStartDelay(estimateStartDelay(null, first), second);
        expect(apart).toEqual(estimateStartDelay(null, [...first, ...second]));
      }),
    );
  });
});
