import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type ArrivalPattern,
  type ArrivalReading,
  ENTRIES_MAX,
  followArrivals,
  occasionsOf,
  recentArrivals,
  surgeOf,
} from "#autoscaler/scaling/estimate-arrival-pattern";
import { followStarts, startingSlots } from "#autoscaler/scaling/estimate-starting-slots";

const TICK_MS = 5_000;

/** One look each tick; `jobs` come before each but the first. */
function follow(jobs: readonly number[], ratePerSec: number | null = 1): ArrivalPattern | null {
  let pattern: ArrivalPattern | null = null;
  let arrivedTotal = 100;
  for (const [look, came] of [0, ...jobs].entries()) {
    arrivedTotal += came;
    const reading: ArrivalReading = { nowMs: look * TICK_MS, arrivedTotal, ratePerSec, tickMs: TICK_MS };
    pattern = followArrivals(pattern, reading);
  }
  return pattern;
}

describe("what came lately", () => {
  test("is as old as the middle of the look that saw it, newest first, as far back as the backlog reaches", () => {
    expect(recentArrivals(follow([90, 10, 0, 20]), 22_000, 21)).toEqual([
      { ageMs: 4_500, jobs: 20 },
      { ageMs: 14_500, jobs: 10 },
    ]);
  });

  test("is not known before the second look, nor without a counter", () => {
    expect(recentArrivals(follow([]), 0, 1)).toBeNull();
    const reading = { nowMs: 99_000, arrivedTotal: null, ratePerSec: 1, tickMs: TICK_MS };
    expect(followArrivals(follow([10]), reading)).toBeNull();
  });

  test("begins anew when the counter went back", () => {
    const back = followArrivals(follow([10, 20]), {
      nowMs: 15_000,
      arrivedTotal: 3,
      ratePerSec: 1,
      tickMs: TICK_MS,
    });
    expect(back).toEqual({ readAtMs: 15_000, arrivedTotal: 3, entries: [], dispersion: 1 });
  });

  test("puts early looks together, and stays small for ever", () => {
    const gaps = fc.array(fc.tuple(fc.integer({ min: 1, max: 20_000 }), fc.nat(50)), { maxLength: 400 });
    fc.assert(
      fc.property(gaps, (looks) => {
        let pattern = followArrivals(null, { nowMs: 0, arrivedTotal: 0, ratePerSec: 1, tickMs: TICK_MS });
        let [nowMs, arrivedTotal] = [0, 0];
        for (const [gapMs, jobs] of looks) {
          nowMs += gapMs;
          arrivedTotal += jobs;
          pattern = followArrivals(pattern, { nowMs, arrivedTotal, ratePerSec: 1, tickMs: TICK_MS });
        }
        const entries = pattern?.entries ?? [];
        expect(entries.length).toBeLessThanOrEqual(ENTRIES_MAX);
        expect(entries.reduce((sum, [, , jobs]) => sum + jobs, 0)).toBeLessThanOrEqual(arrivedTotal);
        for (const [atMs] of entries) expect(atMs).toBeGreaterThan(nowMs - 600_000);
      }),
      { numRuns: 50 },
    );
  });
});

describe("a surge", () => {
  test("is seen in one look when it is clear", () => {
    // 50 in 5 s where 5 are usual: 50 - 2.5 x 7.07 > 5; (50 - 7.07) / 5 s = 8.59 a second.
    expect(surgeOf(follow([5, 5, 50]), 1, TICK_MS)).toBeCloseTo(8.59, 2);
  });

  test("is not seen in what chance does", () => {
    // 12 - 2.5 x 3.46 = 3.3 < 5.
    expect(surgeOf(follow([5, 5, 12]), 1, TICK_MS)).toBe(1);
  });

  test("is no rate of a batch that an early look saw at once", () => {
    // 20 jobs in 0.2 s: (20 - 4.47) / 5 s, and not 78 a second.
    const pattern = followArrivals(follow([]), {
      nowMs: 200,
      arrivedTotal: 120,
      ratePerSec: 1,
      tickMs: TICK_MS,
    });
    expect(surgeOf(pattern, 1, TICK_MS)).toBeCloseTo(3.11, 2);
  });

  test("is never below the mean", () => {
    expect(surgeOf(follow([0, 0, 0]), 1, TICK_MS)).toBe(1);
    expect(surgeOf(null, 3, TICK_MS)).toBe(3);
  });
});

