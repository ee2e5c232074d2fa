import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decideHandBack, HAND_BACKS_MAX } from "#worker/decide-hand-back";
import { decideOutcome, type RetryPolicy, type RunEnd } from "#worker/decide-outcome";
import { couldTake, decideWatchdog, STUCK_AFTER_MS } from "#worker/decide-watchdog";

const anyDraw = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });

describe("decideOutcome", () => {
  const policy: RetryPolicy = { attempts: 3, backoff: { baseMs: 1_000, maxMs: 60_000 } };
  const threw: RunEnd = { kind: "threw", retryability: "retryable", code: "Error", message: "no paper" };
  const first = { failures: 0, random: 0.5 };

  test("a run that returned has succeeded, whatever went before", () => {
    expect(decideOutcome({ kind: "returned" }, policy, { failures: 99, random: 0 })).toEqual({
      kind: "succeeded",
    });
  });

  test.each([
    // 1,000 x 2^failures, of which the draw takes half.
    [0, 500],
    [1, 1_000],
  ])("after %i failures a run that threw is tried again in %i ms", (failures, delayMs) => {
    expect(decideOutcome(threw, policy, { failures, random: 0.5 })).toEqual({ kind: "retry", delayMs });
  });

  test("the last attempt that throws fails the job", () => {
    // Two failed before, so this was the third of three.
    expect(decideOutcome(threw, policy, { failures: 2, random: 0.5 })).toEqual({
      kind: "failed",
      reason: "attempts-exhausted",
    });
    expect(decideOutcome(threw, { ...policy, attempts: 1 }, first).kind).toBe("failed");
  });

  test("a terminal error fails the job at once", () => {
    expect(decideOutcome({ ...threw, retryability: "terminal" }, policy, first)).toEqual({
      kind: "failed",
      reason: "terminal",
    });
  });

  test.each([
    ["draining", "returned-to-head"],
    ["cancelled", "cancelled"],
    ["lease-lost", "abandoned"],
  ] as const)("a run ended by %s is %s and never failed", (cause, kind) => {
    fc.assert(
      fc.property(fc.nat(200), anyDraw, (failures, random) => {
        expect(decideOutcome({ kind: "aborted", cause }, policy, { failures, random })).toEqual({ kind });
      }),
    );
  });

  test("a job that was cancelled does not run again, whatever ended its run first", () => {
    const cancelled = { ...first, cancelled: true };
    expect(decideOutcome(threw, policy, cancelled)).toEqual({ kind: "cancelled" });
    expect(decideOutcome({ kind: "aborted", cause: "draining" }, policy, cancelled)).toEqual({
      kind: "cancelled",
    });
    // What has an end of its own keeps it, and a lost job is somebody else's to cancel.
    expect(decideOutcome({ kind: "returned" }, policy, cancelled).kind).toBe("succeeded");
    expect(decideOutcome(threw, policy, { ...cancelled, failures: 2 }).kind).toBe("failed");
    expect(decideOutcome({ kind: "aborted", cause: "lease-lost" }, policy, cancelled).kind).toBe("abandoned");
  });

  test("a job is run exactly as often as its policy says when every run throws", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), anyDraw, (attempts, random) => {
        let runs = 0;
        let decision: { kind: string };
        do {
          decision = decideOutcome(threw, { ...policy, attempts }, { failures: runs, random });
          runs += 1;
        } while (decision.kind === "retry");
        expect(runs).toBe(attempts);
      }),
    );
  });
});

