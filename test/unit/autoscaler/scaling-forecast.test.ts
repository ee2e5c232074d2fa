import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  COMPARED_MIN,
  decideForecast,
  type ForecastFacts,
  isForecastTrusted,
} from "#autoscaler/scaling/decide-forecast";
import {
  COMPARED_MAX,
  type ForecastState,
  followForecast,
  forecastPerMinute,
  HORIZON_MINUTES_MAX,
} from "#autoscaler/scaling/estimate-forecast";
import type { PlannedPolicy, PoolSighting } from "#autoscaler/scaling/planner-input";
import { EMPTY_PLANNER_STATE, readPlannerState } from "#autoscaler/scaling/planner-state";
import { PoolPlanner } from "#autoscaler/scaling/pool-planner";

const MINUTE_MS = 60_000;

/** A lane that was looked at once a minute, with so many jobs in each. */
function followed(
  jobs: readonly number[],
  { horizonMs = 20_000, ratePerSec = null as number | null } = {},
): ForecastState {
  let state = followForecast(null, { nowMs: 0, arrivedTotal: 0, ratePerSec, horizonMs });
  let arrivedTotal = 0;
  for (const [index, came] of jobs.entries()) {
    arrivedTotal += came;
    state = followForecast(state, { nowMs: (index + 1) * MINUTE_MS, arrivedTotal, ratePerSec, horizonMs });
  }
  if (state === null) throw new Error("nothing was followed");
  return state;
}

const minutes = (count: number, jobs: (minute: number) => number) =>
  Array.from({ length: count }, (_, at) => jobs(at));

describe("a forecast", () => {
  test("goes on from level and trend, with the trend fading", () => {
    // 60, then 120: level 60 + 0.5 x 60 = 90, trend 0.2 x 30 = 6.
    const state = followed([60, 120]);
    expect(state).toMatchObject({ level: 90, trend: 6 });
    // 90 + 0.9 x 6; two minutes on 90 + (0.9 + 0.81) x 6.
    expect(forecastPerMinute(state, 20_000)).toBeCloseTo(95.4, 6);
    expect(forecastPerMinute(state, 61_000)).toBeCloseTo(100.26, 6);
  });

  test("is none before a trend could show, and never below zero", () => {
    expect(forecastPerMinute(followed([60]), 20_000)).toBeNull();
    expect(forecastPerMinute({ level: 3, trend: -50, minutes: 2 }, 600_000)).toBe(0);
  });

  test("is held against what comes one horizon later, beside the rate as it was", () => {
    // The forecast of the second minute is 95.4, the opponent says 120; 100 come.
    const { errors } = followed([60, 120, 100]);
    expect(errors).toEqual([[4.6, 20]]);
    // Two minutes ahead nothing is due after one.
    expect(followed([60, 120, 100], { horizonMs: 61_000 }).errors).toEqual([]);
    // 100.26 against 130, and 120 against it.
    expect(followed([60, 120, 100, 130], { horizonMs: 61_000 }).errors).toEqual([[29.74, 10]]);
  });

  test("begins anew when the counter goes back or nobody looked for ten minutes", () => {
    const state = followed([60, 120]);
    const reading = { ratePerSec: null, horizonMs: 20_000 };
    const anew = { level: 0, minutes: 0, trusted: false };
    const at = 3 * MINUTE_MS;
    expect(followForecast(state, { ...reading, nowMs: at, arrivedTotal: 7 })).toMatchObject(anew);
    expect(followForecast(state, { ...reading, nowMs: at + 600_000, arrivedTotal: 200 })).toMatchObject(anew);
    expect(followForecast(state, { ...reading, nowMs: at, arrivedTotal: null })).toBe(state);
  });

  test("judges nothing that was due in minutes which nobody saw apart", () => {
    const state = followed([60, 120]);
    const late = { nowMs: 2 * MINUTE_MS + 180_000, arrivedTotal: 480, ratePerSec: null, horizonMs: 20_000 };
    expect(followForecast(state, late)).toMatchObject({ errors: [] });
  });

  test("needs little room, however long it is made", () => {
    const jobs = fc.array(fc.nat(1_000_000), { minLength: 70, maxLength: 200 });
    fc.assert(
      fc.property(jobs, fc.nat(3_600_000), (came, horizonMs) => {
        const state = followed(came, { horizonMs });
        expect(state.errors.length).toBeLessThanOrEqual(COMPARED_MAX);
        expect(state.pending.length).toBeLessThanOrEqual(HORIZON_MINUTES_MAX);
        expect(JSON.stringify(state).length).toBeLessThan(2_500);
      }),
      { numRuns: 40 },
    );
  });
});

