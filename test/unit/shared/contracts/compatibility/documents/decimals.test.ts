import { expect, test } from "vitest";
import { commonStep, decimalsOf, plus, times } from "#shared/contracts/compatibility/documents/decimals";

test.each([
  [1, 0],
  [0.05, 2],
  [1e-7, 7],
  [1.5e-7, 8],
  [1e21, 0],
  // Beyond what a double holds.
  [5e-324, 15],
])("%d has %d decimals", (value, decimals) => {
  expect(decimalsOf(value)).toBe(decimals);
});

test("products and sums are those of the decimals, where doubles have others", () => {
  expect([3 * 0.1, times(3, 0.1)]).toEqual([0.30000000000000004, 0.3]);
  expect([0.1 + 0.7, plus(0.1, 0.7)]).toEqual([0.7999999999999999, 0.8]);
  expect(plus(1e300, 1e308)).toBe(1e300 + 1e308);
});

test.each<[number[], number | null]>([
  [[], null],
  [[0.05], 0.05],
  [[4, 6], 12],
  [[0.1, 0.25], 0.5],
  [[1, 0.4], 2],
])("a multiple of all of %j is one of %j", (steps, common) => {
  expect(commonStep(steps)).toBe(common);
});
