import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decideSplit } from "#autoscaler/rollout/decide-split";

const share = fc.double({ min: 0, max: 1, noNaN: true });

describe("the split", () => {
  test("keeps the autoscaler's sum from two workers on", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 2_000 }), share, (total, part) => {
        const { from, to } = decideSplit(total, part);
        expect(from + to).toBe(total);
      }),
    );
  });

  test("gives both sides a worker while neither has it all", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2_000 }),
        fc.double({ min: 0.001, max: 0.999, noNaN: true }),
        (total, part) => {
          const { from, to } = decideSplit(total, part);
          expect(Math.min(from, to)).toBeGreaterThanOrEqual(1);
        },
      ),
    );
  });

  test.each([
    // 15 % of 10 is 1.5, which rounds to 2: the sum stays 10, where rounding both sides up would make it 11.
    { total: 10, part: 0.15, expected: { from: 8, to: 2 } },
    { total: 20, part: 0.05, expected: { from: 19, to: 1 } },
    { total: 3, part: 0.05, expected: { from: 2, to: 1 } },
    { total: 1, part: 0.5, expected: { from: 1, to: 1 } },
    { total: 0, part: 0.5, expected: { from: 1, to: 1 } },
    { total: 7, part: 1, expected: { from: 0, to: 7 } },
    { total: 7, part: 0, expected: { from: 7, to: 0 } },
    { total: 0, part: 1, expected: { from: 0, to: 0 } },
  ])("of $total workers at $part is $expected", ({ total, part, expected }) => {
    expect(decideSplit(total, part)).toEqual(expected);
  });
});
