import { describe, expect, test } from "vitest";
import { decisionRecordSchema, readRecord } from "#autoscaler/decision-record";
import { type DecidedPool, PoolRecords, RECORD_CHARS_MAX } from "#autoscaler/pool-record";
import { decideFreeze } from "#autoscaler/scaling/decide-freeze";
import { decideLaneSlots } from "#autoscaler/scaling/decide-lane-slots";
import { explainLaneTerms } from "#autoscaler/scaling/explain-lane-terms";
import { PoolPlanner } from "#autoscaler/scaling/pool-planner";
import type { LaneView } from "#autoscaler/snapshot";
import { aBounds, aFreeze, NOON } from "../shared/scaling/overrides-builder.ts";
import { laneView, queueView } from "./control-api/build-look.ts";

const policy = { slotsPerWorker: 10, workersMin: 0, workersMax: 3, scaleInHoldMs: 60_000 };
const config = {
  path: "/x",
  queues: { shop: { pickupPromiseMs: 5_000 } },
  pools: { shop: policy },
  releases: [],
};
const release = {
  release: "shop-1",
  generation: 1,
  readsGenerations: [1],
  trippedGenerations: [],
  publishedOrder: 1,
  live: true,
  workers: 2,
  draining: 0,
};

function decided(lanes: readonly LaneView[] = [busy()], changes: Partial<DecidedPool> = {}): DecidedPool {
  const planner = new PoolPlanner({ ...policy, pickupPromiseMs: 5_000 });
  const plan = planner.plan({
    nowMs: 1_000,
    releases: [release],
    startDelayMs: 1_500,
    lanes: lanes.map((it) => ({
      lane: it.lane,
      generation: it.generation,
      measured: { ...it, active: it.inFlight, readySlots: 20 },
    })),
  });
  return {
    plan,
    observedAt: NOON,
    queue: queueView({ lanes }),
    releases: [release],
    actions: [],
    blocked: [],
    startDelay: { startDelayMs: 1_500, measured: true },
    plannedAtMs: 1_000,
    bounds: { workersMin: 0, workersMax: 3 },
    overrides: { freeze: null, bounds: null },
    frozen: null,
    ...changes,
  };
}

function busy(changes: Partial<LaneView> = {}): LaneView {
  return laneView({ waiting: 42, inFlight: 20, oldestDueAgeMs: 2_100, serviceTimeMs: 2_500, ...changes });
}

function recorded(it: DecidedPool) {
  const record = new PoolRecords("shop", config).next(it, { nowMs: 0, epoch: 3 });
  if (record === null) throw new Error("nothing was recorded");
  return record;
}

describe("a record", () => {
  test("has an id of its own, and says what it was made from, which term ruled and what would change it", () => {
    const record = recorded(decided());
    expect(record).toMatchObject({
      recordVersion: 2,
      id: "shop~3-1",
      at: NOON,
      present: { "shop-1": 2 },
      inputs: { bounds: { workersMax: 3 }, pickupPromiseMs: 5_000, otherLanes: null },
    });
    const [lane] = record.inputs.lanes;
    expect(lane).toMatchObject({
      waiting: 42,
      inFlight: 20,
      readySlots: 20,
      reachable: true,
      unknownBecause: null,
    });
    expect(lane?.terms.map(({ term }) => term)).toEqual(["in-system", "deadline", "bursts", "arrivals"]);
    expect(lane?.terms.find(({ term }) => term === lane.ruledBy)?.slots).toBe(lane?.slots);
    expect(lane?.wouldChange?.sentence).toMatch(/slot more at/);
  });

  test("is read back as it was written", () => {
    const record = recorded(decided());
    expect(readRecord(JSON.parse(JSON.stringify(record)))).toEqual(record);
    expect(decisionRecordSchema.safeParse(record).success).toBe(true);
  });

  test("says of a lane that was not measured why, and claims no number for it", () => {
    const base = decided();
    const [first] = base.plan.sized;
    if (first === undefined) throw new Error("no lane was sized");
    const slots = {
      kind: "unknown",
      slots: null,
      terms: null,
      hasWork: false,
      reason: "waiting-unknown",
    } as const;
    const sized = [{ lane: { ...first.lane, slots: null, terms: null }, slots, forecast: null }];
    const [lane] = recorded({ ...base, plan: { ...base.plan, sized } }).inputs.lanes;
    expect(lane).toMatchObject({
      slots: null,
      unknownBecause: "waiting-unknown",
      terms: [],
      wouldChange: null,
    });
  });

  test("tells what was forecast, and has it among the terms only where it is applied", () => {
    const base = decided();
    const [first] = base.plan.sized;
    if (first === undefined) throw new Error("no lane was sized");
    const told = { perMinute: 600, slots: 25, comparedMinutes: 40, error: 1, persistenceError: 2 };
    const laneOf = (mode: "shadow" | "applied") => {
      const sized = [{ ...first, forecast: { ...told, mode, laneSlots: 25 } }];
      return recorded({ ...base, plan: { ...base.plan, sized } }).inputs.lanes[0];
    };
    expect(laneOf("shadow")?.forecast).toEqual({ ...told, mode: "shadow" });
    expect(laneOf("shadow")?.terms).toHaveLength(4);
    // 600 a minute of 2.5 s keep 25 slots busy.
    expect(laneOf("applied")?.terms.at(-1)).toMatchObject({
      term: "forecast",
      slots: 25,
      formula: expect.stringContaining("R = 600 a minute x 2.5 s"),
    });
    expect(recorded(base).inputs.lanes[0]?.forecast).toBeNull();
  });

  test("has the freeze as the last clamp, and what operators have set", () => {
    const base = decided();
    const [freeze, bounds] = [aFreeze(), aBounds()];
    const frozen = decideFreeze(base.plan.decision, { pool: "shop", freeze, releases: [release] });
    const record = recorded({ ...base, frozen, overrides: { freeze, bounds } });
    expect(record).toMatchObject({
      reason: "frozen",
      desired: { "shop-1": 3 },
      wanted: base.plan.decision.wanted,
      overrides: { freeze: { by: "ada", hard: false }, bounds: { workersMax: 3, by: "ada" } },
    });
    expect(record.clamps.at(-1)).toEqual(frozen.clamp);
    expect(record.sentence).toMatch(/^frozen by ada until .*, so 3 stay; wanted/);
    expect(record.overrides.freeze).not.toHaveProperty("held");
  });

  test("stays small with a thousand lanes: the 20 that need most, and the others in sum", () => {
    const lanes = Array.from({ length: 1_000 }, (_, at) =>
      busy({ lane: `shop.r${at + 1}`, generation: at + 1, waiting: at }),
    );
    const names = Array.from({ length: 1_000 }, (_, at) => `worker-${"x".repeat(60)}-${at}`);
    const actions = names.map((worker) => ({ act: "drain", release: "shop-1", worker }));
    const record = recorded(decided(lanes, { actions, blocked: ["x".repeat(5_000)] }));
    expect(JSON.stringify(record).length).toBeLessThanOrEqual(RECORD_CHARS_MAX);
    expect(record.actions.length + record.actionsMore).toBe(1_000);
    const told = record.inputs.lanes.map((it) => it.waiting ?? -1);
    // The lane with most jobs waiting needs most slots.
    expect(told[0]).toBe(999);
    expect(told).toEqual(told.toSorted((a, b) => b - a));
    expect(record.inputs.otherLanes).toMatchObject({ lanes: 980, inFlight: 980 * 20, unknown: 0 });
  });
});

