/** Whether a lane's jobs have somebody who will run them: the decision, and the facts it is made from. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FleetIndex } from "#autoscaler/fleet-index";
import { type LaneFacts, laneReaders, laneTrips } from "#autoscaler/lane-readers";
import { decideLaneAlarm, type LaneReader } from "#autoscaler/scaling/decide-lane-alarm";
import type { WorkerView } from "#autoscaler/snapshot";
import { workerView } from "./control-api/build-look.ts";

const able: LaneReader = { release: "shop-1", subscribers: 1, startable: false, tripped: false };
const fallen: LaneReader = { ...able, release: "shop-2", tripped: true };

describe("decideLaneAlarm", () => {
  test("is silent about a lane without jobs, whoever reads it", () => {
    expect(decideLaneAlarm(0, [])).toBeNull();
    expect(decideLaneAlarm(0, [fallen])).toBeNull();
  });

  test("calls jobs orphaned that no release reads, or none with a worker now or soon", () => {
    expect(decideLaneAlarm(1, [])).toBe("orphaned");
    expect(decideLaneAlarm(1, [{ ...able, subscribers: 0 }])).toBe("orphaned");
    expect(decideLaneAlarm(1, [{ ...able, subscribers: 0, startable: true }])).toBeNull();
  });

  test("calls a lane tripped when all fail that subscribe to it", () => {
    expect(decideLaneAlarm(1, [fallen])).toBe("tripped");
    expect(decideLaneAlarm(1, [able, fallen])).toBeNull();
    // One that could be started and is not runs nothing.
    const unstarted = { ...able, subscribers: 0, startable: true };
    expect(decideLaneAlarm(1, [unstarted, fallen])).toBe("tripped");
  });

  test("judges those that could be started when nobody subscribes", () => {
    const idle = { ...fallen, subscribers: 0, startable: true };
    expect(decideLaneAlarm(1, [idle])).toBe("tripped");
    expect(decideLaneAlarm(1, [idle, { ...idle, release: "shop-1", tripped: false }])).toBeNull();
  });

  test("is silent about jobs only while an untripped release has, or can get, a worker", () => {
    const anyReader = fc.record({
      release: fc.constantFrom("a", "b", "c"),
      subscribers: fc.nat(2),
      startable: fc.boolean(),
      tripped: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(anyReader, { maxLength: 4 }), fc.integer({ min: 1 }), (readers, jobs) => {
        if (decideLaneAlarm(jobs, readers) !== null) return;
        const sound = readers.filter((it) => !it.tripped && (it.subscribers > 0 || it.startable));
        expect(sound.length).toBeGreaterThan(0);
      }),
    );
  });
});

const pool = { workersMax: 2 };

function factsOf(workers: readonly WorkerView[], changes: Partial<LaneFacts> = {}): LaneFacts {
  return {
    queue: "shop",
    lane: "shop.r1",
    readers: ["shop-1"],
    fleet: new FleetIndex(workers),
    trips: [],
    config: {
      pools: { shop: pool },
      releases: [{ id: "shop-1" }],
    },
    blocked: () => false,
    ...changes,
  };
}

/** The alarm of a lane with one job that waits for a time. */
function alarmOf(facts: LaneFacts) {
  return decideLaneAlarm(1, laneReaders(facts));
}

describe("a live release that reads a lane", () => {
  test.each([
    ["takes from it", { state: "ok" }, null],
    ["is starting", { state: "starting", lanes: [] }, null],
    ["was not heard of for a moment", { state: "suspect" }, null],
    ["is quarantined: it takes nothing and keeps its place", { state: "quarantined" }, "orphaned"],
    ["takes from other lanes only", { state: "ok", lanes: ["shop.r2"] }, "orphaned"],
    // The next would be started in its place.
    ["drains", { state: "draining" }, null],
    ["is dead", { state: "dead" }, null],
  ] as const)("with a worker that %s", (_what, changes, alarm) => {
    expect(alarmOf(factsOf([workerView(changes)]))).toBe(alarm);
  });

  const draining = [workerView({ state: "draining" })];
  const { config } = factsOf([]);

  test.each([
    ["is not in the configuration", { config: { ...config, releases: [] } }],
    ["has no pool", { config: { ...config, pools: {} } }],
    ["has a pool of none", { config: { ...config, pools: { shop: { ...pool, workersMax: 0 } } } }],
    ["has workers that end at once", { blocked: () => true }],
  ])("orphans its jobs when all its workers drain and it %s", (_what, changes) => {
    expect(alarmOf(factsOf(draining, changes))).toBe("orphaned");
    expect(alarmOf(factsOf([], changes))).toBe("orphaned");
    expect(alarmOf(factsOf([workerView()], changes))).toBeNull();
  });

  test("orphans its jobs when quarantined workers of others hold every place of the pool", () => {
    const stuck = ["a", "b"].map((worker) =>
      workerView({ worker, release: "shop-0", state: "quarantined", lanes: [] }),
    );
    expect(alarmOf(factsOf(stuck))).toBe("orphaned");
    expect(alarmOf(factsOf(stuck.slice(1)))).toBeNull();
  });

  test("is not helped by a worker of another queue or another release", () => {
    const changes = { config: { ...config, pools: {} } };
    expect(alarmOf(factsOf([workerView({ queue: "mail" })], changes))).toBe("orphaned");
    expect(alarmOf(factsOf([workerView({ release: "shop-0" })], changes))).toBe("orphaned");
  });
});

describe("a trip", () => {
  const trip = {
    release: "shop-1",
    lane: "shop.r1",
    atMs: 0,
    untilMs: Date.UTC(2026, 2, 1, 3, 0, 30),
    failures: 2,
    type: "receipt.render",
    targetVersion: 2,
    code: "UPCAST_FAILED",
    jobId: "shop~a",
  };

  test("is an alarm while the release's worker is kept from the lane by it, and half-open too", () => {
    const kept = workerView({ lanes: [], trippedLanes: ["shop.r1"] });
    expect(alarmOf(factsOf([kept], { trips: [trip] }))).toBe("tripped");
    expect(alarmOf(factsOf([workerView()], { trips: [trip] }))).toBe("tripped");
    expect(alarmOf(factsOf([], { trips: [trip] }))).toBe("tripped");
  });

  test("of another lane or of a release that does not read this one is none of its", () => {
    const others = [
      { ...trip, lane: "shop.r2" },
      { ...trip, release: "shop-0" },
    ];
    expect(alarmOf(factsOf([workerView()], { trips: others }))).toBeNull();
    expect(laneTrips(factsOf([], { trips: others }))).toEqual([]);
  });

  test("is shown with its release, its time and what failed", () => {
    expect(laneTrips(factsOf([], { trips: [trip] }))).toEqual([
      {
        release: "shop-1",
        until: "2026-03-01T03:00:30.000Z",
        failures: 2,
        type: "receipt.render",
        targetVersion: 2,
        code: "UPCAST_FAILED",
        jobId: "shop~a",
      },
    ]);
  });
});