describe("trust in forecasts", () => {
  const record = { comparedMinutes: COMPARED_MIN, error: 8.9, persistenceError: 10 };

  test("is earned by a tenth, over half an hour at least", () => {
    expect(isForecastTrusted(false, record)).toBe(true);
    expect(isForecastTrusted(false, { ...record, error: 9 })).toBe(false);
    expect(isForecastTrusted(false, { ...record, comparedMinutes: COMPARED_MIN - 1 })).toBe(false);
    expect(isForecastTrusted(false, { comparedMinutes: 60, error: 0, persistenceError: 0 })).toBe(false);
  });

  test("is lost by being no better", () => {
    expect(isForecastTrusted(true, { ...record, error: 9.9 })).toBe(true);
    expect(isForecastTrusted(true, { ...record, error: 10 })).toBe(false);
  });

  test("comes on a long rise, and not where what comes only swings about the rate", () => {
    // Each minute 60 more. Once settled the trend is 12 / 0.28 = 42.9, and forecasts are off by (60 - 38.6) / 0.5 = 42.9; the opponent by 60.
    const rise = followed(minutes(90, (minute) => 60 * minute)).score;
    expect(rise.error).toBeCloseTo(42.9, 0);
    expect(rise.persistenceError).toBeCloseTo(60, 6);
    expect(isForecastTrusted(false, rise)).toBe(true);
    const swings = followed(
      minutes(90, (minute) => (minute % 2) * 100),
      { ratePerSec: 50 / 60 },
    ).score;
    expect(swings.persistenceError).toBe(50);
    expect(isForecastTrusted(true, swings)).toBe(false);
  });
});

describe("what becomes of a forecast", () => {
  const facts: ForecastFacts = {
    policy: "auto",
    perMinute: 600,
    trusted: true,
    serviceTimeMs: 30_000,
    headroomB: 1,
    slots: 10,
    comparedMinutes: 60,
    error: 5,
    persistenceError: 10,
  };

  test("is R + b sqrt(R) slots where it is applied", () => {
    // R = 600 x 30 / 60 = 300; 300 + 17.3.
    expect(decideForecast(facts)).toMatchObject({ mode: "applied", slots: 318, laneSlots: 318 });
    expect(decideForecast({ ...facts, slots: 400 })).toMatchObject({ mode: "applied", laneSlots: 400 });
  });

  test("is told and not done in shadow, and while it is not trusted", () => {
    for (const it of [{ policy: "shadow" as const }, { trusted: false }])
      expect(decideForecast({ ...facts, ...it })).toMatchObject({
        mode: "shadow",
        slots: 318,
        laneSlots: 10,
      });
    expect(decideForecast({ ...facts, policy: "off" })).toBeNull();
    expect(decideForecast({ ...facts, perMinute: null })).toBeNull();
  });

  test("keeps nobody waiting for next to nothing, and knows no number without a service time", () => {
    // 0.9 a minute of 30 s: 0.45 slots.
    expect(decideForecast({ ...facts, perMinute: 0.9 })).toMatchObject({ slots: 0, laneSlots: 10 });
    expect(decideForecast({ ...facts, serviceTimeMs: null })).toMatchObject({ slots: null, laneSlots: 10 });
  });
});

const policy: PlannedPolicy = {
  slotsPerWorker: 1,
  workersMin: 0,
  workersMax: 1_000,
  pickupPromiseMs: 60_000,
  scaleInHoldMs: 60_000,
};

interface Seen {
  readonly nowMs: number;
  readonly waiting: number | null;
  readonly arrivedTotal: number;
  readonly workers: number;
}

function sight({ nowMs, waiting, arrivedTotal, workers }: Seen): PoolSighting {
  const measured = {
    waiting,
    active: Math.min(workers, 5),
    dueSoon: 0,
    oldestDueAgeMs: waiting === 0 ? null : 5_000,
    arrivalRatePerSec: 1,
    serviceTimeMs: 30_000,
    readySlots: workers,
    arrivedTotal,
  };
  const release = {
    release: "a",
    generation: 1,
    readsGenerations: [1],
    trippedGenerations: [],
    publishedOrder: 1,
    live: true,
    workers,
    starting: 0,
    freeSlots: 0,
    draining: 0,
  };
  return {
    nowMs,
    lanes: [{ lane: "shop.r1", generation: 1, measured }],
    releases: [release],
    startDelayMs: 15_000,
  };
}

