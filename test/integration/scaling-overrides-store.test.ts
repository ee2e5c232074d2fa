import { describe, expect } from "vitest";
import { OverridesKeeper } from "#autoscaler/overrides-keeper";
import { keysOf } from "#shared/redis/keys";
import { ScalingOverridesFollower, ScalingOverridesStore } from "#shared/redis/scaling-overrides-store";
import { redisTest as test } from "#test/support/redis-test";
import { snapshotOf, workerView } from "../unit/autoscaler/control-api/build-look.ts";

const pool = { slotsPerWorker: 10, workersMin: 0, workersMax: 4, scaleInHoldMs: 60_000 };
const asked = { pool: "shop", by: "ada", why: "an incident", expiresInMs: 60_000, expected: null };

function keeperOf(redis: ConstructorParameters<typeof ScalingOverridesStore>[0], prefix: string) {
  const store = new ScalingOverridesStore(redis, keysOf(prefix));
  const workers = [
    workerView({ worker: "w1" }),
    workerView({ worker: "w2", state: "starting" }),
    workerView({ worker: "w3", state: "draining" }),
    workerView({ worker: "w4", state: "dead" }),
    workerView({ worker: "w5", queue: "mail", release: "mail-1" }),
  ];
  const config = { pools: { shop: pool, mail: pool } };
  return {
    store,
    keeper: new OverridesKeeper({ store, config, snapshot: async () => snapshotOf({ workers }) }),
  };
}

describe("the scaling overrides", () => {
  test("hold who is there and stays, by Redis' clock", async ({ redis, prefix }) => {
    const { store, keeper } = keeperOf(redis, prefix);
    expect(await keeper.freeze({ ...asked, hard: false })).toMatchObject({
      kind: "changed",
      document: { revision: 1 },
    });
    const { document, nowMs } = await store.read();
    expect(document.freezes).toMatchObject([{ held: { shop: { "shop-1": 2 } }, by: "ada" }]);
    const follower = new ScalingOverridesFollower(store);
    expect(follower.of("shop", nowMs).freeze).toBeNull();
    await follower.refresh();
    expect(follower.of("shop", nowMs).freeze).toMatchObject({ hard: false });
    expect(follower.of("mail", nowMs).freeze).toBeNull();
    // 60 s were asked for, and Redis' clock has gone on since.
    expect(follower.of("shop", nowMs + 60_000).freeze).toBeNull();
  });

  test("of all pools hold each of them, and are shown with each", async ({ redis, prefix }) => {
    const { keeper } = keeperOf(redis, prefix);
    await keeper.freeze({ ...asked, pool: "*", hard: true });
    const view = await keeper.view();
    expect(view.allFrozen).toMatchObject({ pool: "*", hard: true });
    expect(view.pools.map((it) => [it.pool, it.held, it.freeze?.pool])).toEqual([
      ["shop", { "shop-1": 2 }, "*"],
      ["mail", { "mail-1": 1 }, "*"],
    ]);
    expect(await keeper.thaw({ pool: "shop", expected: null })).toEqual({ kind: "not-found" });
    expect(await keeper.thaw({ pool: "*", expected: null })).toMatchObject({ kind: "changed", set: null });
  });

  test("set bounds, refuse those that make no sense, and know no pool but the configuration's", async ({
    redis,
    prefix,
  }) => {
    const { keeper } = keeperOf(redis, prefix);
    const bounds = { ...asked, workersMin: null, workersMax: 2, beyondConfig: false };
    expect(await keeper.bound(bounds)).toMatchObject({ kind: "changed" });
    expect((await keeper.view()).pools[0]).toMatchObject({ inForce: { workersMin: 0, workersMax: 2 } });
    expect(await keeper.bound({ ...bounds, workersMax: 5 })).toMatchObject({ kind: "refused" });
    expect(await keeper.bound({ ...bounds, pool: "constructor" })).toMatchObject({ kind: "unknown-pool" });
    expect(await keeper.freeze({ ...asked, pool: "none", hard: false })).toMatchObject({
      kind: "unknown-pool",
    });
    expect(await keeper.unbound({ pool: "shop", expected: null })).toMatchObject({ kind: "changed" });
  });

  test("lose none of twenty changes made at once, and refuse one that saw an older revision", async ({
    redis,
    prefix,
  }) => {
    const { store, keeper } = keeperOf(redis, prefix);
    const changes = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        n % 2 === 0
          ? keeper.freeze({ ...asked, pool: n % 4 === 0 ? "shop" : "mail", hard: false })
          : keeper.bound({ ...asked, workersMin: null, workersMax: 2, beyondConfig: false }),
      ),
    );
    expect(changes.map(({ kind }) => kind)).toEqual(changes.map(() => "changed"));
    const { document } = await store.read();
    expect([document.revision, document.freezes.length, document.bounds.length]).toEqual([20, 2, 1]);
    expect(await keeper.thaw({ pool: "shop", expected: 19 })).toEqual({ kind: "conflict", revision: 20 });
    const races = await Promise.all([1, 2, 3].map(() => keeper.thaw({ pool: "shop", expected: 20 })));
    expect(races.map(({ kind }) => kind).toSorted()).toEqual(["changed", "conflict", "conflict"]);
  });

  test("that cannot be read are an error and not nothing", async ({ redis, prefix }) => {
    const { store, keeper } = keeperOf(redis, prefix);
    await redis.set(keysOf(prefix).scalingOverrides, '{"revision":1,"freezes":"all"}');
    await expect(new ScalingOverridesFollower(store).refresh()).rejects.toThrow();
    await expect(keeper.view()).rejects.toThrow();
  });
});
