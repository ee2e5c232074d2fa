import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PoolRelease } from "#autoscaler/scaling/decide-lane-owners";
import type { PlannedPolicy, PoolSighting, SeenLane } from "#autoscaler/scaling/planner-input";
import { readPlannerState } from "#autoscaler/scaling/planner-state";
import { PoolPlanner } from "#autoscaler/scaling/pool-planner";

const policy: PlannedPolicy = {
  slotsPerWorker: 1,
  workersMin: 0,
  workersMax: 100,
  pickupPromiseMs: 60_000,
  scaleInHoldMs: 60_000,
};

function lane(measured: Partial<SeenLane["measured"]> = {}): SeenLane {
  return {
    lane: "shop.r1",
    generation: 1,
    measured: {
      waiting: 0,
      active: 0,
      dueSoon: 0,
      oldestDueAgeMs: null,
      arrivalRatePerSec: 0,
      serviceTimeMs: 30_000,
      readySlots: 0,
      arrivedTotal: 0,
      ...measured,
    },
  };
}

function release(changes: Partial<PoolRelease> = {}): PoolRelease {
  return {
    release: "a",
    generation: 1,
    readsGenerations: [1],
    trippedGenerations: [],
    publishedOrder: 1,
    live: true,
    workers: 0,
    starting: 0,
    freeSlots: 0,
    draining: 0,
    ...changes,
  };
}

function sight(changes: Partial<PoolSighting> = {}): PoolSighting {
  return { nowMs: 0, lanes: [lane()], releases: [release()], startDelayMs: 15_000, ...changes };
}

/** A pool of ten busy workers that needed ten all along, up to 70 s. */
function settled(changed: Partial<PlannedPolicy> = {}): PoolPlanner {
  const planner = new PoolPlanner({ ...policy, ...changed });
  for (let nowMs = 0; nowMs <= 70_000; nowMs += 5_000) {
    const lanes = [lane({ waiting: 14, active: 10, oldestDueAgeMs: 20_000, readySlots: 10 })];
    planner.plan(sight({ nowMs, lanes, releases: [release({ workers: 10 })] }));
  }
  return planner;
}

describe("PoolPlanner", () => {
  test("does not order again what is on its way", () => {
    // 40 jobs of 30 s, W = 60 s: L = 1 + 0.75 x 2 = 2.5, 16 workers, whatever the deadlines ask beside.
    const planner = new PoolPlanner(policy);
    const lanes = [lane({ waiting: 40, oldestDueAgeMs: 0 })];
    const first = planner.plan(sight({ lanes })).decision.appliedTotal;
    expect(first).toBeGreaterThanOrEqual(16);
    const second = planner.plan(
      sight({
        nowMs: 5_000,
        lanes: [lane({ waiting: 40, oldestDueAgeMs: 5_000 })],
        releases: [release({ workers: first, starting: first })],
      }),
    );
    expect(second.decision.appliedTotal).toBe(first);
  });

  test("holds busy workers that are above what is wanted, and lets idle ones go after half a start", () => {
    const quiet = (planner: PoolPlanner, freeSlots: number) => {
      let applied = 10;
      for (let nowMs = 75_000; nowMs <= 95_000; nowMs += 5_000) {
        const lanes = [lane({ active: 10 - freeSlots, readySlots: 10 })];
        const releases = [release({ workers: 10, freeSlots })];
        applied = planner.plan(sight({ nowMs, lanes, releases })).decision.appliedTotal;
      }
      return applied;
    };
    expect(quiet(settled(), 0)).toBe(10);
    expect(quiet(settled(), 4)).toBe(6);
    // Where only those that are there are in time, idle workers are the promise.
    expect(quiet(settled({ pickupPromiseMs: 20_000 }), 4)).toBe(10);
    expect(quiet(settled({ posture: "latency" }), 4)).toBe(10);
  });

  test("tells how much of the error budget is burnt, and is more careful the more it is", () => {
    const planner = new PoolPlanner({ ...policy, errorBudget: 0.02 });
    const before = planner.plan(sight({ startedTotal: 0, lateTotal: 0 })).errorBudget;
    const after = planner.plan(sight({ nowMs: 5_000, startedTotal: 1_000, lateTotal: 100 })).errorBudget;
    expect(before).toMatchObject({ target: 0.02, lateShare: 0.02, burnt: 1, z: 2.5 });
    // 2 % x 0.37 + 10 % x 0.63 = 7.1 %.
    expect(after.lateShare).toBeCloseTo(0.0706, 3);
    expect(after.z).toBeGreaterThan(before.z);
    expect(new PoolPlanner(policy).plan(sight()).errorBudget).toMatchObject({ lateShare: null, burnt: null });
  });

  test("adds nobody for a lane that every release has tripped, and says so", () => {
    const lanes = [lane({ waiting: 40, oldestDueAgeMs: 0, readySlots: 2 })];
    const releases = [release({ workers: 2, trippedGenerations: [1] })];
    const { decision, sized } = new PoolPlanner(policy).plan(sight({ lanes, releases }));
    expect(decision.appliedTotal).toBe(2);
    expect(decision.clamps[0]).toMatchObject({ by: "breakers-open", to: 2 });
    expect(sized[0]?.slots.slots).toBeGreaterThan(2);
  });

  test("shares slots that read several lanes out between them", () => {
    // Ten workers that read both lanes: half of them count for each, so the deadlines of both are met by ten and not by five.
    const measured = { waiting: 30, active: 5, oldestDueAgeMs: 30_000, readySlots: 10 };
    const lanes = [lane(measured), { ...lane(measured), lane: "shop.r2", generation: 2 }];
    const releases = [release({ workers: 10, readsGenerations: [1, 2], generation: 2 })];
    const { sized } = new PoolPlanner(policy).plan(sight({ lanes, releases }));
    expect(sized.map(({ slots }) => slots.kind === "sized" && slots.figures.readySlots)).toEqual([5, 5]);
  });

  test("expects nobody whom a freeze has kept from being started", () => {
    const planner = new PoolPlanner({ ...policy, workersMax: 2 });
    planner.plan(sight({ lanes: [lane({ waiting: 40, oldestDueAgeMs: 0 })] }));
    const first = [{ upAtMs: 15_000, workers: 2 }];
    expect(planner.state.starts).toEqual({ a: first });
    const look = (nowMs: number) => {
      const lanes = [lane({ waiting: 400, oldestDueAgeMs: nowMs })];
      const releases = [release({ workers: 2, starting: 2 })];
      return planner.plan(sight({ nowMs, lanes, releases, bounds: { workersMin: 0, workersMax: 90 } }));
    };
    expect(look(5_000).decision.appliedTotal).toBe(90);
    planner.carriedOut({ a: 2 });
    expect(planner.state.starts).toEqual({ a: first });
    look(10_000);
    // One that died is replaced: it is up one start delay from now.
    planner.carriedOut({ a: 3 });
    expect(planner.state.starts).toEqual({ a: [...first, { upAtMs: 25_000, workers: 1 }] });
  });

  test("obeys bounds that are set for the moment", () => {
    const lanes = [lane({ waiting: 400, oldestDueAgeMs: 0 })];
    const { decision } = new PoolPlanner(policy).plan(
      sight({ lanes, bounds: { workersMin: 0, workersMax: 3 } }),
    );
    expect(decision.appliedTotal).toBe(3);
  });
});

