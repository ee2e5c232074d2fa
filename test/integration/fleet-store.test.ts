/** Registration, heartbeats and orders, on a real Redis. */
import { describe, expect } from "vitest";
import { FleetStore, type WorkerFacts, type WorkerStatus } from "#shared/redis/fleet-store";
import { keysOf } from "#shared/redis/keys";
import { LoadStore } from "#shared/redis/load-store";
import { redisTest } from "#test/support/redis-test";

const facts: WorkerFacts = {
  release: "probe-v1",
  queue: "probe",
  slots: 4,
  bootId: "boot-1",
  pid: 1,
  host: "here",
  bullmqMajor: "6",
  nodeVersion: "20.0.0",
};

const status: WorkerStatus = {
  state: "ok",
  reason: null,
  lanes: ["probe.r1", "probe.r2"],
  trippedLanes: [],
  takes: "all",
  heldLanes: [],
  firstRuns: null,
  busy: 1,
  lastStartedAtMs: 5,
  lastFinishedAtMs: null,
  settled: {},
  eventLoopLagMs: 0,
  rssBytes: 1,
  clockOffsetMs: null,
};

function beat(generation: number, serviceIncreases: Record<string, number> = {}) {
  return { workerId: "w-1", generation, release: "probe-v1", queue: "probe", status, serviceIncreases };
}

describe("a worker's place in the fleet", () => {
  redisTest("is the newest registration's; an older one is told so", async ({ redis, prefix }) => {
    const fleet = new FleetStore(redis, keysOf(prefix));
    const { generation: first } = await fleet.register("w-1", facts);
    const { generation: second } = await fleet.register("w-1", { ...facts, bootId: "boot-2" });
    expect(second).toBeGreaterThan(first);
    expect(await fleet.heartbeat(beat(first))).toBeNull();
    expect(await fleet.heartbeat(beat(second))).toMatchObject({ order: null, cancelJobIds: [] });
    const { workers } = await fleet.observe();
    expect(workers).toMatchObject([{ workerId: "w-1", facts: { bootId: "boot-2" }, status: { busy: 1 } }]);
    await fleet.deregister("w-1");
    expect((await fleet.observe()).workers).toEqual([]);
  });

  redisTest("is refused to another BullMQ major while the fleet lives", async ({ redis, prefix }) => {
    const fleet = new FleetStore(redis, keysOf(prefix));
    await fleet.register("w-1", facts);
    await expect(fleet.register("w-2", { ...facts, bullmqMajor: "5" })).rejects.toMatchObject({
      code: "WORKER_REFUSED",
      message: expect.stringContaining("BullMQ 5"),
    });
    await fleet.deregister("w-1");
    expect(await fleet.register("w-2", { ...facts, bullmqMajor: "5" })).toMatchObject({ generation: 1 });
  });
});

describe("a heartbeat's reply", () => {
  redisTest(
    "carries the order, the jobs to cancel once, and each lane's backlog",
    async ({ redis, prefix }) => {
      const keys = keysOf(prefix);
      const fleet = new FleetStore(redis, keys);
      const { generation } = await fleet.register("w-1", facts);
      await fleet.order("w-1", { epoch: 3, order: "drain" });
      await fleet.cancel("w-1", "probe~a");
      await redis.lpush(`${prefix}:probe.r2:wait`, "x", "y");
      await redis.zadd(`${prefix}:probe.r2:prioritized`, 1, "z");
      await new LoadStore(redis, keys).showAutoscaler(10_000);
      const reply = await fleet.heartbeat(beat(generation));
      expect(reply).toMatchObject({
        order: { epoch: 3, order: "drain" },
        cancelJobIds: ["probe~a"],
        autoscalerAlive: true,
      });
      expect([...(reply?.backlog ?? [])]).toEqual([
        ["probe.r1", 0],
        ["probe.r2", 3],
      ]);
      expect((await fleet.heartbeat(beat(generation)))?.cancelJobIds).toEqual([]);
    },
  );

  redisTest("carries the trips of its own release's lanes and of no other", async ({ redis, prefix }) => {
    const fleet = new FleetStore(redis, keysOf(prefix));
    const { generation } = await fleet.register("w-1", facts);
    expect((await fleet.heartbeat(beat(generation)))?.trips).toEqual(new Map());
    const made = { type: "probe.task", targetVersion: 2, code: "UPCAST_FAILED", jobId: "probe~a" };
    const trip = { ...made, failures: 1, lengthMs: 30_000 };
    await fleet.trips.trip({ release: "probe-v1", lane: "probe.r2" }, null, trip);
    await fleet.trips.trip({ release: "probe-v2", lane: "probe.r1" }, null, trip);
    const reply = await fleet.heartbeat(beat(generation, { "probe.task|finished": 1 }));
    expect([...(reply?.trips ?? [])]).toEqual([["probe.r2", expect.objectContaining(made)]]);
    // The counters come after the trips in the script's arguments.
    expect(await redis.hgetall(`${prefix}:service:probe`)).toEqual({ "probe.task|finished": "1" });
  });

  redisTest("comes with one script, however many lanes are tripped or idle", async ({ redis, prefix }) => {
    const fleet = new FleetStore(redis, keysOf(prefix));
    const { generation } = await fleet.register("w-1", facts);
    const sent: string[] = [];
    const send = redis.sendCommand.bind(redis);
    redis.sendCommand = (command, stream) => {
      sent.push(command.name);
      return send(command, stream);
    };
    await fleet.heartbeat(beat(generation));
    expect(sent).toEqual(["eval"]);
  });

  redisTest("acknowledges service counters, which only rise", async ({ redis, prefix }) => {
    const keys = keysOf(prefix);
    const fleet = new FleetStore(redis, keys);
    const { generation } = await fleet.register("w-1", facts);
    const increases = { "probe.task|finished": 2, "probe.task|busyms": 30 };
    await fleet.heartbeat(beat(generation, increases));
    await fleet.heartbeat(beat(generation, increases));
    expect([...(await new LoadStore(redis, keys).service("probe"))]).toEqual([
      ["probe.task|finished", 4],
      ["probe.task|busyms", 60],
    ]);
  });
});
