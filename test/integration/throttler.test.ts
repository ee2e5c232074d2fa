/** Throttles as a producer asks them: on a real Redis, by its own clock unless a test must be exact. */
import type { Redis } from "ioredis";
import { describe, expect } from "vitest";
import type { Throttle } from "#shared/limits/limits-document";
import { connectFailingFast, disconnect } from "#shared/redis/connection";
import { keysOf } from "#shared/redis/keys";
import { ThrottleStore } from "#shared/redis/throttle-store";
import { type ThrottleAnswer, type ThrottleRequest, Throttler } from "#shared/throttle/throttler";
import { redisTest } from "#test/support/redis-test";
import { aThrottle } from "../unit/shared/limits/limits-builder.ts";

const DAY_MS = 86_400_000;

function throttlerOn(redis: Redis, prefix: string, throttles: readonly Throttle[], nowMs?: () => number) {
  const limits = { queues: {}, throttles, nextExpiryMs: null, states: [] };
  return new Throttler({ store: new ThrottleStore(redis, keysOf(prefix), nowMs), limits: () => limits });
}

function request(changes: Partial<ThrottleRequest> = {}): ThrottleRequest {
  return { tenant: "acme", keyId: "k1", type: "receipt.render", cost: 1, excess: "reject", ...changes };
}

const kindsOf = (answers: readonly ThrottleAnswer[]) => {
  const passed = answers.filter((it) => it.kind === "pass").length;
  return { passed, rejected: answers.filter((it) => it.kind === "reject").length };
};

const times = (count: number, act: (n: number) => Promise<ThrottleAnswer>) =>
  Promise.all(Array.from({ length: count }, (_, n) => act(n)));

describe("requests that come together", () => {
  redisTest.for(["token-bucket", "fixed-window", "sliding-window"] as const)(
    "never exceed a %s, not even through two producers",
    async (algorithm, { redis, prefix }) => {
      const other = redis.duplicate();
      // Of a day, so that nothing comes back while the test runs.
      const throttles = [aThrottle({ algorithm, limit: 30, windowMs: DAY_MS })];
      const producers = [throttlerOn(redis, prefix, throttles), throttlerOn(other, prefix, throttles)];
      const answers = await times(100, async (n) => {
        const producer = producers[n % 2];
        if (producer === undefined) throw new Error("there are two");
        return producer.take(request());
      });
      expect(kindsOf(answers)).toEqual({ passed: 30, rejected: 70 });
      other.disconnect();
    },
  );

  redisTest("of several tenants are counted by tenant", async ({ redis, prefix }) => {
    const throttler = throttlerOn(redis, prefix, [aThrottle({ limit: 2, windowMs: DAY_MS })]);
    const answers = await times(9, (n) => throttler.take(request({ tenant: `t${n % 3}` })));
    expect(kindsOf(answers)).toEqual({ passed: 6, rejected: 3 });
  });

  redisTest("are charged by the job: a batch of 100 costs 100", async ({ redis, prefix }) => {
    const throttler = throttlerOn(redis, prefix, [aThrottle({ limit: 250, windowMs: DAY_MS })]);
    const answers = await times(3, () => throttler.take(request({ cost: 100 })));
    expect(kindsOf(answers)).toEqual({ passed: 2, rejected: 1 });
    expect((await throttler.take(request({ cost: 50 }))).kind).toBe("pass");
  });
});

describe("several throttles", () => {
  redisTest("take nothing unless all of them pass", async ({ redis, prefix }) => {
    const throttler = throttlerOn(redis, prefix, [
      aThrottle({ name: "wide", limit: 10, windowMs: DAY_MS }),
      aThrottle({ name: "narrow", per: "type", algorithm: "fixed-window", limit: 3, windowMs: DAY_MS }),
    ]);
    const answers = await times(50, () => throttler.take(request()));
    expect(kindsOf(answers)).toEqual({ passed: 3, rejected: 47 });
    expect(answers.at(-1)).toMatchObject({ violated: ["narrow"] });
    // Of the wide one 3 are taken and not 50.
    const elsewhere = await times(10, () => throttler.take(request({ type: "csv.summarise", cost: 1 })));
    expect(kindsOf(elsewhere)).toEqual({ passed: 3, rejected: 7 });
    expect(elsewhere[2]).toMatchObject({
      fields: [
        { name: "wide", remaining: 4 },
        { name: "narrow", remaining: 0 },
      ],
    });
  });

  redisTest("that refuse together tell the later time, which is exact", async ({ redis, prefix }) => {
    let nowMs = 1_800_000_000_000;
    const throttles = [
      // Empty for 500 ms after one, and for 2 s after one.
      aThrottle({ name: "fast", limit: 2, burst: 1 }),
      aThrottle({ name: "slow", limit: 1, windowMs: 2_000 }),
    ];
    const throttler = throttlerOn(redis, prefix, throttles, () => nowMs);
    await throttler.take(request());
    expect(await throttler.take(request())).toMatchObject({
      kind: "reject",
      retryAfterMs: 2_000,
      violated: ["fast", "slow"],
    });
    nowMs += 1_999;
    expect(await throttler.take(request())).toMatchObject({
      kind: "reject",
      retryAfterMs: 1,
      violated: ["slow"],
    });
    nowMs += 1;
    expect((await throttler.take(request())).kind).toBe("pass");
  });
});

