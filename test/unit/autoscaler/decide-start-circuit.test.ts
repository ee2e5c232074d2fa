import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  afterFailedStart,
  afterHinderedStart,
  CLOSED_CIRCUIT,
  decideStart,
  decideStartWait,
  FAILURES_TO_OPEN,
} from "#autoscaler/scaling/decide-start-circuit";

function failed(times: number) {
  let circuit = CLOSED_CIRCUIT;
  for (let count = 0; count < times; count += 1) circuit = afterFailedStart(circuit, 0, "with exit code 1");
  return circuit;
}

describe("the circuit of a release's starts", () => {
  test("is closed while nothing has failed", () => {
    expect(decideStart(CLOSED_CIRCUIT, 0, 3)).toEqual({ kind: "free" });
  });

  test("waits a second after the first failure, and then starts freely", () => {
    expect(decideStart(failed(1), 999, 0)).toEqual({ kind: "wait", state: "backing-off", waitMs: 1 });
    expect(decideStart(failed(1), 1_000, 2)).toEqual({ kind: "free" });
  });

  test("opens after five in a row, and tries one at a time when its time is over", () => {
    // 1, 2, 4, 8, 16 s.
    expect(decideStart(failed(FAILURES_TO_OPEN), 15_999, 0)).toMatchObject({ kind: "wait", state: "open" });
    expect(decideStart(failed(FAILURES_TO_OPEN), 16_000, 0)).toEqual({ kind: "trial" });
    expect(decideStart(failed(FAILURES_TO_OPEN), 16_000, 1)).toMatchObject({ state: "half-open" });
  });

  test("is not opened by what is not the release's fault", () => {
    expect(afterHinderedStart(CLOSED_CIRCUIT, 0, "Redis was away")).toBe(CLOSED_CIRCUIT);
    expect(afterHinderedStart(failed(2), 60_000, "Redis was away")).toMatchObject({
      failures: 2,
      notBeforeMs: 61_000,
    });
  });

  test("doubles its wait from one second up to a minute, and never shortens it", () => {
    // 64 s would be beyond the minute.
    expect([0, 1, 2, 6, 7, 8].map(decideStartWait)).toEqual([0, 1_000, 2_000, 32_000, 60_000, 60_000]);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), (failures) => {
        expect(decideStartWait(failures)).toBeGreaterThanOrEqual(decideStartWait(failures - 1));
        expect(decideStartWait(failures)).toBeLessThanOrEqual(60_000);
      }),
    );
  });
});
