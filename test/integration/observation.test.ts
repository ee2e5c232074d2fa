/** What one look at the fleet and the lanes costs Redis, and what it finds. */
import type { Redis } from "ioredis";
import { describe, expect } from "vitest";
import { FleetStore } from "#shared/redis/fleet-store";
import { keysOf } from "#shared/redis/keys";
import { LoadStore } from "#shared/redis/load-store";
import { type FleetSize, fillFleet, observerOf, queueName } from "#test/support/large-fleet";
import { redisTest } from "#test/support/redis-test";

/** The commands that a connection sends, and in how many turns it waits for answers. */
function sentBy(redis: Redis): { names: string[] } {
  const sent = { names: [] as string[] };
  const send = redis.sendCommand.bind(redis);
  redis.sendCommand = (command, stream) => {
    sent.names.push(command.name);
    return send(command, stream);
  };
  return sent;
}

async function commandsOfALook(redis: Redis, prefix: string, size: FleetSize): Promise<number> {
  await fillFleet(redis, prefix, size);
  const observer = observerOf(redis, prefix, size);
  // The first look learns what the workers said at their registration.
  await observer.look();
  const sent = sentBy(redis);
  const { snapshot } = await observer.look();
  expect(snapshot.workers).toHaveLength(size.queues * size.workersPerQueue);
  return sent.names.length;
}

describe("one look", () => {
  redisTest(
    "asks as many commands as there are places, and no more for more workers",
    async ({ redis, prefix }) => {
      const small = { queues: 3, lanesPerQueue: 2, workersPerQueue: 2 };
      // A command for each of 3 x 2 lanes and of 3 x 2 queues beside them, two for each queue's counters, and six:
      // load the script, time, who is forgotten, workers, trips, memory.
      expect(await commandsOfALook(redis, `${prefix}a`, small)).toBe(6 + 6 + 6 + 6);
      expect(await commandsOfALook(redis, `${prefix}b`, { ...small, workersPerQueue: 40 })).toBe(24);
      // Per queue 4 lanes, 2 places beside them and 2 counters.
      expect(await commandsOfALook(redis, `${prefix}c`, { ...small, queues: 5, lanesPerQueue: 4 })).toBe(
        5 * 8 + 6,
      );
    },
  );

  redisTest("is one pipeline: everything is asked before anything is answered", async ({ redis, prefix }) => {
    const size = { queues: 2, lanesPerQueue: 2, workersPerQueue: 3 };
    await fillFleet(redis, prefix, size);
    const observer = observerOf(redis, prefix, size);
    await observer.look();
    const sent = sentBy(redis);
    const looking = observer.look();
    // Turns of this process only: no answer can have come in between.
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    const before = sent.names.length;
    await looking;
    expect(before).toBe(sent.names.length);
  });

  redisTest("counts each lane, its readers and what the fleet has measured", async ({ redis, prefix }) => {
    const size = { queues: 2, lanesPerQueue: 2, workersPerQueue: 4 };
    await fillFleet(redis, prefix, size);
    const observer = observerOf(redis, prefix, size);
    await observer.look();
    await redis.hincrby(keysOf(prefix).service(queueName(1)), "job.a|p|500", 10);
    const { snapshot, fleet } = await observer.look();
    const [, queue] = snapshot.queues;
    expect(queue).toMatchObject({ queue: "queue-1", run: null });
    expect(queue?.pickup).toMatchObject({ jobs: 10 });
    // Of four workers two are of release 2, which reads both lanes, and two of release 1, which reads its own.
    expect(queue?.lanes).toMatchObject([
      { lane: "queue-1.r1", waiting: 2, consumers: 4, readers: ["release-1", "release-2"] },
      { lane: "queue-1.r2", waiting: 2, consumers: 2, readers: ["release-2"] },
    ]);
    expect(fleet.readySlots("queue-1.r2")).toBe(20);
    expect(fleet.of("queue-1")).toHaveLength(4);
  });
});

