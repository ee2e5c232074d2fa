/** The limits document under writers that race, on a real Redis. */
import type { Redis } from "ioredis";
import { describe, expect } from "vitest";
import { LimitsKeeper } from "#autoscaler/limits-keeper";
import { DEFAULT_QUEUE_LIMITS, EMPTY_LIMITS } from "#shared/limits/limits-document";
import { limitsFor } from "#shared/limits/limits-for";
import { keysOf } from "#shared/redis/keys";
import { LimitsFollower, LimitsStore } from "#shared/redis/limits-store";
import { FakeClock } from "#test/support/fake-clock";
import { redisTest } from "#test/support/redis-test";
import { anOverride, aThrottle, inMs, NOW_MS } from "../unit/shared/limits/limits-builder.ts";

const base = { queues: { shop: DEFAULT_QUEUE_LIMITS }, throttles: [aThrottle()] };
const terms = { nowMs: NOW_MS, expectedRevision: null };
const depth = (queue: string) => anOverride({ path: `/queues/${queue}/depthMax` });

const storeOn = (redis: Redis, prefix: string) => new LimitsStore(redis, keysOf(prefix));

describe("the limits document", () => {
  redisTest("is the empty one before anything is published", async ({ redis, prefix }) => {
    expect(await storeOn(redis, prefix).read()).toEqual(EMPTY_LIMITS);
  });

  redisTest("loses no override of many that are set at once", async ({ redis, prefix }) => {
    const store = storeOn(redis, prefix);
    const queues = Array.from({ length: 8 }, (_, n) => `q${n}`);
    const changes = await Promise.all(queues.map((queue) => store.setOverride(depth(queue), terms)));
    expect(changes.map((it) => it.kind)).toEqual(queues.map(() => "changed"));
    const { revision, overrides } = await store.read();
    expect([revision, overrides.length]).toEqual([8, 8]);
    expect(await store.revision()).toBe(8);
  });

  redisTest("is changed by one of many that saw the same revision", async ({ redis, prefix }) => {
    const store = storeOn(redis, prefix);
    await store.publishBase(base, NOW_MS);
    const seen = { nowMs: NOW_MS, expectedRevision: 1 };
    const changes = await Promise.all(
      Array.from({ length: 10 }, (_, n) => store.setOverride(depth(`q${n}`), seen)),
    );
    expect(changes.filter((it) => it.kind === "changed")).toHaveLength(1);
    expect(changes.filter((it) => it.kind === "conflict")).toHaveLength(9);
  });

  redisTest("keeps overrides when a base is published, and stores nothing bad", async ({ redis, prefix }) => {
    const store = storeOn(redis, prefix);
    await store.setOverride(depth("shop"), terms);
    await store.publishBase(base, NOW_MS);
    expect((await store.publishBase(base, NOW_MS)).kind).toBe("unchanged");
    const bad = await store.setOverride({ ...depth("shop"), value: "many" }, terms);
    expect(bad.kind).toBe("refused");
    expect(await store.read()).toEqual({ revision: 2, base, overrides: [depth("shop")] });
    expect((await store.dropOverride("/queues/shop/depthMax", terms)).kind).toBe("changed");
    expect((await store.dropOverride("/queues/shop/depthMax", terms)).kind).toBe("not-found");
  });
});

describe("the keeper", () => {
  redisTest("stamps what is set, shows what holds, and gives the base back", async ({ redis, prefix }) => {
    const keeper = new LimitsKeeper(storeOn(redis, prefix), new FakeClock(NOW_MS));
    await keeper.publish(base);
    const path = "/throttles/free/limit";
    const asked = { path, value: 3, by: "ana", why: "a flood", expiresInMs: 7_200_000, expected: 1 };
    await keeper.set(asked);
    const { inForce, overrides, revision } = await keeper.view();
    expect([revision, inForce.throttles]).toEqual([2, [aThrottle({ limit: 3 })]]);
    const set = { path, value: 3, by: "ana", why: "a flood", at: inMs(0), expiresAt: inMs(7_200_000) };
    expect(overrides).toEqual([{ ...set, state: "in-force" }]);
    expect(await keeper.set(asked)).toEqual({ kind: "conflict", revision: 2 });
    expect(await keeper.drop(path)).toMatchObject({ kind: "changed", replaced: set });
    expect((await keeper.view()).inForce).toEqual(base);
  });
});

describe("a follower", () => {
  redisTest("has the defaults at first, and then what is stored", async ({ redis, prefix }) => {
    const store = storeOn(redis, prefix);
    const follower = new LimitsFollower(store, new FakeClock(NOW_MS));
    expect(await follower.refresh()).toBe(false);
    const before = follower.limits;
    expect([limitsFor(before, { queue: "shop" }), before.throttles]).toEqual([DEFAULT_QUEUE_LIMITS, []]);
    await store.publishBase(base, NOW_MS);
    expect(await follower.refresh()).toBe(true);
    expect(await follower.refresh()).toBe(false);
    expect(follower.limits.throttles).toEqual(base.throttles);
    expect(follower.limits).toBe(follower.limits);
  });

  redisTest("lets an override end by itself, between two looks at Redis", async ({ redis, prefix }) => {
    const store = storeOn(redis, prefix);
    const clock = new FakeClock(NOW_MS);
    const follower = new LimitsFollower(store, clock);
    await store.setOverride({ ...depth("shop"), expiresAt: inMs(500) }, terms);
    await follower.refresh();
    const depthNow = () => limitsFor(follower.limits, { queue: "shop" }).depthMax;
    await clock.advance(499);
    expect(depthNow()).toBe(5);
    await clock.advance(1);
    expect(depthNow()).toBe(100_000);
  });

  redisTest("goes on with its last copy while what is stored cannot be read", async ({ redis, prefix }) => {
    const store = storeOn(redis, prefix);
    const clock = new FakeClock(NOW_MS);
    const follower = new LimitsFollower(store, clock);
    await store.publishBase(base, NOW_MS);
    await follower.refresh();
    const keys = keysOf(prefix);
    await redis.mset(keys.limits, '{"revision":2,"base":"?"}', keys.limitsRevision, 2);
    await expect(follower.refresh()).rejects.toThrow();
    const stop = new AbortController();
    const running = follower.run(stop.signal);
    await clock.advance(3_000);
    expect(follower.limits.throttles).toEqual(base.throttles);
    stop.abort();
    await running;
  });
});
