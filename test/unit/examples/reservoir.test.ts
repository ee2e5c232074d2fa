import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { percentile, Reservoir } from "#examples/shop/csv/reservoir";

function filled(values: Iterable<number>, { capacity = 100, seed = 1 } = {}): Reservoir {
  const reservoir = new Reservoir(capacity, seed);
  for (const value of values) reservoir.add(value);
  return reservoir;
}

describe("a reservoir", () => {
  it("keeps every value while they fit, ascending", () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { maxLength: 100 }), (values) => {
        const reservoir = filled(values);
        expect(reservoir.isComplete).toBe(true);
        expect([...reservoir.sorted()]).toEqual(values.toSorted((a, b) => a - b));
      }),
    );
  });

  it("keeps as many as fit once there are more, each of them seen and none twice", () => {
    fc.assert(
      fc.property(fc.integer({ min: 101, max: 2_000 }), fc.integer(), (count, seed) => {
        const reservoir = filled(Array(count).keys(), { seed });
        const kept = new Set(reservoir.sorted());
        expect(reservoir.isComplete).toBe(false);
        expect(kept.size).toBe(100);
        for (const value of kept) expect(value >= 0 && value < count).toBe(true);
      }),
    );
  });

  it("keeps early and late values with the same chance", () => {
    // The median of 10,000 of the numbers 0 to 99,999 strays by 100,000 * 0.5 / sqrt(10,000) = 500; four
    // times that is the limit. The seeds are fixed, so this never fails by chance.
    for (const seed of [1, 2, 3, 4, 5]) {
      const sorted = filled(Array(100_000).keys(), { capacity: 10_000, seed }).sorted();
      expect(Math.abs(percentile(sorted, 0.5) - 50_000)).toBeLessThan(2_000);
    }
  });

  it("keeps the same values for the same seed, and others for another", () => {
    const [one, again, other] = [1, 1, 2].map((seed) => filled(Array(1_000).keys(), { seed }).sorted());
    expect(again).toEqual(one);
    expect(other).not.toEqual(one);
  });
});

describe("percentile", () => {
  it.each([
    [[7], 0.5, 7],
    [[7], 0.99, 7],
    // Rank 0.5 * 3 = 1.5: half way from the second value to the third.
    [[10, 20, 30, 40], 0.5, 25],
    // Rank 0.9 * 10 = 9: the tenth of eleven values.
    [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0.9, 9],
  ])("of %j at %d is %d", (sorted, share, value) => {
    expect(percentile(Float64Array.from(sorted), share)).toBe(value);
  });
});
