/** The leader's chores on a real Redis: what they change, and that they change it as BullMQ would. */
import { type JobsOptions, Queue } from "bullmq";
import type { Redis } from "ioredis";
import { pino } from "pino";
import { describe, expect } from "vitest";
import { Chores } from "#autoscaler/chores/chores";
import { RaiseOld } from "#autoscaler/chores/raise-old";
import { BoundHeld, CleanSucceeded } from "#autoscaler/chores/retention";
import { SweepOpen } from "#autoscaler/chores/sweep-open";
import { EMPTY_RECORD, withAttempt } from "#shared/job-record";
import { ChoreStore } from "#shared/redis/chore-store";
import { keysOf } from "#shared/redis/keys";
import { LaneQueues } from "#shared/redis/lane-queues";
import { toRfc3339 } from "#shared/system-clock";
import { FakeClock } from "#test/support/fake-clock";
import { everyKeyOf } from "#test/support/queue-keys";
import { redisTest } from "#test/support/redis-test";
import { registryWithReceipts } from "#test/unit/producer/server-builder";

const LANE = "shop.r1";

interface World {
  readonly store: ChoreStore;
  readonly keys: ReturnType<typeof keysOf>;
  /** Adds a job as BullMQ does. */
  add(place: string, jobId: string, options?: JobsOptions): Promise<void>;
  queue(place: string): Queue;
}

const choreTest = redisTest.extend<{ world: World }>({
  world: async ({ redis, prefix }, use) => {
    const keys = keysOf(prefix);
    const store = new ChoreStore(redis, keys, new LaneQueues(redis, prefix));
    const open = new Map<string, Queue>();
    const queue = (place: string) => {
      const known = open.get(place) ?? new Queue(place, { connection: redis, prefix });
      open.set(place, known);
      return known;
    };
    const add = async (place: string, jobId: string, options: JobsOptions = {}) => {
      await queue(place).add("receipt.render", { n: 1 }, { jobId, ...options });
    };
    await use({ store, keys, add, queue });
    await Promise.all([...open.values()].map((it) => it.close()));
  },
});

const log = pino({ level: "silent" });

/** Makes a job seem accepted `ageMs` earlier. */
async function age(redis: Redis, key: string, ageMs: number): Promise<void> {
  await redis.hset(key, "timestamp", Number(await redis.hget(key, "timestamp")) - ageMs);
}

describe("jobs that have waited long", () => {
  const MINUTE = { highest: 1, ageMs: 60_000 };

  choreTest("are raised exactly as BullMQ changes a priority", async ({ world, redis, prefix }) => {
    const { store, add, queue } = world;
    const both = [LANE, "mail.r1"];
    for (const place of both) {
      for (const [jobId, priority] of [
        ["a", 3],
        ["b", 1],
        ["c", 4],
        ["d", 3],
      ] as const) {
        await add(place, jobId, { priority, timestamp: 1_000 });
      }
      // Taken of the marker, as a worker does that has found it.
      await redis.del(`${prefix}:${place}:marker`);
    }
    expect(await store.raiseOld(LANE, { ...MINUTE, waited: 4 })).toMatchObject({ raised: 3 });
    for (const jobId of ["a", "d", "c"]) {
      await (await queue("mail.r1").getJob(jobId))?.changePriority({ priority: 1 });
    }
    const [ours, theirs] = await Promise.all(both.map((place) => everyKeyOf(redis, `${prefix}:${place}:`)));
    expect(ours).toEqual(theirs);
    expect(await redis.zrange(`${prefix}:${LANE}:prioritized`, "0", "-1")).toEqual(["b", "a", "d", "c"]);
  });

  choreTest("mark no paused lane", async ({ world, redis, prefix }) => {
    const { store, add, queue } = world;
    await add(LANE, "a", { priority: 3, timestamp: 1_000 });
    await queue(LANE).pause();
    await redis.del(`${prefix}:${LANE}:marker`);
    expect(await store.raiseOld(LANE, { ...MINUTE, waited: 1 })).toMatchObject({ raised: 1 });
    expect(await redis.exists(`${prefix}:${LANE}:marker`)).toBe(0);
  });

  choreTest(
    "are those up to the counter that are old enough, 200 a call",
    async ({ world, redis, prefix }) => {
      const { store, add } = world;
      for (let n = 0; n < 205; n += 1) await add(LANE, `j${n}`, { priority: 2, timestamp: 1_000 });
      await add(LANE, "later", { priority: 2, timestamp: 1_000 });
      await add(LANE, "young", { priority: 4 });
      const waited = { ...MINUTE, waited: 205 };
      expect((await store.raiseOld(LANE, waited)).raised).toBe(200);
      expect((await store.raiseOld(LANE, waited)).raised).toBe(5);
      expect((await store.raiseOld(LANE, waited)).raised).toBe(0);
      // "young" came as number 207, and even a counter that takes it in leaves it.
      expect((await store.raiseOld(LANE, { ...MINUTE, waited: 400 })).raised).toBe(1);
      expect(await redis.hmget(`${prefix}:${LANE}:young`, "priority")).toEqual(["4"]);
    },
  );

  choreTest(
    "are raised by the chore once they have waited, in queues with priorities",
    async ({ world, redis, prefix }) => {
      const { store, add } = world;
      const raised: unknown[] = [];
      const time = { skewMs: 0 };
      const moved: Pick<ChoreStore, "raiseOld"> = {
        raiseOld: async (...args) => {
          const answer = await store.raiseOld(...args);
          return { ...answer, redisNowMs: answer.redisNowMs + time.skewMs };
        },
      };
      const limits = { priorities: false, raiseAfterMs: 60_000 };
      const chore = new RaiseOld({
        store: moved,
        registry: registryWithReceipts,
        prioritiesOf: () => limits,
        onRaised: (...it) => raised.push(it),
      });
      await add(LANE, "a", { priority: 3 });
      await age(redis, `${prefix}:${LANE}:a`, 70_000);
      await chore.round();
      limits.priorities = true;
      await chore.round();
      // Seen a moment ago only: nothing is known of how long it has waited here.
      expect(raised).toEqual([]);
      await add(LANE, "b", { priority: 3 });
      time.skewMs = 61_000;
      await chore.round();
      expect(raised).toEqual([["shop", 1]]);
      expect(await redis.hget(`${prefix}:${LANE}:a`, "priority")).toBe("1");
      expect(await redis.hget(`${prefix}:${LANE}:b`, "priority")).toBe("3");
    },
  );
});

