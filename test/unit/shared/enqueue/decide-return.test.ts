import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decideReturn } from "#shared/enqueue/decide-return";

/** Times told to `count` jobs that are refused one after the other, `everyMs` apart. */
function told(facts: { ahead: number; drainPerSec: number; count: number; everyMs: number }): number[] {
  let promisedUntilMs: number | null = null;
  return Array.from({ length: facts.count }, (_, index) => {
    const nowMs = 5_000 + index * facts.everyMs;
    const decision = decideReturn({ ...facts, nowMs, promisedUntilMs });
    promisedUntilMs = decision.promisedUntilMs;
    return nowMs + decision.retryAfterMs;
  });
}

describe("when a refused job is told to come back", () => {
  test("the first comes when its place is free, each next one a place later", () => {
    // 5 a second: a place is free each 200 ms, the third after 600 ms.
    expect(told({ ahead: 3, drainPerSec: 5, count: 3, everyMs: 0 })).toEqual([5_600, 5_800, 6_000]);
  });

  test("it is never earlier than a place is free, and no two get the same", () => {
    const facts = fc.record({
      ahead: fc.integer({ min: 1, max: 50 }),
      drainPerSec: fc.double({ min: 5, max: 9, noNaN: true }),
      count: fc.integer({ min: 1, max: 50 }),
      everyMs: fc.integer({ min: 0, max: 500 }),
    });
    fc.assert(
      fc.property(facts, (of) => {
        const placeMs = 1_000 / of.drainPerSec;
        for (const [index, atMs] of told(of).entries()) {
          expect(atMs).toBeGreaterThanOrEqual(5_000 + index * of.everyMs + of.ahead * placeMs - 1e-6);
        }
        for (const [index, atMs] of told(of).entries()) {
          const next = told(of)[index + 1];
          if (next !== undefined) expect(next - atMs).toBeGreaterThanOrEqual(placeMs - 1e-6);
        }
      }),
    );
  });

  test("it is between a tenth of a second and two minutes, whatever was promised", () => {
    const facts = fc.record({
      nowMs: fc.nat(1_000_000),
      ahead: fc.nat(1_000_000),
      drainPerSec: fc.option(fc.double({ min: 0, max: 1e6, noNaN: true })),
      promisedUntilMs: fc.option(fc.nat(1_120_000)),
    });
    fc.assert(
      fc.property(facts, (of) => {
        const { retryAfterMs } = decideReturn(of);
        expect(retryAfterMs).toBeGreaterThanOrEqual(100);
        expect(retryAfterMs).toBeLessThanOrEqual(120_000);
      }),
    );
  });

  test("promises run out: a minute without any, and the next is told the first place again", () => {
    const until = told({ ahead: 1, drainPerSec: 10, count: 100, everyMs: 0 }).at(-1);
    expect(until).toBe(15_000);
    const later = decideReturn({ nowMs: 75_000, ahead: 1, drainPerSec: 10, promisedUntilMs: until ?? null });
    expect(later).toEqual({ retryAfterMs: 100, promisedUntilMs: 75_100 });
  });

  test.each([null, 0])("two seconds at a rate of %s, and nothing is promised", (drainPerSec) => {
    const facts = { nowMs: 7, ahead: 9, drainPerSec };
    expect(decideReturn({ ...facts, promisedUntilMs: null })).toEqual({
      retryAfterMs: 2_000,
      promisedUntilMs: 7,
    });
    expect(decideReturn({ ...facts, promisedUntilMs: 90 })).toEqual({
      retryAfterMs: 2_000,
      promisedUntilMs: 90,
    });
  });
});
