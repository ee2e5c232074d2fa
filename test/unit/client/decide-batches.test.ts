import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BATCH_BYTES_MAX, BATCH_ITEMS_MAX, decideBatches } from "#producer/client/decide-batches";

describe("jobs on their way into batches", () => {
  test("of no jobs there is no batch", () => {
    expect(decideBatches([])).toEqual([]);
  });

  test("go by 1,000 at most", () => {
    expect(decideBatches(Array.from({ length: 2_001 }, () => 10))).toEqual([1_000, 2_000, 2_001]);
  });

  test("go by 1 MiB of JSON at most, brackets and commas counted", () => {
    // Two texts of 524,286 bytes make 2 + 2 * (524,286 + 1) = 1,048,576 bytes; one byte more is too much.
    expect(decideBatches([524_286, 524_286])).toEqual([2]);
    expect(decideBatches([524_286, 524_287])).toEqual([1, 2]);
  });

  test("keep their order, each in one batch, within the limits unless one alone is too large", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 1_500_000 }), { maxLength: 3_000 }), (sizes) => {
        const ends = decideBatches(sizes);
        expect(ends.at(-1) ?? 0).toBe(sizes.length);
        let start = 0;
        for (const end of ends) {
          const part = sizes.slice(start, end);
          const text = `[${part.map((size) => "x".repeat(size > 1_000 ? 0 : size)).join(",")}]`;
          const bytes = text.length + part.filter((it) => it > 1_000).reduce((sum, it) => sum + it, 0);
          expect(part.length).toBeGreaterThan(0);
          expect(part.length).toBeLessThanOrEqual(BATCH_ITEMS_MAX);
          if (part.length > 1) expect(bytes).toBeLessThanOrEqual(BATCH_BYTES_MAX);
          start = end;
        }
      }),
      { numRuns: 50 },
    );
  });
});