describe("how unevenly jobs come", () => {
  test("is that of a Poisson process until more was seen, and grows with bursts", () => {
    const even = follow(Array.from({ length: 100 }, () => 5));
    const bursts = follow(Array.from({ length: 100 }, (_, look) => (look % 10 === 0 ? 50 : 0)));
    expect(even?.dispersion).toBeLessThan(1);
    // One look in ten counts (50 - 5)^2 / 5, at most 50, the others 25 / 5: 9.5 on average. After 500 s of the window of
    // 600 s: 9.5 x 0.57 + 1 x 0.43 = 5.8.
    expect(bursts?.dispersion).toBeGreaterThan(5);
    expect(follow([50, 0], null)?.dispersion).toBe(1);
  });
});

describe("workers on their way", () => {
  const seen = { nowMs: 10_000, startDelayMs: 15_000 };

  test("come up in the order in which they were ordered", () => {
    const ordered = [
      { upAtMs: 9_000, workers: 3 },
      { upAtMs: 20_000, workers: 2 },
    ];
    expect(followStarts(ordered, { ...seen, starting: 4 })).toEqual([
      { upAtMs: 9_000, workers: 2 },
      { upAtMs: 20_000, workers: 2 },
    ]);
    expect(followStarts(ordered, { ...seen, starting: 0 })).toEqual([]);
  });

  test("that nobody remembers are half-way", () => {
    expect(followStarts([], { ...seen, starting: 2 })).toEqual([{ upAtMs: 17_500, workers: 2 }]);
  });

  test("that are overdue are given as long again", () => {
    const starts = [
      { upAtMs: 4_000, workers: 1 },
      { upAtMs: 12_000, workers: 2 },
    ];
    expect(startingSlots(starts, { nowMs: 10_000, slotsPerWorker: 4 })).toEqual([
      { readyInMs: 6_000, slots: 4 },
      { readyInMs: 2_000, slots: 8 },
    ]);
  });

  test("are always as many as are seen starting", () => {
    const orders = fc.array(fc.record({ upAtMs: fc.nat(60_000), workers: fc.integer({ min: 1, max: 9 }) }));
    fc.assert(
      fc.property(orders, fc.nat(100), (remembered, starting) => {
        const left = followStarts(remembered, { ...seen, starting });
        expect(left.reduce((sum, { workers }) => sum + workers, 0)).toBe(starting);
      }),
    );
  });
});

describe("occasions on which jobs come", () => {
  test("count a crowd once, and fade like the arrival rate", () => {
    const one = follow([1]);
    const crowd = follow([10_000]);
    if (one === null || crowd === null) throw new Error("nothing was followed");
    expect(occasionsOf(crowd, TICK_MS)).toBe(occasionsOf(one, TICK_MS));
    expect(occasionsOf(one, TICK_MS)).toBeCloseTo(1 / 120, 9);
    expect(occasionsOf(crowd, TICK_MS + 120_000)).toBeCloseTo(Math.exp(-1) / 120, 9);
  });

  test("are one a look of those that come all the time", () => {
    // Looks since for ever, of which those within ten minutes are kept: 0.2 x (1 - e^-5), by a sum in place of an integral.
    const steady = follow(Array.from({ length: 300 }, () => 7));
    if (steady === null) throw new Error("nothing was followed");
    expect(occasionsOf(steady, 300 * TICK_MS)).toBeCloseTo(0.2 * (1 - Math.exp(-5)), 2);
    const none = follow([0, 0]);
    expect(none === null ? null : occasionsOf(none, 0)).toBe(0);
  });
});
