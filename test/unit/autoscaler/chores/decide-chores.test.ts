/** The decisions of the leader's chores. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CounterLook, counterWaited, withCounterLook } from "#autoscaler/chores/decide-raise";
import {
  decideCleaning,
  decideCleanSteps,
  decideQuarantineRemoval,
  isParkedAlarm,
} from "#autoscaler/chores/decide-retention";
import { decideRetryAt } from "#shared/schedules/decide-retry-at";

describe("the counter of jobs that waited long enough", () => {
  const looksAt = (...looks: [number, number][]) =>
    looks.reduce<readonly CounterLook[]>(
      (all, [atMs, counter]) => withCounterLook(all, { atMs, counter }, 10_000),
      [],
    );

  test("is that of the newest look which is old enough", () => {
    const looks = looksAt([0, 5], [5_000, 8], [10_000, 9], [15_000, 12]);
    // At 15 s the look of 5 s is ten seconds old.
    expect(counterWaited(looks, 15_000, 10_000)).toBe(8);
  });

  test("is not known before a look is old enough", () => {
    expect(counterWaited(looksAt([0, 5], [9_999, 8]), 9_999, 10_000)).toBeNull();
  });

  test("is not known after the counter has begun anew", () => {
    expect(counterWaited(looksAt([0, 500], [5_000, 3], [12_000, 7]), 12_000, 10_000)).toBeNull();
  });

  test("never takes in a job that came less than that long ago, and keeps no look that is not needed", () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 8_000 }), fc.integer({ min: 0, max: 50 })), {
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(steps, (moves) => {
        let looks: readonly CounterLook[] = [];
        let [nowMs, counter] = [0, 0];
        const history: CounterLook[] = [];
        for (const [tookMs, came] of moves) {
          nowMs += tookMs;
          counter += came;
          history.push({ atMs: nowMs, counter });
          looks = withCounterLook(looks, { atMs: nowMs, counter }, 10_000);
        }
        const newestOldEnough = history.findLast((it) => it.atMs <= nowMs - 10_000)?.counter ?? null;
        expect(counterWaited(looks, nowMs, 10_000)).toBe(newestOldEnough);
        expect(looks.filter((it) => it.atMs <= nowMs - 10_000).length).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe("succeeded jobs", () => {
  const policy = { above: 0.7, until: 0.65 };
  const use = (percent: number) => ({ usedBytes: percent, maxBytes: 100 });

  test("are removed early above 70 % of memory until below 65 %", () => {
    expect(decideCleaning(use(70), policy, false)).toBe(false);
    expect(decideCleaning(use(70.1), policy, false)).toBe(true);
    expect(decideCleaning(use(65), policy, true)).toBe(true);
    expect(decideCleaning(use(64.9), policy, true)).toBe(false);
    expect(decideCleaning(use(66), policy, false)).toBe(false);
  });

  test("are kept where there is no limit", () => {
    expect(decideCleaning({ usedBytes: 100, maxBytes: 0 }, policy, true)).toBe(false);
  });

  test("go from where the oldest are, a thousand a round", () => {
    expect(
      decideCleanSteps([
        { place: "shop.r2", count: 800, oldestMs: 200 },
        { place: "shop.r1", count: 400, oldestMs: 100 },
        { place: "mail.r1", count: 0, oldestMs: null },
      ]),
    ).toEqual([
      { place: "shop.r1", max: 400 },
      { place: "shop.r2", max: 600 },
    ]);
  });
});

describe("quarantined jobs", () => {
  const dayMs = 86_400_000;
  const nowMs = 100 * dayMs;
  const held = (...daysAgo: (number | null)[]) =>
    daysAgo.map((days, index) => ({
      jobId: `j${index}`,
      heldSinceMs: days === null ? null : nowMs - days * dayMs,
    }));

  test("are removed after 14 days", () => {
    expect(decideQuarantineRemoval({ count: 3, oldest: held(15, 14.1, 14) }, nowMs)).toEqual(["j0", "j1"]);
  });

  test("are removed beyond 10,000, oldest first", () => {
    expect(decideQuarantineRemoval({ count: 10_002, oldest: held(3, 2, 1) }, nowMs)).toEqual(["j0", "j1"]);
    expect(decideQuarantineRemoval({ count: 10_000, oldest: held(3, 2, 1) }, nowMs)).toEqual([]);
  });

  test("whose age nothing tells go by number only", () => {
    expect(decideQuarantineRemoval({ count: 2, oldest: held(null, 20) }, nowMs)).toEqual(["j1"]);
  });

  test("that are parked instead are an alarm in the same cases", () => {
    expect(isParkedAlarm({ count: 10_001, oldest: held(1) }, nowMs)).toBe(true);
    expect(isParkedAlarm({ count: 1, oldest: held(14.1) }, nowMs)).toBe(true);
    expect(isParkedAlarm({ count: 10_000, oldest: held(14) }, nowMs)).toBe(false);
    expect(isParkedAlarm({ count: 0, oldest: [] }, nowMs)).toBe(false);
  });
});

describe("a refused occurrence", () => {
  test("is tried after 1, 2, 4 and then each 5 seconds", () => {
    const waits = [1, 2, 3, 4, 50].map((tries) => decideRetryAt({ nowMs: 0, tries, triedUntilMs: 1e9 }));
    expect(waits).toEqual([1_000, 2_000, 4_000, 5_000, 5_000]);
  });

  test("is looked at once more just when its time is over", () => {
    expect(decideRetryAt({ nowMs: 9_000, tries: 9, triedUntilMs: 10_000 })).toBe(10_001);
    expect(decideRetryAt({ nowMs: 20_000, tries: 9, triedUntilMs: 10_000 })).toBe(20_001);
  });
});