describe("the age of a job at the head of a lane", () => {
  redisTest("counts from when it was due, also once its delay has passed", async ({ redis, prefix }) => {
    const lane = `${prefix}:q.r1`;
    await redis.lpush(`${lane}:wait`, "job-1");
    // As BullMQ leaves it when a scheduled job falls due: the delay is 0, and the options are as they were.
    await redis.hset(`${lane}:job-1`, { timestamp: 1_000, delay: 0, opts: '{"delay":60000,"attempts":1}' });
    const { lanes } = await new LoadStore(redis, keysOf(prefix)).observeLanes(["q.r1"], 0);
    expect(lanes.get("q.r1")?.next).toEqual({ jobId: "job-1", dueAtMs: 61_000 });
  });

  redisTest("is not known of a job that was started before", async ({ redis, prefix }) => {
    const lane = `${prefix}:q.r1`;
    await redis.zadd(`${lane}:prioritized`, 1, "job-1");
    await redis.hset(`${lane}:job-1`, { timestamp: 1_000, delay: 0, ats: 1, opts: "{}" });
    const { lanes } = await new LoadStore(redis, keysOf(prefix)).observeLanes(["q.r1"], 0);
    expect(lanes.get("q.r1")?.next).toEqual({ jobId: "job-1", dueAtMs: null });
  });
});

describe("a look at the workers", () => {
  const facts = {
    release: "shop-1",
    queue: "shop",
    slots: 4,
    bootId: "boot",
    pid: 1,
    host: "here",
    bullmqMajor: "6",
    nodeVersion: "20.0.0",
  };

  redisTest("learns what a worker said when it registers anew", async ({ redis, prefix }) => {
    const fleet = new FleetStore(redis, keysOf(prefix));
    await fleet.register("w-1", facts);
    expect((await fleet.observe()).workers).toMatchObject([{ facts: { slots: 4 }, status: null }]);
    await fleet.register("w-1", { ...facts, slots: 8 });
    expect((await fleet.observe()).workers).toMatchObject([{ facts: { slots: 8 } }]);
  });

  redisTest("leaves out what is not a worker's word", async ({ redis, prefix }) => {
    const keys = keysOf(prefix);
    const fleet = new FleetStore(redis, keys);
    await fleet.register("w-1", facts);
    await redis.hset(keys.fleetWorkers, { "w-2": "nonsense", "w-3": "1|x|", "w-4": "1|5|" });
    await redis.hset(keys.fleetWorkers, "w-1", "1|5|{not json");
    expect((await fleet.observe()).workers).toMatchObject([{ workerId: "w-1", status: null, seenAtMs: 5 }]);
  });

  redisTest(
    "forgets whoever was silent for five minutes until it is heard of again",
    async ({ redis, prefix }) => {
      const keys = keysOf(prefix);
      const fleet = new FleetStore(redis, keys);
      const { generation } = await fleet.register("w-1", facts);
      await redis.zadd(keys.fleetSeen, 1, "w-1");
      expect((await fleet.observe()).workers).toEqual([]);
      expect(await redis.hlen(keys.fleetWorkers)).toBe(0);
      const status = {
        state: "ok" as const,
        reason: null,
        lanes: [],
        trippedLanes: [],
        takes: "all" as const,
        heldLanes: [],
        firstRuns: null,
        busy: 0,
        lastStartedAtMs: null,
        lastFinishedAtMs: null,
        settled: {},
        eventLoopLagMs: 0,
        rssBytes: 1,
        clockOffsetMs: null,
      };
      const place = { workerId: "w-1", generation, release: "shop-1", queue: "shop" };
      await fleet.heartbeat({ ...place, status, serviceIncreases: {} });
      expect((await fleet.observe()).workers).toMatchObject([{ workerId: "w-1", facts: { slots: 4 } }]);
    },
  );
});