describe("when memory runs low", () => {
  choreTest("succeeded jobs go, oldest first, and failed ones stay", async ({ world, redis, prefix }) => {
    const { store, add } = world;
    for (const [jobId, finishedOn] of [
      ["old", 1_000],
      ["new", 2_000],
    ] as const) {
      await add(LANE, jobId);
      await redis.lrem(`${prefix}:${LANE}:wait`, 1, jobId);
      await redis.zadd(`${prefix}:${LANE}:completed`, finishedOn, jobId);
    }
    await add(LANE, "lost");
    await redis.lrem(`${prefix}:${LANE}:wait`, 1, "lost");
    await redis.zadd(`${prefix}:${LANE}:failed`, 1, "lost");
    expect(await store.succeededIn([LANE, "mail.r1"])).toEqual([
      { place: LANE, count: 2, oldestMs: 1_000 },
      { place: "mail.r1", count: 0, oldestMs: null },
    ]);
    expect(await store.cleanSucceeded(LANE, 1)).toBe(1);
    expect(await redis.zrange(`${prefix}:${LANE}:completed`, "0", "-1")).toEqual(["new"]);
    expect(await redis.exists(`${prefix}:${LANE}:old`)).toBe(0);

    const use = { usedBytes: 71, maxBytes: 100 };
    const cleaned: number[] = [];
    const shares: unknown[] = [];
    const chore = new CleanSucceeded({
      store: {
        memoryUse: async () => use,
        succeededIn: store.succeededIn.bind(store),
        cleanSucceeded: store.cleanSucceeded.bind(store),
      },
      log,
      registry: registryWithReceipts,
      onMemory: (share) => shares.push(share),
      onCleaned: (jobs) => cleaned.push(jobs),
    });
    await chore.round();
    expect(cleaned).toEqual([1]);
    expect(shares).toEqual([0.71]);
    expect(await redis.exists(`${prefix}:${LANE}:lost`)).toBe(1);
  });

  choreTest("what Redis says of its memory is read", async ({ world }) => {
    const { usedBytes, maxBytes } = await world.store.memoryUse();
    expect(usedBytes).toBeGreaterThan(100_000);
    expect(maxBytes).toBeGreaterThanOrEqual(0);
  });
});