describe("the planner's state", () => {
  const anySighting = fc
    .record({
      waiting: fc.option(fc.nat(200), { nil: null }),
      active: fc.nat(50),
      came: fc.nat(40),
      late: fc.nat(3),
      workers: fc.nat(60),
      starting: fc.nat(20),
      free: fc.nat(20),
    })
    .map((any) => ({ ...any, starting: Math.min(any.starting, any.workers) }));

  /** Sightings with rising counters. */
  const anyStory = fc.array(anySighting, { minLength: 2, maxLength: 40 }).map((steps) => {
    let [arrived, started, late] = [0, 0, 0];
    return steps.map((it, index): PoolSighting => {
      arrived += it.came;
      started += it.came;
      late += Math.min(it.late, it.came);
      const measured = {
        waiting: it.waiting,
        active: it.active,
        oldestDueAgeMs: it.waiting === 0 ? null : 7_000,
        arrivalRatePerSec: it.came / 5,
        readySlots: it.workers - it.starting,
        arrivedTotal: arrived,
      };
      return sight({
        nowMs: index * 5_000,
        lanes: [lane(measured)],
        releases: [release({ workers: it.workers, starting: it.starting, freeSlots: it.free })],
        startedTotal: started,
        lateTotal: late,
      });
    });
  });

  test("makes another planner go on exactly as this one would have", () => {
    fc.assert(
      fc.property(anyStory, (story) => {
        const last = story.at(-1) ?? sight();
        const planner = new PoolPlanner(policy);
        for (const sighting of story.slice(0, -1)) planner.plan(sighting);
        const stored: unknown = JSON.parse(JSON.stringify(planner.state));
        expect(new PoolPlanner(policy, readPlannerState(stored)).plan(last)).toEqual(planner.plan(last));
      }),
    );
  });

  test("stays small", () => {
    const planner = new PoolPlanner(policy);
    for (let look = 0; look < 1_000; look += 1) {
      const lanes = [lane({ waiting: 50, active: 9, arrivedTotal: look * 7, oldestDueAgeMs: 9_000 })];
      planner.plan(sight({ nowMs: look * 5_000, lanes, startedTotal: look * 7, lateTotal: look }));
    }
    expect(JSON.stringify(planner.state).length).toBeLessThan(8_000);
  });

  test("that is not of this version is none", () => {
    expect(readPlannerState({ version: 9 })).toEqual(readPlannerState(null));
  });

  test("more jobs waiting never gets fewer workers, and a lane that is unknown takes nobody away", () => {
    fc.assert(
      fc.property(anyStory, fc.nat(100), (story, more) => {
        const last = story.at(-1) ?? sight();
        const planner = new PoolPlanner(policy);
        for (const sighting of story.slice(0, -1)) planner.plan(sighting);
        const next = (waiting: number | null) =>
          new PoolPlanner(policy, planner.state).plan({
            ...last,
            lanes: last.lanes.map((it) => ({
              ...it,
              measured: { ...it.measured, waiting, oldestDueAgeMs: 7_000 },
            })),
          }).decision.appliedTotal;
        const waiting = last.lanes[0]?.measured.waiting ?? 1;
        expect(next(waiting + more)).toBeGreaterThanOrEqual(next(waiting));
        expect(next(null)).toBeGreaterThanOrEqual(last.releases[0]?.workers ?? 0);
      }),
    );
  });
});
