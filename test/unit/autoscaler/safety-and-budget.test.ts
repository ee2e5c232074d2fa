import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decideSafety, POSTURES, type SafetyFacts } from "#autoscaler/scaling/decide-safety";
import {
  burntOf,
  type ErrorBudgetEstimate,
  estimateErrorBudget,
} from "#autoscaler/scaling/estimate-error-budget";

const facts: SafetyFacts = { posture: "balanced", pickupPromiseMs: 60_000, startDelayMs: 15_000, burnt: 1 };

describe("decideSafety", () => {
  test("lets a standing queue use what a start leaves of the promise", () => {
    // 1 - 15 / 60 = 0.75; 1 - 20 / 60 = 0.667; never below a half.
    expect(decideSafety(facts).promiseShare).toBe(0.75);
    expect(decideSafety({ ...facts, startDelayMs: 20_000 }).promiseShare).toBeCloseTo(2 / 3);
    expect(decideSafety({ ...facts, startDelayMs: 60_000 }).promiseShare).toBe(0.5);
  });

  test("is as careful as on budget while lateness is not measured", () => {
    expect(decideSafety({ ...facts, burnt: null })).toEqual(decideSafety(facts));
  });

  test.for([
    [0, 1],
    [0.5, 1.75],
    [1, 2.5],
    [2, 3.5],
    [100, 5],
  ] as const)("with %d of the budget burnt it takes %d standard deviations", ([burnt, z]) => {
    expect(decideSafety({ ...facts, burnt }).safetyZ).toBe(z);
  });

  test("is never less careful in a posture that puts latency first", () => {
    const [economy, balanced, latency] = POSTURES.map((posture) => decideSafety({ ...facts, posture }));
    expect(economy?.safetyZ).toBeLessThan(balanced?.safetyZ ?? 0);
    expect(balanced?.safetyZ).toBeLessThan(latency?.safetyZ ?? 0);
    expect(economy?.promiseShare).toBeGreaterThan(balanced?.promiseShare ?? 1);
    expect(balanced?.promiseShare).toBeGreaterThan(latency?.promiseShare ?? 1);
  });

  test("is bounded, and never less careful the more is burnt", () => {
    const anyFacts = fc.record<SafetyFacts>({
      posture: fc.constantFrom(...POSTURES),
      pickupPromiseMs: fc.integer({ min: 1, max: 86_400_000 }),
      startDelayMs: fc.integer({ min: 0, max: 600_000 }),
      burnt: fc.double({ min: 0, max: 1_000, noNaN: true }),
    });
    fc.assert(
      fc.property(anyFacts, fc.double({ min: 0, max: 10, noNaN: true }), (any, more) => {
        const now = decideSafety(any);
        const later = decideSafety({ ...any, burnt: (any.burnt ?? 0) + more });
        expect(later.safetyZ).toBeGreaterThanOrEqual(now.safetyZ);
        expect(now.safetyZ).toBeGreaterThanOrEqual(0);
        expect(later.safetyZ).toBeLessThanOrEqual(6);
        expect(now.promiseShare).toBeGreaterThan(0);
        expect(now.promiseShare).toBeLessThan(1);
      }),
    );
  });
});

const target = 0.01;

function follow(readings: readonly (readonly [started: number | null, late: number | null])[]) {
  return readings.reduce<ErrorBudgetEstimate | null>(
    (estimate, [startedTotal, lateTotal]) =>
      estimateErrorBudget(estimate, { startedTotal, lateTotal, target }),
    null,
  );
}

describe("estimateErrorBudget", () => {
  test("begins on budget", () => {
    expect(burntOf(follow([[5_000, 900]])?.lateShare ?? null, target)).toBe(1);
    expect(burntOf(null, target)).toBeNull();
  });

  test("forgets half of what it knew in about 700 jobs", () => {
    // 1 - exp(-693 / 1,000) = 0.5: half of 1 % and half of none.
    const estimate = follow([
      [0, 0],
      [693, 0],
    ]);
    expect(estimate?.lateShare).toBeCloseTo(0.005, 4);
  });

  test("learns nothing from a reading that is not known, and forgives nothing while no job comes", () => {
    const known = follow([
      [0, 0],
      [100, 50],
    ]);
    expect(
      follow([
        [0, 0],
        [100, 50],
        [null, null],
        [100, 50],
      ]),
    ).toEqual(known);
  });

  test("begins to count anew when counters went back, and keeps the share", () => {
    const before = follow([
      [0, 0],
      [100, 50],
    ]);
    const after = follow([
      [0, 0],
      [100, 50],
      [10, 1],
    ]);
    expect(after).toEqual({ lateShare: before?.lateShare, startedTotal: 10, lateTotal: 1 });
  });

  test("stays a share whatever is read, so that nothing winds up", () => {
    const reading = fc.tuple(fc.nat(1_000), fc.nat(1_000));
    fc.assert(
      fc.property(fc.array(reading, { minLength: 1 }), (steps) => {
        let [started, late] = [0, 0];
        const totals = steps.map(([more, lateMore]): [number, number] => {
          started += more;
          late += lateMore;
          return [started, late];
        });
        const share = follow(totals)?.lateShare ?? -1;
        expect(share).toBeGreaterThanOrEqual(0);
        expect(share).toBeLessThanOrEqual(1);
      }),
    );
  });

  test("a thousand late jobs are forgiven after a few thousand in time", () => {
    const late = follow([
      [0, 0],
      [1_000, 1_000],
    ]);
    const later = estimateErrorBudget(late, { startedTotal: 6_000, lateTotal: 1_000, target });
    // About 0.63 x exp(-5) = 0.4 %.
    expect(late?.lateShare).toBeGreaterThan(0.6);
    expect(later?.lateShare).toBeLessThan(target);
  });
});