describe("excess", () => {
  const slow = aThrottle({ algorithm: "leaky-bucket", limit: 4 });

  redisTest("that may wait is given the times that are free, each once", async ({ redis, prefix }) => {
    const throttler = throttlerOn(redis, prefix, [slow], () => 1_800_000_000_000);
    const answers = await times(4, () => throttler.take(request({ excess: "delay" })));
    const delays = answers.map((it) => (it.kind === "delay" ? it.delaysMs : [0]));
    // One each 250 ms.
    expect(delays).toEqual([[0], [250], [500], [750]]);
    const batch = await throttler.take(request({ excess: "delay", cost: 2 }));
    expect(batch).toMatchObject({ kind: "delay", delayMs: 1_250, delaysMs: [1_000, 1_250], degraded: false });
  });

  redisTest("that may be degraded comes in at low priority and takes nothing", async ({ redis, prefix }) => {
    const throttler = throttlerOn(redis, prefix, [slow], () => 1_800_000_000_000);
    const answers = await times(3, () => throttler.take(request({ excess: "degrade" })));
    expect(answers.map((it) => it.kind)).toEqual(["pass", "degrade", "degrade"]);
    // As after the first: the next one fits 250 ms later.
    expect(await throttler.take(request())).toMatchObject({ kind: "reject", retryAfterMs: 250 });
  });

  redisTest("goes by the throttle's own word before the type's", async ({ redis, prefix }) => {
    const throttler = throttlerOn(redis, prefix, [{ ...slow, excess: "degrade" }]);
    const answers = await times(2, () => throttler.take(request({ excess: "reject" })));
    expect(answers.map((it) => it.kind)).toEqual(["pass", "degrade"]);
  });

  redisTest(
    "of a window that may wait is refused: no time can be reserved there",
    async ({ redis, prefix }) => {
      const window = aThrottle({ algorithm: "sliding-window", limit: 1, windowMs: DAY_MS });
      const throttler = throttlerOn(redis, prefix, [window]);
      const answers = await times(2, () => throttler.take(request({ excess: "delay" })));
      expect(answers.map((it) => it.kind)).toEqual(["pass", "reject"]);
    },
  );

  redisTest(
    "that never fits is told how much does, and that does at the time told",
    async ({ redis, prefix }) => {
      let nowMs = 1_800_000_000_000;
      const throttler = throttlerOn(redis, prefix, [aThrottle({ limit: 10 })], () => nowMs);
      await throttler.take(request({ cost: 5 }));
      // 5 of 10 are there; all 10 are after 5 times 100 ms.
      expect(await throttler.take(request({ cost: 11 }))).toMatchObject({
        kind: "reject",
        costMax: 10,
        retryAfterMs: 500,
      });
      expect(throttler.costMax(request())).toBe(10);
      nowMs += 500;
      expect((await throttler.take(request({ cost: 10 }))).kind).toBe("pass");
    },
  );
});

describe("counts", () => {
  redisTest("expire by themselves, and lie under the prefix", async ({ redis, prefix }) => {
    const throttles = [aThrottle(), aThrottle({ name: "win", algorithm: "fixed-window", windowMs: DAY_MS })];
    await throttlerOn(redis, prefix, throttles).take(request());
    const keys = keysOf(prefix);
    const bucketMs = await redis.pttl(keys.throttle("bucket", "free", "acme"));
    const windowMs = await redis.pttl(keys.throttle("window", "win", "acme"));
    expect(bucketMs).toBeGreaterThan(0);
    expect(bucketMs).toBeLessThanOrEqual(60_000);
    // A window matters until the one after it has ended.
    expect(windowMs).toBeGreaterThan(DAY_MS - 60_000);
    expect(windowMs).toBeLessThanOrEqual(2 * DAY_MS + 1);
    expect(await redis.keys(`${prefix}:*`)).toHaveLength(2);
  });

  redisTest("of a script that Redis has forgotten are taken all the same", async ({ redis, prefix }) => {
    const throttler = throttlerOn(redis, prefix, [aThrottle({ limit: 5, windowMs: DAY_MS })]);
    await throttler.take(request());
    await redis.script("FLUSH");
    expect(kindsOf(await times(6, () => throttler.take(request())))).toEqual({ passed: 4, rejected: 2 });
  });

  redisTest("do not let a request in when Redis cannot be asked", async ({ prefix }) => {
    const own = connectFailingFast("unix:///nowhere/redis.sock", "test");
    const throttler = throttlerOn(own, prefix, [aThrottle()]);
    await expect(throttler.take(request())).rejects.toMatchObject({ code: "NOT_ENQUEUED" });
    disconnect(own);
  });
});
