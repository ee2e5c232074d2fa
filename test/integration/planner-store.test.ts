/** The memory of the planners, on a real Redis. */
import { describe, expect } from "vitest";
import { PlannerMemory } from "#autoscaler/planner-memory";
import type { PoolSighting } from "#autoscaler/scaling/planner-input";
import { PoolPlanner } from "#autoscaler/scaling/pool-planner";
import { keysOf } from "#shared/redis/keys";
import { LeaderLease } from "#shared/redis/leader-lease";
import { PlannerStore } from "#shared/redis/planner-store";
import { FakeClock } from "#test/support/fake-clock";
import { redisTest } from "#test/support/redis-test";

const facts = { host: "here", pid: 1, machine: "m" };

const policy = {
  slotsPerWorker: 1,
  workersMin: 0,
  workersMax: 20,
  pickupPromiseMs: 60_000,
  scaleInHoldMs: 60_000,
};

/** Four workers of which one has a job: three more than anybody wants. */
function sight(nowMs: number): PoolSighting {
  const measured = {
    waiting: 0,
    active: 1,
    dueSoon: 0,
    oldestDueAgeMs: null,
    arrivalRatePerSec: 0,
    serviceTimeMs: 30_000,
    readySlots: 4,
    arrivedTotal: 9,
  };
  const release = {
    release: "a",
    generation: 1,
    readsGenerations: [1],
    trippedGenerations: [],
    publishedOrder: 1,
    live: true,
    workers: 4,
    starting: 0,
    draining: 0,
  };
  return {
    nowMs,
    lanes: [{ lane: "shop.r1", generation: 1, measured }],
    releases: [release],
    startDelayMs: 5_000,
  };
}

describe("what planners remember", () => {
  redisTest("is read back with its age, by pool", async ({ redis, prefix }) => {
    const store = new PlannerStore(redis, keysOf(prefix));
    expect(await store.read()).toEqual(new Map());
    expect(await store.write("shop", '{"a":"x|y\\nz"}', 1)).toBe(true);
    expect(await store.write("mail", "{}", 1)).toBe(true);
    const read = await store.read();
    expect([...read.keys()].sort()).toEqual(["mail", "shop"]);
    expect(read.get("shop")?.state).toEqual({ a: "x|y\nz" });
    expect(read.get("shop")?.ageMs).toBeGreaterThanOrEqual(0);
    expect(read.get("shop")?.ageMs).toBeLessThan(60_000);
    expect(await redis.pttl(keysOf(prefix).planner)).toBeGreaterThan(0);
  });

  redisTest("is not read as anything when it is nonsense", async ({ redis, prefix }) => {
    const keys = keysOf(prefix);
    await redis.hset(keys.planner, { shop: "nonsense", mail: "12|1|{", toys: "9|1|null" });
    const read = await new PlannerStore(redis, keys).read();
    expect([...read.values()].map((it) => it.state)).toEqual([undefined, undefined, null]);
    const silent = { info: () => undefined, warn: () => undefined } as never;
    const memory = new PlannerMemory({
      store: new PlannerStore(redis, keys),
      clock: new FakeClock(),
      log: silent,
    });
    expect(await memory.recall()).toEqual(new Map());
    // And is written over.
    expect(await new PlannerStore(redis, keys).write("shop", "{}", 1)).toBe(true);
  });

  redisTest("is refused from a leader of the past, and stays", async ({ redis, prefix }) => {
    const keys = keysOf(prefix);
    const store = new PlannerStore(redis, keys);
    const lease = new LeaderLease(redis, keys, { id: "a", facts });
    // Terms are numbered on from what was counted before.
    await redis.set(keys.epoch, "0");
    await lease.acquire(0);
    expect(await store.write("shop", '"first"', 1)).toBe(true);
    await lease.acquire(0);
    // The second term has begun and written nothing yet.
    expect(await store.write("shop", '"late"', 1)).toBe(false);
    expect((await store.read()).get("shop")?.state).toBe("first");
    expect(await store.write("shop", '"second"', 2)).toBe(true);
    // The count of terms is lost: who has written is still known.
    await redis.del(keys.epoch);
    expect(await store.write("shop", '"late"', 1)).toBe(false);
    expect((await store.read()).get("shop")?.state).toBe("second");
  });

  redisTest("lets a new leader go on where the one before stopped", async ({ redis, prefix }) => {
    const store = new PlannerStore(redis, keysOf(prefix));
    const silent = { info: () => undefined, warn: () => undefined } as never;
    const before = new PlannerMemory({ store, clock: new FakeClock(), log: silent });
    const planner = new PoolPlanner(policy);
    const last = 70_000;
    for (let nowMs = 0; nowMs <= last; nowMs += 5_000) planner.plan(sight(nowMs));
    await before.keep("shop", planner.state, 1);

    const after = new PlannerMemory({ store, clock: new FakeClock(), log: silent });
    const remembered = (await after.recall()).get("shop");
    const next = sight(last + 5_000);
    const goesOn = new PoolPlanner(policy, remembered).plan(next);
    const beginsAnew = new PoolPlanner(policy).plan(next);
    expect(beginsAnew.decision).toMatchObject({ reason: "holding-until-observed", appliedTotal: 4 });
    expect(goesOn.decision).toMatchObject({ reason: "as-wanted", appliedTotal: 1, holds: [] });
    expect(goesOn).toEqual(planner.plan(next));
  });
});
