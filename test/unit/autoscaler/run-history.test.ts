/** What the fleet's counters of waits and runs say: percentiles, unevenness, kept promises. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BUCKETS, countLate, estimateSpread } from "#autoscaler/scaling/estimate-spread";
import { LoadEstimates } from "#autoscaler/scaling/load-estimates";
import { RunHistory } from "#autoscaler/scaling/run-history";
import { BUCKET_BOUNDS_MS, parseRunBucketName, runBucketName } from "#shared/run-counters";

const TYPE = "receipt.render";

/** Counters as the fleet would have them after jobs of these waits. */
function countersOf(waitsMs: readonly number[]): Map<string, number> {
  const counters = new Map<string, number>([[`${TYPE}|pickupms`, waitsMs.reduce((sum, it) => sum + it, 0)]]);
  for (const waitMs of waitsMs) {
    const name = runBucketName(TYPE, "pickup", waitMs);
    counters.set(name, (counters.get(name) ?? 0) + 1);
  }
  return counters;
}

function countsOf(waitsMs: readonly number[]): number[] {
  const counts = new Array<number>(BUCKETS).fill(0);
  for (const waitMs of waitsMs) {
    const found = BUCKET_BOUNDS_MS.findIndex((bound) => waitMs <= bound);
    const index = found < 0 ? BUCKETS - 1 : found;
    counts[index] = (counts[index] ?? 0) + 1;
  }
  return counts;
}

const waits = fc.array(fc.integer({ min: 0, max: 5_000_000 }), { minLength: 1, maxLength: 200 });

describe("a bucket's name", () => {
  test("holds what is at most its bound and above the one before", () => {
    expect(runBucketName(TYPE, "pickup", 0)).toBe("receipt.render|p|100");
    expect(runBucketName(TYPE, "pickup", 100)).toBe("receipt.render|p|100");
    expect(runBucketName(TYPE, "run", 100.5)).toBe("receipt.render|r|200");
    expect(runBucketName(TYPE, "run", 3_600_001)).toBe("receipt.render|r|inf");
  });

  test("is read back, and no other counter's is", () => {
    expect(parseRunBucketName("a|b|p|100")).toEqual({ type: "a|b", phase: "pickup", boundMs: 100 });
    expect(parseRunBucketName("a|r|inf")?.boundMs).toBe(Number.POSITIVE_INFINITY);
    for (const name of ["a|finished", "a|r5", "a|q|100", "a|p|", "a|p|-1", "|p|100"])
      expect(parseRunBucketName(name)).toBeNull();
  });
});

describe("a spread", () => {
  test("is not known without jobs", () => {
    expect(estimateSpread(countsOf([]))).toBeNull();
  });

  test("lies within the bucket of the true percentile", () => {
    fc.assert(
      fc.property(waits, (waitsMs) => {
        const spread = estimateSpread(countsOf(waitsMs));
        const rank = Math.ceil(0.95 * waitsMs.length);
        const truth = waitsMs.toSorted((a, b) => a - b)[rank - 1] ?? 0;
        const upper = BUCKET_BOUNDS_MS.find((bound) => truth <= bound) ?? 3_600_000;
        const lower = BUCKET_BOUNDS_MS.findLast((bound) => bound < truth) ?? 0;
        expect(spread?.p95Ms).toBeGreaterThanOrEqual(Math.min(lower, 3_600_000));
        expect(spread?.p95Ms).toBeLessThanOrEqual(upper);
      }),
    );
  });

  test("of jobs that are all alike is nearly even, and of few long among many short ones is not", () => {
    // All between 20 and 30 s, taken as even there: variance 10^2/12, mean 25, so (100/12) / 625 = 0.0133.
    expect(estimateSpread(countsOf([25_000, 25_000, 25_000]))?.scv).toBeCloseTo(0.0133, 4);
    const uneven = [...new Array<number>(99).fill(150), 300_000];
    expect(estimateSpread(countsOf(uneven))?.scv).toBeGreaterThan(50);
  });
});

describe("late jobs", () => {
  test("are counted exactly where the promise is a bound", () => {
    const promise = fc.constantFrom(...BUCKET_BOUNDS_MS);
    fc.assert(
      fc.property(waits, promise, (waitsMs, promiseMs) => {
        expect(countLate(countsOf(waitsMs), promiseMs)).toBe(waitsMs.filter((it) => it > promiseMs).length);
      }),
    );
  });

  test("are never fewer than there are", () => {
    fc.assert(
      fc.property(waits, fc.integer({ min: 100, max: 4_000_000 }), (waitsMs, promiseMs) => {
        const late = waitsMs.filter((it) => it > promiseMs).length;
        expect(countLate(countsOf(waitsMs), promiseMs)).toBeGreaterThanOrEqual(late);
      }),
    );
  });
});

describe("the history of a queue", () => {
  test("tells the last ten minutes apart from all there was", () => {
    const history = new RunHistory();
    const early = new Array<number>(100).fill(50_000);
    history.read(countersOf(early), 0);
    expect(history.lately("pickup")).toBeNull();
    history.read(countersOf([...early, 150, 150]), 60_000);
    // Two jobs of (100, 200]: evenly spread, half of them take no longer than 150.
    expect(history.lately("pickup")).toMatchObject({ jobs: 2, p50Ms: 150 });
    expect(history.started).toBe(102);
    expect(history.late(45_000)).toBe(100);
    history.read(countersOf([...early, 150, 150]), 700_000);
    history.read(countersOf([...early, 150, 150, 150]), 1_310_000);
    expect(history.lately("pickup")).toMatchObject({ jobs: 1 });
  });

  test("begins anew when the counters went backwards", () => {
    const history = new RunHistory();
    history.read(countersOf([100, 100, 100]), 0);
    history.read(countersOf([100]), 60_000);
    expect(history.lately("pickup")).toBeNull();
    history.read(countersOf([100, 7_000]), 120_000);
    expect(history.lately("pickup")).toMatchObject({ jobs: 1 });
  });

  test("counts a bound of another version with the next larger one of ours", () => {
    const history = new RunHistory();
    history.read(new Map([[`${TYPE}|p|150`, 1]]), 0);
    expect(history.late(100)).toBe(1);
    expect(history.late(200)).toBe(0);
  });
});

describe("the estimates of a queue", () => {
  test("know nothing of one that was not read", () => {
    const estimates = new LoadEstimates();
    expect([estimates.started("shop"), estimates.late("shop", 1_000)]).toEqual([null, null]);
    expect(estimates.spread("shop")).toEqual({ pickup: null, run: null });
    expect(estimates.histograms()).toEqual([]);
  });

  test("have every wait and run of each type", () => {
    const estimates = new LoadEstimates();
    const service = new Map([
      ["a|p|100", 2],
      ["a|p|inf", 1],
      ["a|pickupms", 4_000_150],
      ["b|r|500", 3],
      ["b|busyms", 900],
    ]);
    estimates.read("shop", { readAtMs: 0, arrivals: new Map(), service });
    expect(estimates.started("shop")).toBe(3);
    expect(estimates.late("shop", 3_600_000)).toBe(1);
    const [waited, ran] = estimates.histograms();
    expect(waited).toMatchObject({ queue: "shop", type: "a", phase: "pickup", sumMs: 4_000_150 });
    expect(waited?.counts.filter((it) => it > 0)).toEqual([2, 1]);
    expect(ran).toMatchObject({ type: "b", phase: "run", sumMs: 900 });
  });
});
