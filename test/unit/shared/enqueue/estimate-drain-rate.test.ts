import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type DrainEstimate,
  type DrainLook,
  drainPerSec,
  NO_DRAIN_ESTIMATE,
  withDrainLook,
} from "#shared/enqueue/estimate-drain-rate";

interface Simulated {
  readonly perSec: number;
  readonly arrivalsPerSec: number;
  readonly depth: number;
  readonly lengthMs: number;
  readonly lookEveryMs: number;
}

/** Looks at a queue that is drained at one rate while jobs come at another, both evenly. */
function looksAt({ perSec, arrivalsPerSec, depth, lengthMs, lookEveryMs }: Simulated): DrainLook[] {
  const looks: DrainLook[] = [];
  for (let atMs = 0; atMs <= lengthMs; atMs += lookEveryMs) {
    const admitted = Math.floor((arrivalsPerSec * atMs) / 1_000);
    const taken = Math.floor((perSec * atMs) / 1_000);
    looks.push({ atMs, admitted, depth: depth + admitted - taken });
  }
  return looks;
}

function looked(looks: readonly DrainLook[], from: DrainEstimate = NO_DRAIN_ESTIMATE): DrainEstimate {
  return looks.reduce(withDrainLook, from);
}

const busy: Simulated = { perSec: 100, arrivalsPerSec: 300, depth: 50, lengthMs: 2_000, lookEveryMs: 50 };

describe("the estimate of a drain rate", () => {
  test("is that of the queue after a second of backlog, however fast jobs come", () => {
    const simulated = fc.record({
      perSec: fc.integer({ min: 50, max: 5_000 }),
      arrivalsPerSec: fc.integer({ min: 0, max: 20_000 }),
      lookEveryMs: fc.integer({ min: 1, max: 300 }),
      lengthMs: fc.integer({ min: 1_500, max: 20_000 }),
    });
    fc.assert(
      fc.property(simulated, (of) => {
        // Deep enough that it never runs empty.
        const estimate = looked(looksAt({ ...of, depth: of.perSec * 21 }));
        const estimated = drainPerSec(estimate, of.lengthMs);
        // One job more or less at either end of a stretch of at least a second.
        expect(Math.abs((estimated ?? 0) - of.perSec)).toBeLessThanOrEqual(2);
      }),
    );
  });

  test("says nothing before that", () => {
    expect(drainPerSec(looked(looksAt({ ...busy, lengthMs: 950 })), 950)).toBeNull();
    expect(drainPerSec(looked(looksAt({ ...busy, lengthMs: 1_000 })), 1_000)).toBeCloseTo(100);
  });

  test("says nothing of a queue that is empty at every look, whatever comes and goes", () => {
    const looks = looksAt({ ...busy, perSec: 300, depth: 0 });
    expect(looks.every(({ depth }) => depth === 0)).toBe(true);
    expect(looked(looks)).toEqual(NO_DRAIN_ESTIMATE);
  });

  test("says nothing of a queue that nobody takes from", () => {
    expect(drainPerSec(looked(looksAt({ ...busy, perSec: 0 })), 2_000)).toBeNull();
  });

  test("forgets the rate of a fleet that has stopped", () => {
    const stopped = { ...busy, perSec: 0, lengthMs: 8_000 };
    const later = looksAt(stopped).map((it) => ({
      ...it,
      atMs: it.atMs + 2_050,
      admitted: it.admitted + 600,
    }));
    const last = later.at(-1)?.atMs ?? 0;
    expect(drainPerSec(looked(later, looked(looksAt(busy))), last)).toBeNull();
  });

  test("begins a new stretch when the queue has run empty", () => {
    const before = looked(looksAt(busy));
    const emptied = withDrainLook(before, { atMs: 2_050, depth: 0, admitted: 700 });
    expect(emptied.looks).toEqual([]);
    // What was measured stays: it is the newest that is known.
    expect(drainPerSec(emptied, 2_050)).toBeCloseTo(100);
    const again = looksAt({ ...busy, perSec: 500, lengthMs: 1_200 }).map((it) => ({
      ...it,
      atMs: it.atMs + 10_000,
      admitted: it.admitted + 700,
      depth: it.depth + 1_000,
    }));
    expect(drainPerSec(looked(again, emptied), 11_200)).toBeCloseTo(500, -1);
  });

  test("begins anew when fewer jobs were admitted than before: Redis was restored, or is another", () => {
    const estimate = withDrainLook(looked(looksAt(busy)), { atMs: 2_050, depth: 9_000, admitted: 3 });
    expect(estimate.looks).toEqual([{ atMs: 2_050, depth: 9_000, admitted: 3 }]);
  });

  test("begins anew when its clock goes back", () => {
    const look = { atMs: 1_000, depth: 500, admitted: 700 };
    expect(withDrainLook(looked(looksAt(busy)), look).looks).toEqual([look]);
  });

  test("follows a fleet that has grown within 5 s", () => {
    const slow = looked(looksAt({ ...busy, depth: 10_000, lengthMs: 10_000 }));
    const fast = looksAt({ ...busy, perSec: 900, depth: 11_000, lengthMs: 5_400 }).map((it) => ({
      ...it,
      atMs: it.atMs + 10_050,
      admitted: it.admitted + 3_000,
    }));
    expect(drainPerSec(looked(fast, slow), 15_450)).toBeCloseTo(900, -1);
  });

  test("is kept for a minute", () => {
    const estimate = looked(looksAt(busy));
    expect(drainPerSec(estimate, 62_000)).toBeCloseTo(100);
    expect(drainPerSec(estimate, 62_001)).toBeNull();
  });

  test("keeps a bounded number of looks", () => {
    // One in 200 ms of the last 5 s, and the one before them.
    expect(looked(looksAt({ ...busy, lengthMs: 60_000, lookEveryMs: 1 })).looks.length).toBeLessThanOrEqual(
      26,
    );
  });
});