/** As stored: a lane for which 600 jobs a minute are forecast. */
function remembering(changes: Partial<ForecastState> = {}) {
  const forecast = {
    minuteAtMs: 0,
    arrivedTotal: 0,
    minutes: 2,
    level: 600,
    trend: 0,
    pending: [],
    errors: Array.from({ length: 40 }, () => [1, 2]),
    score: { comparedMinutes: 40, error: 1, persistenceError: 2 },
    trusted: true,
    ...changes,
  };
  return readPlannerState({ ...EMPTY_PLANNER_STATE, forecasts: { "shop.r1": forecast } });
}

describe("a pool with forecasts", () => {
  const look = { nowMs: 5_000, waiting: 0, arrivedTotal: 5, workers: 2 };
  const slotsOf = (forecast: PlannedPolicy["forecast"], state = remembering()) =>
    new PoolPlanner({ ...policy, forecast }, state).plan(sight(look)).sized[0];

  test("is raised by one that is trusted, where the policy lets it, and says what ruled", () => {
    // b = -3: 300 - 3 x 17.3 = 248.04.
    const sized = slotsOf("auto");
    expect(sized?.slots).toMatchObject({ slots: 249, ruledBy: "forecast" });
    expect(sized?.lane.slots).toBe(249);
    expect(sized?.forecast).toMatchObject({ mode: "applied", error: 1, persistenceError: 2 });
  });

  test("is not where it is in shadow, which is the default, or not trusted", () => {
    const off = slotsOf("off");
    expect(off?.forecast).toBeNull();
    for (const it of [
      slotsOf(undefined),
      slotsOf("shadow"),
      slotsOf("auto", remembering({ trusted: false })),
    ]) {
      expect(it?.slots).toEqual(off?.slots);
      expect(it?.forecast).toMatchObject({ mode: "shadow", slots: 249 });
    }
  });

  test("is back in shadow when forecasts lose", () => {
    const pending = [[1, 600, 0]];
    const errors = Array.from({ length: COMPARED_MAX }, () => [1, 1.1] as const);
    const state = remembering({ errors, pending: pending as unknown as ForecastState["pending"] });
    const planner = new PoolPlanner({ ...policy, forecast: "auto" }, state);
    // 600 were forecast, and the opponent's none came: the means are (59 + 600) / 60 and 59 x 1.1 / 60.
    const { sized } = planner.plan(sight({ ...look, nowMs: MINUTE_MS, arrivedTotal: 0 }));
    expect(sized[0]?.forecast).toMatchObject({ mode: "shadow" });
    expect(planner.state.forecasts["shop.r1"]?.trusted).toBe(false);
  });

  const anyStory = fc
    .array(
      fc.record({ waiting: fc.option(fc.nat(200), { nil: null }), came: fc.nat(400), workers: fc.nat(60) }),
      {
        minLength: 1,
        maxLength: 30,
      },
    )
    .map((steps) => {
      let arrivedTotal = 0;
      return steps.map(({ waiting, came, workers }, index) => {
        arrivedTotal += came;
        return sight({ nowMs: index * 20_000, waiting, arrivedTotal, workers });
      });
    });

  test("is planned in shadow exactly as without any", () => {
    fc.assert(
      fc.property(anyStory, (story) => {
        const [off, shadow] = [
          new PoolPlanner({ ...policy, forecast: "off" }),
          new PoolPlanner({ ...policy, forecast: "shadow" }, remembering()),
        ];
        for (const sighting of story) {
          const [without, beside] = [off.plan(sighting), shadow.plan(sighting)];
          expect(beside.decision).toEqual(without.decision);
          expect(beside.sized.map((it) => it.slots)).toEqual(without.sized.map((it) => it.slots));
        }
      }),
    );
  });

  test("never gets fewer by them, and a lane that is not known stays not known", () => {
    const anyForecast = fc.record({
      level: fc.nat(2_000),
      trend: fc.integer({ min: -100, max: 100 }),
      trusted: fc.boolean(),
    });
    fc.assert(
      fc.property(anyStory, anyForecast, (story, forecast) => {
        const planner = new PoolPlanner({ ...policy, forecast: "auto" }, remembering(forecast));
        for (const sighting of story) {
          const without = new PoolPlanner({ ...policy, forecast: "off" }, planner.state).plan(sighting);
          const raised = planner.plan(sighting);
          const [law, slots] = [without.sized[0]?.slots.slots ?? null, raised.sized[0]?.slots.slots ?? null];
          expect(slots === null).toBe(law === null);
          expect(slots ?? 0).toBeGreaterThanOrEqual(law ?? 0);
          expect(raised.decision.appliedTotal).toBeGreaterThanOrEqual(without.decision.appliedTotal);
        }
      }),
    );
  });
});
