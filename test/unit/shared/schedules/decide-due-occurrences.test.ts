/** Which occurrences are enqueued, and which are missed for good. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type DueDecision,
  decideDueOccurrences,
  type MissedPolicy,
  OCCURRENCES_MAX,
} from "#shared/schedules/decide-due-occurrences";
import { boundedTimetable, intervalTimetable, type Timetable } from "#shared/schedules/timetable";

const GRACE_MS = 2_500;

/** At 0 s, 10 s, 20 s, ... */
const everyTenSeconds = intervalTimetable(10_000, 0);

function decide(
  missed: MissedPolicy,
  observation: Partial<Parameters<typeof decideDueOccurrences>[1]> & { nowMs: number },
  timetable: Timetable = everyTenSeconds,
): DueDecision {
  return decideDueOccurrences(
    { timetable, missed, graceMs: GRACE_MS },
    { positionMs: 0, refused: null, ...observation },
  );
}

describe("an occurrence", () => {
  test.each(["skip", "last", "all"] as const)("on time is due whatever the policy (%s)", (missed) => {
    expect(decide(missed, { nowMs: 12_500 })).toEqual({ due: [10_000], missed: null, nextMs: 20_000 });
  });

  test("is late one millisecond after its grace", () => {
    expect(decide("skip", { nowMs: 12_501 })).toEqual({
      due: [],
      missed: { count: 1, lastMs: 10_000, refused: false },
      nextMs: 20_000,
    });
  });

  test("that is not reached yet is next", () => {
    expect(decide("all", { nowMs: 9_999 })).toEqual({ due: [], missed: null, nextMs: 10_000 });
  });

  test("is not due a second time when the clock goes back", () => {
    expect(decide("all", { nowMs: 10_000, positionMs: 30_000 })).toEqual({
      due: [],
      missed: null,
      nextMs: 40_000,
    });
  });
});

// Found at 45 s after 0 s: 10, 20, 30 and 40 s, all late.
describe("late occurrences", () => {
  test("are given up under skip", () => {
    expect(decide("skip", { nowMs: 45_000 })).toEqual({
      due: [],
      missed: { count: 4, lastMs: 40_000, refused: false },
      nextMs: 50_000,
    });
  });

  test("are made up for by the newest under last", () => {
    expect(decide("last", { nowMs: 45_000 })).toEqual({
      due: [40_000],
      missed: { count: 3, lastMs: 30_000, refused: false },
      nextMs: 50_000,
    });
  });

  test("need not be made up for under last when one is on time", () => {
    expect(decide("last", { nowMs: 41_000 })).toEqual({
      due: [40_000],
      missed: { count: 3, lastMs: 30_000, refused: false },
      nextMs: 50_000,
    });
  });

  test("are all due under all, oldest first", () => {
    expect(decide("all", { nowMs: 45_000 }).due).toEqual([10_000, 20_000, 30_000, 40_000]);
  });

  test("are due under all up to 100, the newest ones", () => {
    // 10 s to 2,500 s are 250; those from 1,510 s on are the newest hundred.
    const { due, missed } = decide("all", { nowMs: 2_505_000 });
    expect(due).toHaveLength(100);
    expect(due[0]).toBe(1_510_000);
    expect(missed).toEqual({ count: 150, lastMs: 1_500_000, refused: false });
  });

  test("of years are dealt with at once", () => {
    const tenYears = 3_650 * 86_400_000;
    const { due, missed } = decide("last", { nowMs: tenYears + 5_000 });
    expect(due).toEqual([tenYears]);
    // One each ten seconds, the newest made up for.
    expect(missed?.count).toBe(tenYears / 10_000 - 1);
  });
});

