/** Admission when Redis' memory runs out, on a Redis of its own whose limit the tests set. */
import { setImmediate as turn } from "node:timers/promises";
import type { Redis } from "ioredis";
import { describe, expect } from "vitest";
import { NotEnqueuedError } from "#shared/errors";
import { keysOf } from "#shared/redis/keys";
import { LaneQueues } from "#shared/redis/lane-queues";
import { MemoryWatch } from "#shared/redis/memory-watch";
import { allStored, jobAsking, jobsIn, kindsOf, named } from "#test/support/admission-builder";
import { FakeClock } from "#test/support/fake-clock";
import { stackTest } from "#test/support/stack";

const keys = keysOf("sluice");
const MIB = 2 ** 20;

/** A queue of jobs on a connection that is there. */
async function queuesOn(redis: Redis): Promise<LaneQueues> {
  await redis.ping();
  return new LaneQueues(redis, "sluice");
}

/** Sets the limit so that `share` of it is used. */
async function useOf(redis: Redis, share: number): Promise<void> {
  const used = Number(/used_memory:(\d+)/.exec(await redis.info("memory"))?.[1]);
  await redis.config("SET", "maxmemory", Math.floor(used / share));
}

async function roomToldIn(redis: Redis): Promise<number> {
  return Number(await redis.hget(keys.admission, "room"));
}

describe("room in memory", () => {
  stackTest("is 85 % of the limit less what is used, and is measured again", async ({ stack: { redis } }) => {
    const watch = new MemoryWatch(redis, keys);
    expect(watch.use).toBeNull();
    await redis.config("SET", "maxmemory", 100 * MIB);
    const { usedBytes, maxBytes } = await watch.look();
    expect(maxBytes).toBe(100 * MIB);
    expect(usedBytes).toBeGreaterThan(100_000);
    expect(await roomToldIn(redis)).toBe(Math.floor(maxBytes * 0.85 - usedBytes));
    const queues = await queuesOn(redis);
    await queues.admit(jobAsking("a", { dataText: `"${"x".repeat(200_000)}"` }));
    // 200,002 of data, 1,000 beside it.
    expect(await roomToldIn(redis)).toBe(Math.floor(maxBytes * 0.85 - usedBytes) - 201_002);
    const after = await watch.look();
    expect(await roomToldIn(redis)).toBe(Math.floor(maxBytes * 0.85 - after.usedBytes));
    // What a job was taken to cost is what it costs, and a little more.
    expect(after.usedBytes - usedBytes).toBeGreaterThan(200_000);
    queues.close();
  });

  stackTest(
    "closes the door at 85 %, and opens it when there is room again",
    async ({ stack: { redis } }) => {
      const queues = await queuesOn(redis);
      const watch = new MemoryWatch(redis, keys);
      const stop = new AbortController();
      const clock = new FakeClock();
      const running = watch.run(clock, stop.signal);
      await queues.admit(named("before"));
      const told = async (share: number) => {
        await useOf(redis, share);
        const seen = watch.use;
        await clock.advance(250);
        while (watch.use === seen) await turn();
        await redis.ping();
      };
      await told(0.9);
      expect(await queues.admit(named("a"))).toEqual({ kind: "refused", reason: "memory" });
      expect(await queues.admit(named("before"))).toEqual({ kind: "replayed", jobId: "shop~before" });
      await told(0.5);
      expect(await queues.admit(named("a"))).toEqual({ kind: "created" });
      stop.abort();
      await running;
      queues.close();
    },
  );

  stackTest("is not told of where there is no limit", async ({ stack: { redis } }) => {
    const watch = new MemoryWatch(redis, keys);
    await watch.look();
    await redis.config("SET", "maxmemory", 0);
    expect((await watch.look()).maxBytes).toBe(0);
    expect(await redis.hexists(keys.admission, "room")).toBe(0);
  });
});

describe("at the limit itself", () => {
  stackTest("a call is refused whole, and nothing of it is written", async ({ stack: { redis } }) => {
    const queues = await queuesOn(redis);
    // Nobody has told of room: Redis alone refuses.
    await queues.admit(named("known"));
    const before = await allStored(redis, "sluice");
    await useOf(redis, 1.5);
    const jobs = ["a", "b", "c"].map((name) =>
      named(name, { delayMs: name === "b" ? 5_000 : 0, dedup: name }),
    );
    const alone = await Promise.allSettled(jobs.map((it) => queues.admit(it)));
    for (const it of alone) {
      expect(it).toMatchObject({ reason: expect.any(NotEnqueuedError) });
      expect(it).toMatchObject({ reason: { message: expect.stringContaining("out of memory") } });
    }
    await expect(queues.admitAll(jobs)).rejects.toBeInstanceOf(NotEnqueuedError);
    expect(await queues.admit(named("known"))).toEqual({ kind: "replayed", jobId: "shop~known" });
    expect(await allStored(redis, "sluice")).toEqual(before);
    const started = new LaneQueues(redis, "sluice");
    await expect(started.admit(named("d"))).rejects.toThrow("out of memory");
    started.close();
    await useOf(redis, 0.5);
    expect(kindsOf(await queues.admitAll(jobs))).toEqual(["created", "created", "created"]);
    expect(await jobsIn(redis, "sluice", "shop.r2")).toHaveLength(4);
    queues.close();
  });

  stackTest(
    "memory is still looked at, so that a process starts and refuses",
    async ({ stack: { redis } }) => {
      const watch = new MemoryWatch(redis, keys);
      await useOf(redis, 1.5);
      const { usedBytes, maxBytes } = await watch.look();
      expect(usedBytes).toBeGreaterThan(maxBytes);
      expect(watch.use).toEqual({ usedBytes, maxBytes });
    },
  );
});
