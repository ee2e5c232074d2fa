/** `test` with a real Redis. There is no mock of it: what we get wrong is what it really does. */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { Redis } from "ioredis";
import { test as base, inject } from "vitest";

interface RedisFixtures {
  /** A connection of this test's own, closed when the test ends. */
  readonly redis: Redis;
  /** Key prefix that no other test uses, so tests may run side by side on one server. */
  readonly prefix: string;
}

export const redisTest = base.extend<RedisFixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads the fixture's needs from the pattern.
  prefix: async ({}, use) => {
    await use(`t${randomUUID().slice(0, 8)}`);
  },
  // biome-ignore lint/correctness/noEmptyPattern: as above.
  redis: async ({}, use) => {
    const redis = new Redis({ path: inject("redisSocketPath"), maxRetriesPerRequest: null });
    await once(redis, "ready");
    await use(redis);
    redis.disconnect();
  },
});
