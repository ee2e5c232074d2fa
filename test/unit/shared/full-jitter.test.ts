import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fullJitterMs } from "#shared/pure/full-jitter";

const backoff = { baseMs: 1_000, maxMs: 60_000 };
/** The largest draw: just below 1. */
const HIGHEST = 1 - Number.EPSILON / 2;

const anyBackoff = fc.record({
  baseMs: fc.integer({ min: 1, max: 3_600_000 }),
  maxMs: fc.integer({ min: 1, max: 86_400_000 }),
});
const anyDraw = fc.double({ min: 0, max: HIGHEST, noNaN: true });

describe("fullJitterMs", () => {
  test.each([
    // 1,000 x 2^(attempt-1), cut at 60,000; the draw is 1/2.
    [1, 500],
    [2, 1_000],
    [3, 2_000],
    [6, 16_000],
    [7, 30_000],
    [8, 30_000],
  ])("draws half of the ceiling of attempt %i as %i ms", (attempt, delayMs) => {
    expect(fullJitterMs(backoff, attempt, 0.5)).toBe(delayMs);
  });

  test("is nothing at the lowest draw", () => {
    expect(fullJitterMs(backoff, 5, 0)).toBe(0);
  });

  test("stays below its ceiling at the highest draw", () => {
    expect(fullJitterMs(backoff, 1, HIGHEST)).toBe(999);
  });

  test("is a whole number of milliseconds from 0 to below both ceilings", () => {
    fc.assert(
      fc.property(anyBackoff, fc.integer({ min: -5, max: 1e9 }), anyDraw, (any, attempt, random) => {
        const delayMs = fullJitterMs(any, attempt, random);
        expect(Number.isInteger(delayMs)).toBe(true);
        expect(delayMs).toBeGreaterThanOrEqual(0);
        expect(delayMs).toBeLessThanOrEqual(any.maxMs);
        if (attempt <= 1) expect(delayMs).toBeLessThanOrEqual(any.baseMs);
      }),
    );
  });

  test("never shrinks from one attempt to the next at the same draw", () => {
    fc.assert(
      fc.property(anyBackoff, fc.integer({ min: 1, max: 100 }), anyDraw, (any, attempt, random) => {
        return fullJitterMs(any, attempt, random) <= fullJitterMs(any, attempt + 1, random);
      }),
    );
  });
});
