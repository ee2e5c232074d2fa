import { describe, expect } from "vitest";
import { keysOf } from "#shared/redis/keys";
import { HOLDS_MAX, type WorkerHold, WorkerHoldsStore } from "#shared/redis/worker-holds-store";
import { redisTest as test } from "#test/support/redis-test";

function aHold(changes: Partial<WorkerHold> = {}): WorkerHold {
  const at = "2026-03-01T02:59:00.000Z";
  return { worker: "w1", order: "drain", by: "ada", why: "its disk is full", at, ...changes };
}

describe("the holds of workers", () => {
  test("are one a worker, the newest, and in order", async ({ redis, prefix }) => {
    const store = new WorkerHoldsStore(redis, keysOf(prefix));
    const quarantine = aHold({ order: "quarantine" });
    const other = aHold({ worker: "a9" });
    for (const hold of [aHold(), other, quarantine]) expect(await store.set(hold)).toBe("set");
    expect(await store.read()).toEqual([other, quarantine]);
  });

  test("are dropped by whoever has seen them, and not when a newer one took their place", async ({
    redis,
    prefix,
  }) => {
    const store = new WorkerHoldsStore(redis, keysOf(prefix));
    await store.set(aHold());
    const [seen = aHold()] = await store.read();
    await store.set(aHold({ order: "run" }));
    await store.drop(seen);
    expect(await store.read()).toEqual([aHold({ order: "run" })]);
    await store.drop(aHold({ order: "run" }));
    expect(await store.read()).toEqual([]);
  });

  test("are bounded; one that is there can still be changed", async ({ redis, prefix }) => {
    const keys = keysOf(prefix);
    const store = new WorkerHoldsStore(redis, keys);
    const others = Array.from({ length: HOLDS_MAX - 1 }, (_, index) => [`x${index}`, "not a hold"]);
    await redis.hset(keys.fleetHolds, Object.fromEntries(others));
    expect(await store.set(aHold())).toBe("set");
    expect(await store.set(aHold({ worker: "w2" }))).toBe("full");
    expect(await store.set(aHold({ order: "run" }))).toBe("set");
    // What this build cannot read is nobody's hold.
    expect(await store.read()).toEqual([aHold({ order: "run" })]);
  });
});
