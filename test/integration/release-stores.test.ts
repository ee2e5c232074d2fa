/** What is wanted of a release's workers, what they count, and what its probe came to, on a real Redis. */
import { describe, expect } from "vitest";
import { FleetStore, type WorkerFacts, type WorkerStatus } from "#shared/redis/fleet-store";
import { keysOf } from "#shared/redis/keys";
import { ProbeStore } from "#shared/redis/probe-store";
import { ReadBatch } from "#shared/redis/read-batch";
import { ReleaseCountersStore } from "#shared/redis/release-counters-store";
import { ReleaseOrdersStore } from "#shared/redis/release-orders-store";
import { type ReleaseOrders, releaseOrders } from "#shared/rollout/release-orders";
import { redisTest } from "#test/support/redis-test";

const facts: WorkerFacts = {
  release: "shop-v2",
  queue: "shop",
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
  lanes: ["shop.r1", "shop.r2"],
  trippedLanes: [],
  takes: "all",
  heldLanes: [],
  firstRuns: null,
  busy: 3,
  lastStartedAtMs: null,
  lastFinishedAtMs: null,
  settled: {},
  eventLoopLagMs: 0,
  rssBytes: 1,
  clockOffsetMs: null,
};

function beat(generation: number, releaseIncreases: Record<string, Record<string, number>> = {}) {
  const place = { workerId: "w-1", generation, release: "shop-v2", queue: "shop" };
  return { ...place, status, serviceIncreases: { "a.b|finished": 1 }, releaseIncreases };
}

function wanted(changes: Partial<ReleaseOrders>): ReleaseOrders {
  return releaseOrders.parse({ epoch: 0, takes: "all", ...changes });
}

describe("what the leader wants of a release", () => {
  redisTest("is heard at the registration and with each heartbeat", async ({ redis, prefix }) => {
    const keys = keysOf(prefix);
    const [fleet, orders] = [new FleetStore(redis, keys), new ReleaseOrdersStore(redis, keys)];
    expect(await fleet.register("w-1", facts)).toEqual({ generation: 1, releaseOrders: null });
    await orders.give("shop", { "shop-v2": wanted({ takes: "probe", probeAttempt: 1 }) }, 4);
    const heard = {
      epoch: 4,
      takes: "probe",
      lanes: [],
      probeAttempt: 1,
      handBack: false,
      discounted: [],
    };
    expect(await fleet.register("w-1", facts)).toEqual({ generation: 2, releaseOrders: heard });
    expect((await fleet.heartbeat(beat(2)))?.releaseOrders).toEqual(heard);
    expect(await orders.read("shop")).toEqual({ "shop-v2": heard });
  });

  redisTest("is not another release's, nor another queue's", async ({ redis, prefix }) => {
    const keys = keysOf(prefix);
    const [fleet, orders] = [new FleetStore(redis, keys), new ReleaseOrdersStore(redis, keys)];
    await orders.give("shop", { "shop-v1": wanted({ takes: "nothing" }) }, 1);
    await orders.give("mail", { "shop-v2": wanted({ takes: "nothing" }) }, 1);
    const { generation, releaseOrders: heard } = await fleet.register("w-1", facts);
    expect(heard).toBeNull();
    expect((await fleet.heartbeat(beat(generation)))?.releaseOrders).toBeNull();
  });

  redisTest("replaces what was wanted before of all releases of the queue", async ({ redis, prefix }) => {
    const orders = new ReleaseOrdersStore(redis, keysOf(prefix));
    await orders.give("shop", { "shop-v1": wanted({}), "shop-v2": wanted({ takes: "nothing" }) }, 1);
    await orders.give("shop", { "shop-v1": wanted({ takes: "own-lanes", lanes: ["shop.r1"] }) }, 1);
    expect(await orders.read("shop")).toEqual({
      "shop-v1": wanted({ epoch: 1, takes: "own-lanes", lanes: ["shop.r1"] }),
    });
    await orders.give("shop", {}, 1);
    expect(await orders.read("shop")).toEqual({});
  });

  redisTest("is refused of a leader whose term is over", async ({ redis, prefix }) => {
    const keys = keysOf(prefix);
    const orders = new ReleaseOrdersStore(redis, keys);
    await orders.give("shop", { "shop-v1": wanted({ takes: "nothing" }) }, 2);
    await redis.set(keys.epoch, 3);
    const stale = orders.give("shop", { "shop-v1": wanted({}) }, 2);
    await expect(stale).rejects.toMatchObject({ code: "EPOCH_STALE", epoch: 2, newest: 3 });
    expect((await orders.read("shop"))["shop-v1"]?.takes).toBe("nothing");
  });

  redisTest("is to take nothing, of no term, when it is not to be understood", async ({ redis, prefix }) => {
    const keys = keysOf(prefix);
    const key = keys.releaseOrders("shop");
    await redis.hset(key, { "shop-v2": '{"epoch":9,"takes":"half"}', "shop-v1": "{not json" });
    const { releaseOrders: heard } = await new FleetStore(redis, keys).register("w-1", facts);
    expect(heard).toEqual(wanted({ epoch: 0, takes: "nothing" }));
    expect((await new ReleaseOrdersStore(redis, keys).read("shop"))["shop-v1"]).toEqual(heard);
  });
});

