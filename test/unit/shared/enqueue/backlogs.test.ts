import { describe, expect, test } from "vitest";
import { Backlogs } from "#shared/enqueue/backlogs";
import { FakeClock } from "#test/support/fake-clock";

describe("what a process knows of its queues", () => {
  test("is nothing at first, and each queue's own", async () => {
    const clock = new FakeClock();
    const backlogs = new Backlogs(clock);
    backlogs.accepted("mail", 100);
    expect(backlogs.loadOf("shop")).toEqual({ drainPerSec: null, meanBytes: null });
    expect(backlogs.promise("shop", 10)).toBe(2_000);
  });

  test("has the mean size of what was accepted, that of the last few dozen above all", () => {
    const backlogs = new Backlogs(new FakeClock());
    backlogs.accepted("shop", 1_000);
    expect(backlogs.loadOf("shop").meanBytes).toBe(1_000);
    backlogs.accepted("shop", 65_000);
    // A 64th of the difference.
    expect(backlogs.loadOf("shop").meanBytes).toBe(2_000);
    for (let n = 0; n < 300; n += 1) backlogs.accepted("shop", 200);
    // (63/64)^300 = 0.9 % of 1,800 is left.
    expect(backlogs.loadOf("shop").meanBytes).toBeCloseTo(200 + 1_800 * (63 / 64) ** 300);
  });

  test("promises one place after the other, at the rate that admissions have shown", async () => {
    const clock = new FakeClock();
    const backlogs = new Backlogs(clock);
    // 100 admitted and 50 more waiting each second: 50 a second are taken.
    for (let second = 0; second <= 2; second += 1) {
      backlogs.seen({ queue: "shop", depth: 10 + 50 * second, admitted: 100 * second });
      if (second < 2) await clock.advance(1_000);
    }
    expect(backlogs.loadOf("shop").drainPerSec).toBeCloseTo(50);
    // 110 wait of at most 101: ten have to go before there is a place, at 20 ms each.
    expect([1, 2, 3].map(() => backlogs.promise("shop", 101))).toEqual(
      [200, 220, 240].map((ms) => expect.closeTo(ms)),
    );
    expect(backlogs.promise("mail", 101)).toBe(2_000);
  });
});