describe("jobs that are kept for a person", () => {
  const clock = new FakeClock();

  /** Puts a job aside `days` before the clock's time, as a worker's move leaves it. */
  async function hold(
    { add }: World,
    redis: Redis,
    [key, place, jobId, days]: [string, string, string, number],
  ) {
    await add(place, jobId);
    const endedAt = toRfc3339(clock.nowMs() - days * 86_400_000);
    const entry = {
      attempt: 1,
      release: "r",
      worker: "w",
      startedAt: endedAt,
      endedAt,
      code: "X",
      message: "x",
    };
    const record = withAttempt(EMPTY_RECORD, { ...entry, outcome: "quarantined" });
    await redis.hset(key, "progress", JSON.stringify(record));
  }

  choreTest(
    "go from quarantine after 14 days, and never from among the parked",
    async ({ world, redis, prefix }) => {
      for (const [place, jobId, days] of [
        ["dead", "old", 15],
        ["dead", "new", 1],
        ["parked", "waits", 20],
      ] as const) {
        await hold(world, redis, [`${prefix}:shop.${place}:${jobId}`, `shop.${place}`, jobId, days]);
      }
      const removed: unknown[] = [];
      const parked: unknown[] = [];
      const chore = new BoundHeld({
        store: world.store,
        clock,
        log,
        registry: registryWithReceipts,
        onRemoved: (...it) => removed.push(it),
        onParked: (...it) => parked.push(it),
      });
      await chore.round();
      await chore.round();
      expect(removed).toEqual([["shop", 1]]);
      expect(parked).toEqual([
        ["shop", true],
        ["shop", true],
      ]);
      expect(await redis.lrange(`${prefix}:shop.dead:wait`, 0, -1)).toEqual(["new"]);
      expect(await redis.lrange(`${prefix}:shop.parked:wait`, 0, -1)).toEqual(["waits"]);
    },
  );
});

describe("tenants' open jobs", () => {
  choreTest("are swept of those that are gone, ended or quarantined", async ({ world, redis, prefix }) => {
    const { store, keys, add } = world;
    await add(LANE, "waits");
    await add("shop.parked", "parked");
    await add("shop.dead", "dead");
    await add(LANE, "ended");
    await redis.hset(`${prefix}:${LANE}:ended`, "finishedOn", 5);
    for (const [index, id] of ["waits", "parked", "dead", "ended", "gone"].entries()) {
      await redis.zadd(keys.open("shop", "acme"), index, id);
    }
    await redis.zadd(keys.open("shop", "globex"), 1, "gone");
    await redis.sadd(keys.tenants("shop"), "acme", "globex", "initech");
    const swept: unknown[] = [];
    await new SweepOpen({
      store,
      registry: registryWithReceipts,
      onSwept: (...it) => swept.push(it),
    }).round();
    expect(await redis.zrange(keys.open("shop", "acme"), "0", "-1")).toEqual(["waits", "parked"]);
    expect(await redis.smembers(keys.tenants("shop"))).toEqual(["acme"]);
    expect(swept).toEqual([
      ["shop", 3],
      ["shop", 1],
    ]);
  });

  choreTest(
    "are all reached, 500 a round, and then from the oldest again",
    async ({ world, redis, prefix }) => {
      const { store, keys, add } = world;
      const key = keys.open("shop", "acme");
      // 600 that wait, and behind them one that has ended.
      await Promise.all(Array.from({ length: 600 }, (_, n) => add(LANE, `j${n}`)));
      await redis.zadd(key, ...Array.from({ length: 600 }, (_, n) => [n, `j${n}`]).flat(), 600, "gone");
      await redis.sadd(keys.tenants("shop"), "acme");
      const chore = new SweepOpen({ store, registry: registryWithReceipts, onSwept: () => undefined });
      await chore.round();
      expect(await redis.zcard(key)).toBe(601);
      await chore.round();
      expect(await redis.zcard(key)).toBe(600);
      await redis.hset(`${prefix}:${LANE}:j0`, "finishedOn", 5);
      await chore.round();
      expect(await redis.zcard(key)).toBe(599);
    },
  );
});

describe("a chore that fails", () => {
  choreTest("is counted, told of once, and keeps no other from its turn", async () => {
    const [failed, done, lines]: string[][] = [[], [], []];
    const chores = new Chores({
      clock: new FakeClock(),
      log: pino({ base: null }, { write: (line: string) => lines?.push(line) }),
      chores: [
        { name: "broken", round: () => Promise.reject(new Error("away")) },
        { name: "sound", round: async () => void done?.push("sound") },
      ],
      onFailed: (name) => failed?.push(name),
    });
    await chores.round();
    await chores.round();
    expect({ failed, done }).toEqual({ failed: ["broken", "broken"], done: ["sound", "sound"] });
    expect(lines).toHaveLength(1);
  });
});