describe("what a release has run", () => {
  redisTest(
    "rises with the heartbeats, another release's too, in the same script",
    async ({ redis, prefix }) => {
      const keys = keysOf(prefix);
      const [fleet, counters] = [new FleetStore(redis, keys), new ReleaseCountersStore(redis, keys)];
      const { generation } = await fleet.register("w-1", facts);
      const increases = {
        "shop-v2": { finished: 5, failed: 1, "type|a.b|finished": 5 },
        "shop-v1": { failedElsewhere: 1 },
      };
      const sent: string[] = [];
      const send = redis.sendCommand.bind(redis);
      redis.sendCommand = (command, stream) => {
        sent.push(command.name);
        return send(command, stream);
      };
      await fleet.heartbeat(beat(generation, increases));
      expect(sent).toEqual(["eval"]);
      const reply = await fleet.heartbeat(beat(generation, increases));
      expect([...(reply?.backlog.keys() ?? [])]).toEqual(["shop.r1", "shop.r2"]);
      expect(await counters.read("shop", ["shop-v1", "shop-v2", "shop-v3"])).toEqual({
        "shop-v1": { failedElsewhere: 2 },
        "shop-v2": { finished: 10, failed: 2, "type|a.b|finished": 10 },
        "shop-v3": {},
      });
      expect(await redis.hgetall(keys.service("shop"))).toEqual({ "a.b|finished": "2" });
      expect(await redis.pttl(keys.releaseRuns("shop", "shop-v1"))).toBeGreaterThan(29 * 86_400_000);
    },
  );

  redisTest("is not added to by a worker whose place is taken", async ({ redis, prefix }) => {
    const keys = keysOf(prefix);
    const fleet = new FleetStore(redis, keys);
    const { generation } = await fleet.register("w-1", facts);
    await fleet.register("w-1", facts);
    expect(await fleet.heartbeat(beat(generation, { "shop-v2": { finished: 1 } }))).toBeNull();
    expect(await redis.exists(keys.releaseRuns("shop", "shop-v2"))).toBe(0);
  });

  redisTest(
    "has a bounded number of parts: new ones are then counted as others",
    async ({ redis, prefix }) => {
      const keys = keysOf(prefix);
      const [fleet, counters] = [new FleetStore(redis, keys), new ReleaseCountersStore(redis, keys)];
      const { generation } = await fleet.register("w-1", facts);
      const known = Array.from({ length: 2_000 }, (_, n) => [`tenant|t${n}|finished`, 1] as const);
      await fleet.heartbeat(beat(generation, { "shop-v2": Object.fromEntries(known) }));
      const more = { "tenant|t7|finished": 1, "tenant|new|finished": 2, "type|a.b|failed": 1, finished: 3 };
      await fleet.heartbeat(beat(generation, { "shop-v2": more }));
      const { "shop-v2": read } = await counters.read("shop", ["shop-v2"]);
      expect(read).toMatchObject({
        "tenant|t7|finished": 2,
        "tenant|(other)|finished": 2,
        "type|(other)|failed": 1,
        finished: 3,
      });
      expect(read?.["tenant|new|finished"]).toBeUndefined();
    },
  );

  redisTest(
    "has a stall for each job that a worker ran when it was struck off, once",
    async ({ redis, prefix }) => {
      const keys = keysOf(prefix);
      const [fleet, counters] = [new FleetStore(redis, keys), new ReleaseCountersStore(redis, keys)];
      const { generation } = await fleet.register("w-1", facts);
      await fleet.heartbeat(beat(generation));
      // Struck off before its first heartbeat: nobody knows what it ran.
      await fleet.register("w-2", facts);
      await fleet.forget("w-1", 1);
      await fleet.forget("w-1", 1);
      await fleet.forget("w-2", 1);
      expect(await counters.read("shop", ["shop-v2"])).toEqual({ "shop-v2": { stalls: 3 } });
    },
  );
});

describe("what a probe has come to", () => {
  const said = { attempt: 2, worker: "w-1", outcome: "pending", detail: "it runs" } as const;

  redisTest("is the worst that was said about the newest attempt", async ({ redis, prefix }) => {
    const probes = new ProbeStore(redis, keysOf(prefix));
    expect(await probes.read("shop", "shop-v2")).toBeNull();
    await probes.say("shop", "shop-v2", said);
    await probes.say("shop", "shop-v2", { ...said, outcome: "failed", detail: "its sample | failed" });
    await probes.say("shop", "shop-v2", { ...said, worker: "w-2", outcome: "succeeded" });
    await probes.say("shop", "shop-v2", { ...said, attempt: 1, outcome: "failed" });
    const failed = { ...said, outcome: "failed", detail: "its sample | failed" };
    expect(await probes.read("shop", "shop-v2")).toEqual(failed);
    await probes.say("shop", "shop-v2", { ...said, attempt: 3 });
    expect(await probes.read("shop", "shop-v2")).toEqual({ ...said, attempt: 3 });
    expect(await probes.read("shop", "shop-v1")).toBeNull();
  });

  redisTest("is read in one pipeline with orders and counters", async ({ redis, prefix }) => {
    const keys = keysOf(prefix);
    const probes = new ProbeStore(redis, keys);
    await probes.say("shop", "shop-v2", said);
    const batch = new ReadBatch(redis);
    const reading = Promise.all([
      probes.read("shop", "shop-v2", batch),
      new ReleaseOrdersStore(redis, keys).read("shop", batch),
      new ReleaseCountersStore(redis, keys).read("shop", ["shop-v1"], batch),
    ]);
    expect(batch.commands).toBe(3);
    await batch.send();
    expect(await reading).toEqual([said, {}, { "shop-v1": {} }]);
  });
});
