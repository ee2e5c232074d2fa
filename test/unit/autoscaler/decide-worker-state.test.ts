import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decideWorkerState, type HeardWorker } from "#autoscaler/scaling/decide-worker-state";

function heard(changes: Partial<HeardWorker> = {}): HeardWorker {
  return { heartbeatAgeMs: 1_000, said: { state: "ok", reason: null }, processRuns: null, ...changes };
}

describe("decideWorkerState", () => {
  test("is what a worker heard of lately says of itself", () => {
    expect(decideWorkerState(heard())).toEqual({ state: "ok", reason: null });
    const draining = { state: "draining", reason: "ordered-to-drain" } as const;
    expect(decideWorkerState(heard({ said: draining }))).toEqual(draining);
    expect(decideWorkerState(heard({ said: null })).state).toBe("starting");
  });

  test("is suspect after 6 s of silence and dead after 10 s", () => {
    const at = (heartbeatAgeMs: number) => decideWorkerState(heard({ heartbeatAgeMs })).state;
    expect([at(6_000), at(6_001), at(10_000), at(10_001)]).toEqual(["ok", "suspect", "suspect", "dead"]);
  });

  test("is given 40 s while its process is seen to run: Redis may have been away for everybody", () => {
    const at = (heartbeatAgeMs: number) =>
      decideWorkerState(heard({ heartbeatAgeMs, processRuns: true })).state;
    expect([at(10_001), at(40_000), at(40_001)]).toEqual(["suspect", "suspect", "dead"]);
  });

  test("is dead at once when its process has ended, whatever it last said", () => {
    expect(decideWorkerState(heard({ processRuns: false }))).toEqual({
      state: "dead",
      reason: "its process has ended",
    });
  });

  test("gives a reason for every state but ok, for any worker", () => {
    const anyAge = fc.nat(100_000);
    fc.assert(
      fc.property(anyAge, fc.constantFrom(true, false, null), (heartbeatAgeMs, processRuns) => {
        const { state, reason } = decideWorkerState(heard({ heartbeatAgeMs, processRuns }));
        expect(reason === null).toBe(state === "ok");
      }),
    );
  });
});