describe("a refused occurrence", () => {
  const refused = { occurrenceMs: 10_000, sinceMs: 10_100 };

  test("comes alone, before all others, while its grace lasts", () => {
    // 10,100 + 2,500: tried until 12,600.
    expect(decide("skip", { nowMs: 12_600, refused })).toEqual({
      due: [10_000],
      missed: null,
      nextMs: 20_000,
    });
  });

  test("is given up afterwards, whatever the policy", () => {
    expect(decide("all", { nowMs: 12_601, refused })).toEqual({
      due: [],
      missed: { count: 1, lastMs: 10_000, refused: true },
      nextMs: 20_000,
    });
  });

  test("that is made up for late has its grace from when it was tried first", () => {
    expect(decide("all", { nowMs: 62_500, refused: { occurrenceMs: 10_000, sinceMs: 60_000 } }).due).toEqual([
      10_000,
    ]);
  });

  test("is counted with late ones after it", () => {
    // 10 s was refused; 20 s to 50 s are late at 55 s.
    expect(decide("skip", { nowMs: 55_000, refused })).toEqual({
      due: [],
      missed: { count: 5, lastMs: 50_000, refused: true },
      nextMs: 60_000,
    });
  });

  test("that has been dealt with since is forgotten", () => {
    expect(decide("skip", { nowMs: 11_000, positionMs: 10_000, refused })).toEqual({
      due: [],
      missed: null,
      nextMs: 20_000,
    });
  });
});

describe("a schedule that ends", () => {
  test("has no next occurrence", () => {
    const ending = boundedTimetable(everyTenSeconds, { startMs: 5_000, endMs: 20_000 });
    expect(decide("all", { nowMs: 21_000 }, ending)).toEqual({
      due: [10_000, 20_000],
      missed: null,
      nextMs: null,
    });
    expect(decide("skip", { nowMs: 99_000, positionMs: 20_000 }, ending)).toEqual({
      due: [],
      missed: null,
      nextMs: null,
    });
  });
});

describe("looked at again and again", () => {
  const world = fc.record({
    intervalMs: fc.integer({ min: 1_000, max: 5_000 }),
    anchorMs: fc.integer({ min: 0, max: 10_000 }),
    graceMs: fc.integer({ min: 1_000, max: 20_000 }),
    // How long the leader is away before each look; at most 100 late occurrences come together.
    pausesMs: fc.array(fc.integer({ min: 1, max: 90_000 }), { minLength: 1, maxLength: 30 }),
  });

  type World = typeof world extends fc.Arbitrary<infer It> ? It : never;

  /** Plays looks; answers what was enqueued and what was missed. */
  function play(missed: MissedPolicy, { intervalMs, anchorMs, graceMs, pausesMs }: World) {
    const timetable = intervalTimetable(intervalMs, anchorMs);
    const fired: number[] = [];
    let [nowMs, positionMs, given, latestMs] = [0, 0, 0, 0];
    for (const pauseMs of pausesMs) {
      nowMs += pauseMs;
      for (let more = true; more; ) {
        const decision = decideDueOccurrences(
          { timetable, missed, graceMs },
          { nowMs, positionMs, refused: null },
        );
        given += decision.missed?.count ?? 0;
        positionMs = decision.missed?.lastMs ?? positionMs;
        expect(decision.due.length).toBeLessThanOrEqual(OCCURRENCES_MAX);
        for (const at of decision.due) {
          // Order, and none twice.
          expect(at).toBeGreaterThan(positionMs);
          expect(at).toBeLessThanOrEqual(nowMs);
          fired.push(at);
          latestMs = Math.max(latestMs, nowMs - at);
          positionMs = at;
        }
        more = decision.nextMs !== null && decision.nextMs <= nowMs;
      }
    }
    return { fired, given, latestMs, all: timetable.count(0, nowMs), timetable };
  }

  test("every occurrence is either enqueued or counted as missed, once", () => {
    fc.assert(
      fc.property(world, fc.constantFrom<MissedPolicy>("skip", "last", "all"), (it, missed) => {
        const { fired, given, all } = play(missed, it);
        expect(fired.length + given).toBe(all);
      }),
    );
  });

  test("none is lost under all", () => {
    fc.assert(
      fc.property(world, (it) => {
        const { fired, given, timetable } = play("all", it);
        expect(given).toBe(0);
        let at: number | null = timetable.next(0);
        for (const one of fired) {
          expect(one).toBe(at);
          at = timetable.next(one);
        }
      }),
    );
  });

  test("none is made up for later than its grace under skip", () => {
    fc.assert(
      fc.property(world, (it) => {
        expect(play("skip", it).latestMs).toBeLessThanOrEqual(it.graceMs);
      }),
    );
  });
});
