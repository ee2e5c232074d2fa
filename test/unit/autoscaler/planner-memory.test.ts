import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  KEEP_EVERY_MS,
  LAST_WRITE_MS_MAX,
  MEMORY_AGE_MS_MAX,
  PlannerMemory,
} from "#autoscaler/planner-memory";
import {
  EMPTY_PLANNER_STATE,
  type PlannerState,
  plannerStateToKeep,
  readPlannerState,
} from "#autoscaler/scaling/planner-state";
import type { StoredPlannerState } from "#shared/redis/planner-store";
import { FakeClock } from "#test/support/fake-clock";

const state = (atMs: number): PlannerState => ({
  ...EMPTY_PLANNER_STATE,
  history: [{ atMs, byRelease: { a: 2 } }],
});

function memory(stored: Readonly<Record<string, StoredPlannerState>> | Error = {}, fails = false) {
  const written: [pool: string, atMs: number | undefined, epoch: number][] = [];
  const lines: string[] = [];
  const clock = new FakeClock();
  const say = (_facts: object, line: string) => lines.push(line);
  const planners = new PlannerMemory({
    clock,
    log: { info: say, warn: say } as never,
    store: {
      read: async () => {
        if (stored instanceof Error) throw stored;
        return new Map(Object.entries(stored));
      },
      write: async (pool, text, epoch) => {
        written.push([pool, readPlannerState(JSON.parse(text)).history[0]?.atMs, epoch]);
        if (fails) throw new Error("Redis is away");
        return true;
      },
    },
  });
  return { planners, written, lines, clock };
}

describe("the planners' memory", () => {
  test("is written every 15 s a pool, and what was not yet at the end of the term", async () => {
    const { planners, written, clock } = memory();
    await planners.keep("shop", state(1), 4);
    await planners.keep("mail", state(1), 4);
    await clock.advance(KEEP_EVERY_MS - 1);
    await planners.keep("shop", state(2), 4);
    await clock.advance(1);
    await planners.keep("shop", state(3), 4);
    const first = [
      ["shop", 1, 4],
      ["mail", 1, 4],
      ["shop", 3, 4],
    ];
    expect(written).toEqual(first);

    await planners.keep("mail", state(3), 4);
    await planners.keep("mail", state(4), 4);
    await planners.keep("shop", state(5), 4);
    const term = new AbortController();
    const ending = planners.keepAtEnd({ over: term.signal, epoch: 4 });
    term.abort();
    await ending;
    // The mail of 3 was due; its 4 and the shop's 5 were not.
    expect(written.slice(3)).toEqual([
      ["mail", 3, 4],
      ["shop", 5, 4],
      ["mail", 4, 4],
    ]);
  });

  test("of a term that is over is not written for the next one's", async () => {
    const { planners, written } = memory();
    await planners.keep("shop", state(1), 4);
    await planners.keep("shop", state(2), 5);
    await planners.keepAtEnd({ over: AbortSignal.abort(), epoch: 4 });
    expect(written).toEqual([
      ["shop", 1, 4],
      ["shop", 2, 5],
    ]);
  });

  test("holds up no stop while Redis is away: what is not answered soon is given up", async () => {
    const clock = new FakeClock();
    const write = () => new Promise<boolean>(() => undefined);
    const planners = new PlannerMemory({
      clock,
      log: { info: () => undefined, warn: () => undefined } as never,
      store: { read: async () => new Map(), write },
    });
    // The first is due, and waits for its answer; the second is left for the end.
    planners.keep("shop", state(1), 4);
    planners.keep("shop", state(2), 4);
    let hasEnded = false;
    const ending = planners.keepAtEnd({ over: AbortSignal.abort(), epoch: 4 }).then(() => {
      hasEnded = true;
    });
    await clock.advance(LAST_WRITE_MS_MAX - 1);
    expect(hasEnded).toBe(false);
    await clock.advance(1);
    await ending;
    expect(hasEnded).toBe(true);
  });

  test("that cannot be written fails no round, and is complained of once", async () => {
    const { planners, written, lines, clock } = memory({}, true);
    for (let round = 0; round < 3; round += 1) {
      await planners.keep("shop", state(round), 4);
      await clock.advance(KEEP_EVERY_MS);
    }
    expect(written).toHaveLength(3);
    expect(lines).toEqual(["what the planner remembers was not kept for the next leader"]);
  });

  test("is recalled while it is fresh and readable; the others begin anew, which is said once", async () => {
    const { planners, lines } = memory({
      fresh: { ageMs: MEMORY_AGE_MS_MAX, state: state(7) },
      old: { ageMs: MEMORY_AGE_MS_MAX + 1, state: state(7) },
      future: { ageMs: -1, state: state(7) },
      nonsense: { ageMs: 5, state: undefined },
      other: { ageMs: 5, state: { version: 9 } },
    });
    expect(await planners.recall()).toEqual(new Map([["fresh", state(7)]]));
    expect(lines).toEqual(["what planners remembered is too old or not readable"]);
  });

  test("that cannot be read keeps nobody from leading", async () => {
    const { planners, lines } = memory(new Error("WRONGTYPE"));
    expect(await planners.recall()).toEqual(new Map());
    expect(lines).toHaveLength(1);
  });
});

describe("what is kept of a planner's state", () => {
  const entries = Array.from({ length: 128 }, (_, at) => [at * 5_000, 5_000, 12_345] as const);
  const forecast = (level: number): PlannerState["forecasts"][string] => ({
    minuteAtMs: 0,
    arrivedTotal: 0,
    minutes: 2,
    level,
    trend: 0,
    pending: [],
    errors: Array.from({ length: 60 }, () => [1_234.567, 1_234.567] as const),
    score: { comparedMinutes: 60, error: 1_234.567, persistenceError: 1_234.567 },
    trusted: true,
  });

  test("is readable, and of bounded size however many lanes there are: the latest of each, the busiest lanes' forecasts", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_500 }), (lanes) => {
        const names = Array.from({ length: lanes }, (_, at) => `shop.r${at + 1}`);
        const pattern = { readAtMs: 0, arrivedTotal: 0, entries, dispersion: 1 };
        const kept = plannerStateToKeep({
          ...EMPTY_PLANNER_STATE,
          arrivals: Object.fromEntries(names.map((name) => [name, pattern])),
          forecasts: Object.fromEntries(names.map((name, at) => [name, forecast(at)])),
        });
        const text = JSON.stringify(kept);
        expect(text.length).toBeLessThan(500_000);
        expect(readPlannerState(JSON.parse(text))).toEqual(kept);
        expect(Object.keys(kept.arrivals)).toHaveLength(lanes);
        expect(Object.keys(kept.forecasts)).toContain(names.at(-1));
        const newest = kept.arrivals["shop.r1"]?.entries.at(-1);
        expect(newest).toEqual(entries.at(-1));
      }),
      { numRuns: 20 },
    );
  });
});
