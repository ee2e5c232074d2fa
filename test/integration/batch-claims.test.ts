/** Who holds a batch's key, and jobs that have ended leaving their tenants' open sets, on a real Redis. */
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect } from "vitest";
import { NotEnqueuedError } from "#shared/errors";
import { BatchClaims } from "#shared/redis/batch-claims";
import { keysOf } from "#shared/redis/keys";
import { LaneQueues } from "#shared/redis/lane-queues";
import { OpenJobs } from "#shared/redis/open-jobs";
import { jobAsking, shopTerms } from "#test/support/admission-builder";
import { FakeClock } from "#test/support/fake-clock";
import { redisTest } from "#test/support/redis-test";

const claimTest = redisTest.extend<{ claims: BatchClaims; clock: FakeClock }>({
  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads the fixture's needs from the pattern.
  clock: async ({}, use) => {
    const clock = new FakeClock();
    await use(clock);
    expect(clock.waiting).toBe(0);
  },
  claims: async ({ redis, prefix, clock }, use) => use(new BatchClaims(redis, keysOf(prefix), clock)),
});

describe("the key of a batch", () => {
  claimTest("is held by one at a time, whichever process asks", async ({ redis, prefix, claims, clock }) => {
    const others = new BatchClaims(redis, keysOf(prefix), clock);
    const held = await Promise.all(
      [1, 2, 3, 4].map((n) => (n % 2 === 0 ? claims : others).hold("acme", "k")),
    );
    const releases = held.filter((it) => it !== null);
    expect(releases).toHaveLength(1);
    await releases[0]?.();
    const again = await others.hold("acme", "k");
    expect(again).not.toBeNull();
    await again?.();
    expect(await redis.keys(`${prefix}:*`)).toEqual([]);
  });

  claimTest("is the tenant's own", async ({ claims }) => {
    const releases = [
      await claims.hold("acme", "k"),
      await claims.hold("other", "k"),
      await claims.hold("acme", "l"),
    ];
    expect(releases).not.toContain(null);
    for (const release of releases) await release?.();
  });

  claimTest(
    "is held for as long as the batch takes, and 30 s beyond its process",
    async ({ redis, prefix, claims, clock }) => {
      const release = await claims.hold("acme", "k");
      const [key = ""] = await redis.keys(`${prefix}:idempotency:batch:*`);
      expect(await redis.pttl(key)).toBeGreaterThan(25_000);
      await redis.pexpire(key, 5_000);
      await clock.advance(10_000);
      while ((await redis.pttl(key)) <= 5_000) await turn();
      expect(await redis.pttl(key)).toBeGreaterThan(25_000);
      await release?.();
    },
  );

  claimTest(
    "is not let go, nor renewed, by one that has lost it",
    async ({ redis, prefix, claims, clock }) => {
      const late = await claims.hold("acme", "k");
      const [key = ""] = await redis.keys(`${prefix}:idempotency:batch:*`);
      await redis.del(key);
      const next = await claims.hold("acme", "k");
      expect(next).not.toBeNull();
      const holder = await redis.get(key);
      await late?.();
      expect(await redis.get(key)).toBe(holder);
      await next?.();
      expect(await redis.exists(key)).toBe(0);
      expect(clock.waiting).toBe(0);
    },
  );

  claimTest("cannot be had while Redis is away, and nothing is enqueued then", async ({ redis, claims }) => {
    redis.disconnect();
    await expect(claims.hold("acme", "k")).rejects.toBeInstanceOf(NotEnqueuedError);
  });
});

describe("jobs that have ended", () => {
  redisTest("leave their tenants' open sets, however many", async ({ redis, prefix }) => {
    const keys = keysOf(prefix);
    const queues = new LaneQueues(redis, prefix);
    const open = new OpenJobs(redis, keys, "shop");
    const names = Array.from({ length: 1_200 }, (_, n) => `${n}`);
    const terms = shopTerms();
    const others = shopTerms({ tenant: "other" });
    await Promise.all(names.map((name) => queues.admit(jobAsking(name, { terms }))));
    await queues.admit(jobAsking("x", { terms: others }));
    for (const name of names.slice(1)) open.ended("acme", `shop~${name}`);
    open.ended("other", "shop~unknown");
    expect(await redis.zcard(keys.open("shop", "acme"))).toBe(1_200);
    await open.flush();
    expect(await redis.zrange(keys.open("shop", "acme"), "0", "-1")).toEqual(["shop~0"]);
    expect(await redis.zrange(keys.open("shop", "other"), "0", "-1")).toEqual(["shop~x"]);
    await open.flush();
    queues.close();
  });
});
