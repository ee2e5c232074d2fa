/** What the planner is shown of a pool, from what was measured. */
import { describe, expect, test } from "vitest";
import type { ExecutorStatus } from "#autoscaler/fleet/fleet-executor";
import { FleetSight } from "#autoscaler/fleet/fleet-sight";
import { seenLimits } from "#autoscaler/pool-sighting";
import type { PoolRelease } from "#autoscaler/scaling/decide-lane-owners";
import { PoolPlanner } from "#autoscaler/scaling/pool-planner";
import { queueView } from "./control-api/build-look.ts";

const GIB = 1_073_741_824;

const estimates = { arrivedTotal: () => 40, started: () => 9, late: () => 2 };
const free = { estimates, memory: { usedBytes: 0, maxBytes: GIB }, roomForWorkers: null };

/** The executor's word on the pool, by way of the last look. */
async function roomSeen(room: ExecutorStatus["room"]): Promise<number | null> {
  const status: ExecutorStatus = { epoch: null, workers: [], ended: [], blocked: [], room };
  const sight = new FleetSight({ status: async () => status });
  await sight.refresh();
  return sight.roomForWorkers("shop");
}

/** Workers that are wanted when 40 jobs of 30 s wait for a pool of one slot a worker, two of them there. */
async function plannedWith(room: ExecutorStatus["room"]) {
  const planner = new PoolPlanner({
    slotsPerWorker: 1,
    workersMin: 0,
    workersMax: 100,
    pickupPromiseMs: 60_000,
    scaleInHoldMs: 60_000,
  });
  const measured = {
    waiting: 40,
    active: 2,
    dueSoon: 0,
    oldestDueAgeMs: 0,
    arrivalRatePerSec: 0,
    serviceTimeMs: 30_000,
    readySlots: 2,
    arrivedTotal: 42,
  };
  const release: PoolRelease = {
    release: "a",
    generation: 1,
    readsGenerations: [1],
    trippedGenerations: [],
    publishedOrder: 1,
    live: true,
    workers: 2,
    starting: 0,
    freeSlots: 0,
    draining: 0,
  };
  return planner.plan({
    nowMs: 0,
    lanes: [{ lane: "shop.r1", generation: 1, measured }],
    releases: [release],
    startDelayMs: 15_000,
    ...seenLimits(queueView(), { ...free, roomForWorkers: await roomSeen(room) }),
  }).decision;
}

describe("the limits that the planner sees", () => {
  test("are the room that the executor has left: no more workers are asked for than fit", async () => {
    const free = await plannedWith({});
    expect(free.appliedTotal).toBeGreaterThan(5);
    // 2 are there, and 3 fit beside them.
    const tight = await plannedWith({ shop: 3 });
    expect(tight.appliedTotal).toBe(5);
    expect(tight.clamps.map((it) => it.by)).toContain("room-for-workers");
    expect((await plannedWith({ shop: 0 })).appliedTotal).toBe(2);
  });

  test("are none where the executor does not know, or speaks of other pools", async () => {
    expect(await roomSeen({})).toBeNull();
    expect(await roomSeen({ shop: null })).toBeNull();
    expect(await roomSeen({ other: 0 })).toBeNull();
  });

  test("count late starts only where a start can be late, and close at full memory", () => {
    expect(seenLimits(queueView({ pickupPromiseMs: 500 }), free)).toMatchObject({
      startedTotal: 9,
      lateTotal: 2,
      redisMemory: "open",
    });
    expect(seenLimits(queueView({ pickupPromiseMs: null }), free).lateTotal).toBeNull();
    const full = { ...free, memory: { usedBytes: GIB, maxBytes: GIB } };
    expect(seenLimits(queueView(), full).redisMemory).toBe("closed");
    // A Redis without a limit is never full.
    expect(seenLimits(queueView(), { ...free, memory: { usedBytes: GIB, maxBytes: 0 } }).redisMemory).toBe(
      "open",
    );
  });
});
