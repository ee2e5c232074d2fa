import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decideStartBackoff } from "#autoscaler/fleet/decide-start-backoff";

describe("decideStartBackoff", () => {
  test("does not wait after a worker that was heard of", () => {
    expect(decideStartBackoff(0)).toBe(0);
  });

  test("doubles from one second with each worker that ended at birth, up to a minute", () => {
    // 1, 2, 4, ..., 32 s, then 64 s would be beyond the minute.
    expect([1, 2, 3, 6, 7, 8].map(decideStartBackoff)).toEqual([1_000, 2_000, 4_000, 32_000, 60_000, 60_000]);
  });

  test("never shortens and never leaves its bounds, for any number of failures", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), (failures) => {
        const waitMs = decideStartBackoff(failures);
        expect(waitMs).toBeGreaterThanOrEqual(decideStartBackoff(failures - 1));
        expect(waitMs).toBeLessThanOrEqual(60_000);
      }),
    );
  });
});