describe("decideHandBack", () => {
  test.each([
    // From half of min(60,000, 2,000 x 2^handBacks) to all of it.
    [0, 1_000, 2_000],
    [1, 2_000, 4_000],
    [4, 16_000, 32_000],
    [5, 30_000, 60_000],
    [7, 30_000, 60_000],
  ])("the hand-back after %i others waits %i to %i ms", (handBacks, lowestMs, highestMs) => {
    expect(decideHandBack(handBacks, 0)).toEqual({ kind: "hand-back", delayMs: lowestMs });
    expect(decideHandBack(handBacks, 1 - Number.EPSILON)).toEqual({ kind: "hand-back", delayMs: highestMs });
  });

  test("waits 1 to 60 s at any draw, and never less than the time before at the same draw", () => {
    fc.assert(
      fc.property(fc.nat(HAND_BACKS_MAX - 2), anyDraw, (handBacks, random) => {
        const now = decideHandBack(handBacks, random);
        const next = decideHandBack(handBacks + 1, random);
        if (now.kind === "park" || next.kind === "park") throw new Error("parked too early");
        expect(now.delayMs).toBeGreaterThanOrEqual(1_000);
        expect(next.delayMs).toBeLessThanOrEqual(60_000);
        expect(next.delayMs).toBeGreaterThanOrEqual(now.delayMs);
      }),
    );
  });

  test("parks after eight times, and stays with it", () => {
    expect(HAND_BACKS_MAX).toBe(8);
    expect(decideHandBack(7, 0).kind).toBe("hand-back");
    fc.assert(
      fc.property(fc.integer({ min: 8 }), anyDraw, (n, random) => decideHandBack(n, random).kind === "park"),
    );
  });

  test("parks after two to just over four minutes", () => {
    const total = (random: number) =>
      Array.from({ length: HAND_BACKS_MAX }, (_, index) => decideHandBack(index, random)).reduce(
        (sum, it) => sum + (it.kind === "hand-back" ? it.delayMs : 0),
        0,
      );
    // Ceilings 2 + 4 + 8 + 16 + 32 + 60 + 60 + 60 = 242 s; half of each at the lowest draw.
    expect([total(0), total(1)]).toEqual([121_000, 242_000]);
  });
});

describe("couldTake", () => {
  const able = {
    backlog: new Map([
      ["shop.r1", 5],
      ["shop.r2", 0],
    ]),
    trippedLanes: [],
    taking: true,
    freeSlots: 1,
  };

  test.each([
    ["a job waits and a slot is free", {}, true],
    ["jobs wait in a tripped lane only", { trippedLanes: ["shop.r1"] }, false],
    ["the tripped lane is another", { trippedLanes: ["shop.r2"] }, true],
    ["nothing waits", { backlog: new Map([["shop.r1", 0]]) }, false],
    ["it takes nothing", { taking: false }, false],
    ["no slot is free", { freeSlots: 0 }, false],
  ])("when %s", (_what, changes, could) => {
    expect(couldTake({ ...able, ...changes })).toBe(could);
  });
});

describe("decideWatchdog", () => {
  test.each([
    ["it could not take anything", { couldTakeSinceMs: null, lastStartedMs: null }, "ok"],
    ["it could take for less than 30 s", { couldTakeSinceMs: 70_001, lastStartedMs: null }, "ok"],
    ["it could take for 30 s and never started", { couldTakeSinceMs: 70_000, lastStartedMs: null }, "stuck"],
    ["it started something lately", { couldTakeSinceMs: 0, lastStartedMs: 70_001 }, "ok"],
    ["it started something 30 s ago", { couldTakeSinceMs: 0, lastStartedMs: 70_000 }, "stuck"],
    ["it is free for a short time after a long run", { couldTakeSinceMs: 99_000, lastStartedMs: 10 }, "ok"],
  ] as const)("at 100 s when %s a worker is judged so", (_what, seen, verdict) => {
    expect(STUCK_AFTER_MS).toBe(30_000);
    expect(decideWatchdog({ nowMs: 100_000, ...seen })).toBe(verdict);
  });

  test("a worker that starts something at least every 30 s is never stuck", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.integer({ min: 0, max: 29_999 }), (since, started, agoMs) => {
        const nowMs = Math.max(since, started) + agoMs;
        expect(decideWatchdog({ nowMs, couldTakeSinceMs: since, lastStartedMs: nowMs - agoMs })).toBe("ok");
      }),
    );
  });
});