describe("recording", () => {
  test("leaves out what repeats, for 20 s while there is work and for a minute without", () => {
    const records = new PoolRecords("shop", config);
    const at = (nowMs: number, it: DecidedPool) => records.next(it, { nowMs, epoch: 3 })?.id ?? null;
    expect([at(0, decided()), at(5_000, decided()), at(20_000, decided())]).toEqual([
      "shop~3-1",
      null,
      "shop~3-2",
    ]);
    const idle = decided([laneView()]);
    expect([at(25_000, idle), at(84_999, idle), at(85_000, idle)]).toEqual(["shop~3-3", null, "shop~3-4"]);
  });

  test("never leaves out an action, another limit or another override", () => {
    const records = new PoolRecords("shop", config);
    const at = (it: DecidedPool) => records.next(it, { nowMs: 0, epoch: 3 })?.id ?? null;
    const actions = [{ act: "start", release: "shop-1", worker: "w9" }];
    const bounds = { workersMin: 0, workersMax: 2 };
    const overrides = { freeze: null, bounds: aBounds() };
    expect([
      at(decided()),
      at(decided(undefined, { actions })),
      at(decided(undefined, { bounds })),
      at(decided(undefined, { bounds, overrides })),
      at(decided(undefined, { bounds, overrides })),
    ]).toEqual(["shop~3-1", "shop~3-2", "shop~3-3", "shop~3-4", null]);
  });
});

describe("a term's formula", () => {
  const sized = decideLaneSlots(
    {
      observedAtMs: 0,
      waiting: 42,
      active: 20,
      dueSoon: 0,
      oldestDueAgeMs: 2_100,
      arrivalRatePerSec: 4,
      serviceTimeMs: 2_500,
      readySlots: 20,
      startDelayMs: 1_500,
    },
    { pickupPromiseMs: 5_000, headroomB: 0.5, safetyZ: 2.5 },
  );
  if (sized.kind !== "sized") throw new Error("the lane was not sized");
  const formulas = explainLaneTerms(sized.terms, sized.figures);

  test("has the numbers in it that a person can check it with", () => {
    // 62 jobs, phi 0.5, W 5 s, s 2.5 s: 62 / 2 = 31. R = 4 x 2.5 = 10; 10 + 0.5 x sqrt(10) = 11.58.
    expect(formulas.map(({ formula }) => formula)).toEqual([
      "X / (1 + phi W / s) = 62 / (1 + 0.5 x 5 s / 2.5 s) = 31",
      "q = 42 wait, the oldest for 2.1 s of 5 s; 20 ready slots at 2.5 s a job, new ones after 1.5 s, z = 2.5 deviations of safety",
      expect.stringContaining("start delay 1.5 s, promise 5 s"),
      "R + b sqrt(R) = 10 + 0.5 x sqrt(10) = 11.6",
    ]);
  });

  test("says what is not known instead of a number", () => {
    const figures = { ...sized.figures, loadSlots: null, backlog: 0 };
    const terms = { ...sized.terms, fromArrivals: null, fromBursts: null };
    const told = explainLaneTerms(terms, figures);
    expect(told.map(({ slots }) => slots)).toEqual([31, sized.terms.fromDeadline, null, null]);
    expect(told.map(({ formula }) => formula).join("; ")).toMatch(
      /nothing waits;.*not known yet;.*not known yet/,
    );
  });
});
