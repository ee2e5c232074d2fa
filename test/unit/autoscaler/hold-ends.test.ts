import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { holdEndsAtMs, holdRecentMaximum, type WantedAt } from "#autoscaler/scaling/decide-recent-maximum";

const wanted = (atMs: number, a: number): WantedAt => ({ atMs, byRelease: { a } });

describe("holdEndsAtMs", () => {
  test("is the hold after the maximum was last wanted", () => {
    // Nine were wanted until 20 s.
    expect(holdEndsAtMs([wanted(0, 2), wanted(10, 9), wanted(20, 1)], 30, 30)).toBe(50);
  });

  test("is a whole hold away while the maximum is wanted still", () => {
    expect(holdEndsAtMs([wanted(0, 2), wanted(10, 9)], 30, 30)).toBe(60);
  });

  test("is when the window will be covered while it is not", () => {
    expect(holdEndsAtMs([wanted(10, 2)], 20, 30)).toBe(40);
  });

  test("is not known where nothing is held", () => {
    expect(holdEndsAtMs([], 20, 30)).toBeNull();
    expect(holdEndsAtMs([wanted(0, 0)], 100, 30)).toBeNull();
  });

  test("nothing is given up before it when no more is wanted", () => {
    const history = fc
      .array(fc.nat(9), { minLength: 1, maxLength: 20 })
      .map((counts) => counts.map((count, index) => wanted(index * 5, count)));
    fc.assert(
      fc.property(history, fc.integer({ min: 1, max: 60 }), (any, holdMs) => {
        const nowMs = (any.length - 1) * 5;
        const endsAtMs = holdEndsAtMs(any, nowMs, holdMs);
        fc.pre(endsAtMs !== null && endsAtMs > nowMs);
        const now = holdRecentMaximum(any, nowMs, holdMs);
        const before = holdRecentMaximum([...any, wanted(nowMs, 0)], (endsAtMs ?? 0) - 1, holdMs);
        if (now.covered) expect(before.byRelease).toEqual(now.byRelease);
        else expect(before.covered).toBe(false);
      }),
    );
  });
});
