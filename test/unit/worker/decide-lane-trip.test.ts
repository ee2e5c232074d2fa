import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decideLaneTrip, type EarlierTrip } from "#worker/decide-lane-trip";

const NOW_MS = Date.UTC(2026, 0, 31, 12);

const anyDraw = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });

/** How long the lane is tripped by a failure that comes after `earlier` trips in a row. */
function lengthMs(earlier: number, random: number): number {
  const last = earlier === 0 ? null : { failures: earlier, untilMs: NOW_MS };
  return decideLaneTrip(last, { nowMs: NOW_MS, random }).untilMs - NOW_MS;
}

describe("decideLaneTrip", () => {
  test.each([
    // 30 s x 2^earlier up to 600 s, of which the draw takes nothing to a fifth.
    [0, 24_000, 30_000],
    [1, 48_000, 60_000],
    [2, 96_000, 120_000],
    [4, 384_000, 480_000],
    [5, 480_000, 600_000],
    [6, 480_000, 600_000],
    [1_000, 480_000, 600_000],
  ])("after %i trips in a row the next lasts %i to %i ms", (earlier, lowestMs, highestMs) => {
    expect(lengthMs(earlier, 0)).toBe(highestMs);
    expect(lengthMs(earlier, 1 - Number.EPSILON)).toBe(lowestMs);
  });

  test("counts the trips in a row, from one", () => {
    const first = decideLaneTrip(null, { nowMs: NOW_MS, random: 0 });
    expect(first).toEqual({ kind: "trip", failures: 1, untilMs: NOW_MS + 30_000 });
    expect(decideLaneTrip(first, { nowMs: first.untilMs, random: 0 })).toMatchObject({
      kind: "trip",
      failures: 2,
    });
  });

  test("changes nothing while the trip is in force: those jobs were taken before", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.nat(600_000), anyDraw, (failures, leftMs, random) => {
        const earlier: EarlierTrip = { failures, untilMs: NOW_MS + leftMs + 1 };
        expect(decideLaneTrip(earlier, { nowMs: NOW_MS, random })).toEqual({ kind: "in-force", ...earlier });
      }),
    );
  });

  test("never trips for less than 24 s or for more than ten minutes", () => {
    fc.assert(
      fc.property(fc.nat(), anyDraw, (earlier, random) => {
        expect(lengthMs(earlier, random)).toBeGreaterThanOrEqual(24_000);
        expect(lengthMs(earlier, random)).toBeLessThanOrEqual(600_000);
      }),
    );
  });

  test("never trips for less than the time before at the same draw, and below ten minutes at any", () => {
    fc.assert(
      fc.property(fc.nat(100), anyDraw, anyDraw, (earlier, draw, other) => {
        expect(lengthMs(earlier + 1, draw)).toBeGreaterThanOrEqual(lengthMs(earlier, draw));
        // The fifth trip is the last below the ceiling of 600 s: 30 s x 2^4 = 480 s.
        if (earlier < 5) expect(lengthMs(earlier + 1, other)).toBeGreaterThanOrEqual(lengthMs(earlier, draw));
      }),
    );
  });
});
