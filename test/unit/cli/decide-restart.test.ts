import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decideRestart, RESTART_POLICY } from "#cli/dev/decide-restart";

function delaysOf(runsMs: readonly number[]): number[] {
  let endsBefore = 0;
  return runsMs.map((ranMs) => {
    const { delayMs, ends } = decideRestart({ endsBefore, ranMs }, RESTART_POLICY);
    endsBefore = ends;
    return delayMs;
  });
}

describe("a process that ended by itself", () => {
  test("is started again later each time, from one second to thirty", () => {
    expect(delaysOf([10, 10, 10, 10, 10, 10, 10])).toEqual([
      1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000,
    ]);
  });

  test("is started again soon when it ran well before", () => {
    expect(delaysOf([10, 10, 60_000, 10])).toEqual([1_000, 2_000, 1_000, 2_000]);
  });

  test("is started again after a bounded time, however often it ended", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (endsBefore, ranMs) => {
        const { delayMs } = decideRestart({ endsBefore, ranMs }, RESTART_POLICY);
        expect(delayMs).toBeGreaterThanOrEqual(RESTART_POLICY.firstDelayMs);
        expect(delayMs).toBeLessThanOrEqual(RESTART_POLICY.delayMsMax);
      }),
    );
  });
});
