import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  holdRecentMaximum,
  holdWindowMs,
  rememberWanted,
  type WantedAt,
  workersOf,
} from "#autoscaler/scaling/decide-recent-maximum";

/** One release, a wanted number every 5 s from 0 on. */
function every5s(...wanted: number[]): WantedAt[] {
  return wanted.map((workers, tick) => ({ atMs: tick * 5_000, byRelease: { a: workers } }));
}

describe("holdRecentMaximum", () => {
  test("gives the most that was wanted within the window", () => {
    // The window from 5 s to 20 s holds 4, 7, 2 and 1; the 9 at 0 s was replaced at 5 s.
    expect(holdRecentMaximum(every5s(9, 4, 7, 2, 1), 20_000, 15_000)).toEqual({
      byRelease: { a: 7 },
      covered: true,
    });
  });

  test("counts what was wanted before the window until something else was", () => {
    // The 9 of 0 s was in force until 10 s, and the window starts at 5 s.
    const history = [
      { atMs: 0, byRelease: { a: 9 } },
      { atMs: 10_000, byRelease: { a: 1 } },
    ];
    expect(holdRecentMaximum(history, 15_000, 10_000).byRelease).toEqual({ a: 9 });
  });

  test("holds what was wanted before a long silence", () => {
    const history = [
      { atMs: 0, byRelease: { a: 9 } },
      { atMs: 600_000, byRelease: { a: 0 } },
    ];
    expect(holdRecentMaximum(history, 600_000, 60_000).byRelease).toEqual({ a: 9 });
    expect(holdRecentMaximum(history, 660_000, 60_000).byRelease).toEqual({ a: 0 });
  });

  test("takes the maximum of each release on its own", () => {
    const history = [
      { atMs: 0, byRelease: { a: 5 } },
      { atMs: 5_000, byRelease: { a: 1, b: 5 } },
    ];
    expect(holdRecentMaximum(history, 5_000, 5_000).byRelease).toEqual({ a: 5, b: 5 });
  });

  test("says that a history shorter than the window does not cover it", () => {
    expect(holdRecentMaximum([], 20_000, 15_000)).toEqual({ byRelease: {}, covered: false });
    expect(holdRecentMaximum(every5s(1, 1, 1), 14_999, 15_000).covered).toBe(false);
  });

  test("covers two start delays even when the policy asks for less", () => {
    expect(holdWindowMs(60_000, 2_000)).toBe(60_000);
    expect(holdWindowMs(60_000, 45_000)).toBe(90_000);
  });

  test("is not confused by a release named like a property of every object", () => {
    const { byRelease } = holdRecentMaximum([{ atMs: 0, byRelease: { a: 1 } }], 0, 0);
    expect(workersOf(byRelease, "constructor")).toBe(0);
  });

  describe("for any history", () => {
    const anyHistory = fc.array(
      fc.record({
        atMs: fc.nat(300_000),
        byRelease: fc.record({ a: fc.nat(100), b: fc.nat(100) }, { requiredKeys: [] }),
      }),
      { maxLength: 40 },
    );

    test("a longer window never holds less", () => {
      fc.assert(
        fc.property(anyHistory, fc.nat(100_000), fc.nat(100_000), (history, holdMs, moreMs) => {
          const shorter = holdRecentMaximum(history, 300_000, holdMs).byRelease;
          const longer = holdRecentMaximum(history, 300_000, holdMs + moreMs).byRelease;
          for (const release of ["a", "b"]) {
            expect(workersOf(longer, release)).toBeGreaterThanOrEqual(workersOf(shorter, release));
          }
        }),
      );
    });

    test("what rememberWanted forgets changes no answer", () => {
      fc.assert(
        fc.property(anyHistory, (unsorted) => {
          const history = unsorted.toSorted((a, b) => a.atMs - b.atMs);
          let remembered: readonly WantedAt[] = [];
          for (const entry of history) remembered = rememberWanted(remembered, entry, 60_000);
          expect(holdRecentMaximum(remembered, 300_000, 60_000)).toEqual(
            holdRecentMaximum(history, 300_000, 60_000),
          );
        }),
      );
    });
  });

  test("the memory stays short however long the leader runs", () => {
    let remembered: readonly WantedAt[] = [];
    for (const entry of every5s(...Array.from({ length: 1_000 }, () => 3))) {
      remembered = rememberWanted(remembered, entry, 60_000);
    }
    // 60 s of ticks are 12, both ends count, and one may be just before the window.
    expect(remembered.length).toBeLessThanOrEqual(14);
  });
});
