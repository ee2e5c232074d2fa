import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decideWake, type WakeObservation } from "#autoscaler/scaling/decide-wake";

/** W = 10 s and s = 1 s: a slot runs 1 + 0.5 * 10 / 1 = 6 jobs within half the promise. */
const policy = { pickupPromiseMs: 10_000 };

function seen(changes: Partial<WakeObservation> = {}): WakeObservation {
  return {
    waiting: 1,
    inFlight: 0,
    waitingBefore: 0,
    slots: 10,
    isFull: false,
    serviceTimeMs: 1_000,
    sinceRoundMs: 5_000,
    earlyRounds: 0,
    ...changes,
  };
}

describe("decideWake", () => {
  test("wakes for a job that nobody is there to take, however short ago a round was", () => {
    const decision = decideWake(seen({ slots: 0, sinceRoundMs: 0, isFull: true }), policy);
    expect(decision).toEqual({ kind: "wake", reason: "nobody" });
  });

  test("wakes when the slots cannot run what is there within half the promise", () => {
    // 10 slots run 60 jobs in that time.
    expect(decideWake(seen({ waiting: 60, waitingBefore: 60 }), policy).kind).toBe("wait");
    const wake = { kind: "wake", reason: "too-few-slots" };
    expect(decideWake(seen({ waiting: 61, waitingBefore: 61 }), policy)).toEqual(wake);
    expect(decideWake(seen({ waiting: 51, waitingBefore: 51, inFlight: 10 }), policy)).toEqual(wake);
  });

  test("wakes when much more waits than at the last look", () => {
    // More than twice as much, and two jobs a slot more.
    expect(decideWake(seen({ waiting: 20 }), policy).kind).toBe("wait");
    expect(decideWake(seen({ waiting: 21 }), policy)).toEqual({ kind: "wake", reason: "much-more" });
  });

  test("does not wake for a pool that is as large as it may be", () => {
    expect(decideWake(seen({ waiting: 9_999, isFull: true }), policy)).toMatchObject({ reason: "full" });
  });

  test("lets twice as long pass before each early round that follows another", () => {
    const busy = (earlyRounds: number, sinceRoundMs: number) =>
      decideWake(seen({ waiting: 1_000, earlyRounds, sinceRoundMs }), policy).kind;
    expect([busy(0, 499), busy(0, 500)]).toEqual(["wait", "wake"]);
    expect([busy(3, 3_999), busy(3, 4_000)]).toEqual(["wait", "wake"]);
  });

  test("never wakes for an empty queue", () => {
    fc.assert(
      fc.property(fc.nat(1_000), fc.nat(1_000), fc.boolean(), (slots, inFlight, isFull) => {
        expect(decideWake(seen({ waiting: 0, slots, inFlight, isFull }), policy).kind).toBe("wait");
      }),
    );
  });
});
