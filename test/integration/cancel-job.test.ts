/** Cancelling a job in one step: what is left where, and that a job is never both run and cancelled at rest. */
import { Queue, Worker } from "bullmq";
import type { Redis } from "ioredis";
import { describe, expect } from "vitest";
import { type CancelOutcome, JobCanceller } from "#shared/redis/cancel-job";
import { JobReader } from "#shared/redis/job-reader";
import { keysOf } from "#shared/redis/keys";
import { LaneQueues } from "#shared/redis/lane-queues";
import { everyKeyOf } from "#test/support/queue-keys";
import { redisTest } from "#test/support/redis-test";
import { stackTest } from "#test/support/stack";
import { idOf, registryOf, stored } from "#test/support/stored-jobs";

const acceptedAtMs = 1_700_000_000_000;
const document = registryOf("shop", 2);
const outcome = '{"outcome":"cancelled","release":null,"why":"ordered twice"}';

interface Fixture {
  readonly canceller: JobCanceller;
  readonly reader: JobReader;
  /** Orders given, as `<worker> <job>`. */
  readonly orders: string[];
  cancel(name: string, why?: string): Promise<CancelOutcome>;
}

function fixture(redis: Redis, prefix: string): Fixture {
  const orders: string[] = [];
  const fleet = { cancel: async (worker: string, job: string) => void orders.push(`${worker} ${job}`) };
  const keys = keysOf(prefix);
  const canceller = new JobCanceller({ redis, keys, fleet, registry: () => document });
  const cancel = (name: string, why?: string) =>
    canceller.cancel(idOf("shop", name), { tenant: "default", why });
  return { canceller, reader: new JobReader(redis, prefix, () => document), orders, cancel };
}

async function queueOf(redis: Redis, prefix: string, name: string): Promise<Queue> {
  const queue = new Queue(name, { connection: redis, prefix, streams: { events: { maxLen: 1_000 } } });
  await queue.waitUntilReady();
  return queue;
}

async function add(queue: Queue, name: string, options: object = {}): Promise<void> {
  const all = { jobId: idOf("shop", name), timestamp: acceptedAtMs, ...options };
  await queue.add("receipt.render", JSON.parse(stored({ text: "Zoë 🎈" })), all);
}

/** What every finish draws from the clock is the same in both. */
function timeless(keys: Record<string, unknown>): Record<string, unknown> {
  return JSON.parse(
    JSON.stringify(keys)
      .replaceAll(/"finishedOn":"\d+"/g, '"finishedOn":"now"')
      .replaceAll(/"\d{13}"/g, '"now"'),
  );
}

describe("a job that rests", () => {
  redisTest.for([
    ["waiting", {}, "waiting"],
    ["prioritised", { priority: 7 }, "prioritized"],
    ["scheduled", { delay: 60_000 }, "delayed"],
  ] as const)(
    "and is %s is left as if BullMQ had completed it",
    async ([name, options, before], { redis, prefix }) => {
      const theirs = await queueOf(redis, prefix, "theirs.r1");
      await add(theirs, name, options);
      const worker = new Worker("theirs.r1", null, { connection: redis, prefix });
      for (const delayed of await theirs.getDelayed()) await delayed.promote();
      const job = await worker.getNextJob("lease");
      await job?.moveToCompleted(JSON.parse(outcome), "lease", false);
      await worker.close();

      await add(await queueOf(redis, prefix, "shop.r1"), name, options);
      const { cancel } = fixture(redis, prefix);
      expect(await cancel(name, "ordered twice")).toEqual({ kind: "cancelled" });

      const expected = timeless(await everyKeyOf(redis, `${prefix}:theirs.r1:`));
      const found = timeless(await everyKeyOf(redis, `${prefix}:shop.r1:`));
      const id = idOf("shop", name);
      // What only a start leaves.
      const { ats, atm, processedOn, ...finished } = expected[id] as Record<string, string>;
      expect({ ats, atm, processedOn }).toEqual({ ats: "1", atm: "1", processedOn: "now" });
      expect(found[id]).toEqual(finished);
      expect(found.completed).toEqual(expected.completed);
      const events = (all: unknown) => (all as string[][]).map((it) => it.join(" "));
      const ended = (state: string) => `event completed jobId ${id} returnvalue ${outcome} prev ${state}`;
      expect(events(expected.events).slice(-2)).toEqual([ended("active"), "event drained"]);
      expect(events(found.events).slice(-2)).toEqual([ended(before), "event drained"]);
      for (const part of ["wait", "prioritized", "delayed", "active"])
        expect(found[part], part).toBeUndefined();
    },
  );

  redisTest("in the parked queue is cancelled there, and shown so", async ({ redis, prefix }) => {
    await add(await queueOf(redis, prefix, "shop.parked"), "1");
    const { cancel, reader } = fixture(redis, prefix);
    expect((await reader.find(idOf("shop", "1")))?.state).toBe("parked");
    expect(await cancel("1", "ordered twice")).toEqual({ kind: "cancelled" });
    expect(await reader.find(idOf("shop", "1"))).toMatchObject({
      state: "cancelled",
      release: null,
      error: { code: "CANCELLED", message: "ordered twice" },
      finishedAt: expect.any(String),
    });
    // Again is the same; its answer may have been lost.
    expect(await cancel("1")).toEqual({ kind: "cancelled" });
  });

  redisTest("leaves the tenant's open set with it", async ({ redis, prefix }) => {
    await add(await queueOf(redis, prefix, "shop.r1"), "1");
    const open = keysOf(prefix).open("shop", "default");
    await redis.zadd(open, acceptedAtMs, idOf("shop", "1"), acceptedAtMs, idOf("shop", "2"));
    await fixture(redis, prefix).cancel("1");
    expect(await redis.zrange(open, "0", "-1")).toEqual([idOf("shop", "2")]);
  });

  redisTest("leaves the lane's alarm to the one that is due next", async ({ redis, prefix }) => {
    const lane = await queueOf(redis, prefix, "shop.r1");
    await add(lane, "first", { delay: 30_000 });
    await add(lane, "second", { delay: 60_000 });
    const { cancel } = fixture(redis, prefix);
    const alarm = () => redis.zrange(`${prefix}:shop.r1:marker`, "0", "-1", "WITHSCORES");
    expect(await alarm()).toEqual(["1", String(acceptedAtMs + 30_000)]);
    await cancel("first");
    expect(await alarm()).toEqual(["1", String(acceptedAtMs + 60_000)]);
    await cancel("second");
    expect(await alarm()).toEqual([]);
  });

  redisTest.for(["first", "last", "middle"] as const)(
    "is taken from the %s place of a long list, and no other with it",
    async (place, { redis, prefix }) => {
      const lane = await queueOf(redis, prefix, "shop.r1");
      const names = Array.from({ length: 101 }, (_, n) => `${n}`);
      await lane.addBulk(
        names.map((name, n) => ({
          name: "receipt.render",
          data: {},
          opts: { jobId: idOf("shop", name), timestamp: acceptedAtMs + n },
        })),
      );
      const name = { first: "0", middle: "50", last: "100" }[place];
      expect(await fixture(redis, prefix).cancel(name)).toEqual({ kind: "cancelled" });
      const left = await redis.lrange(`${prefix}:shop.r1:wait`, 0, -1);
      expect(left.reverse()).toEqual(names.filter((it) => it !== name).map((it) => idOf("shop", it)));
    },
  );

  redisTest("takes finished jobs with it that are past their hour", async ({ redis, prefix }) => {
    const lane = `${prefix}:shop.r1:`;
    await redis.hset(`${lane}old`, "name", "receipt.render");
    await redis.zadd(`${lane}completed`, Date.now() - 3_601_000, "old", Date.now() - 3_500_000, "newer");
    await add(await queueOf(redis, prefix, "shop.r1"), "1");
    await fixture(redis, prefix).cancel("1");
    expect(await redis.zrange(`${lane}completed`, "0", "-1")).toEqual(["newer", idOf("shop", "1")]);
    expect(await redis.exists(`${lane}old`)).toBe(0);
  });
});

describe("a job that does not rest", () => {
  redisTest(
    "and runs is its worker's to end: it is ordered, once, and nothing is changed",
    async ({ redis, prefix }) => {
      await add(await queueOf(redis, prefix, "shop.r1"), "1");
      const worker = new Worker("shop.r1", null, { connection: redis, prefix, name: "shop-v1/w-7" });
      await worker.getNextJob("lease");
      const before = await everyKeyOf(redis, `${prefix}:`);
      const { cancel, orders } = fixture(redis, prefix);
      expect(await cancel("1")).toEqual({ kind: "running", workerId: "w-7" });
      expect(orders).toEqual([`w-7 ${idOf("shop", "1")}`]);
      expect(await everyKeyOf(redis, `${prefix}:`)).toEqual(before);
      await worker.close();
    },
  );

  redisTest(
    "and was handed back while the order was given is cancelled after all",
    async ({ redis, prefix }) => {
      await add(await queueOf(redis, prefix, "shop.r1"), "1");
      const worker = new Worker("shop.r1", null, { connection: redis, prefix, name: "shop-v1/w-7" });
      const job = await worker.getNextJob("lease");
      const fleet = { cancel: async () => void (await job?.moveToDelayed(Date.now() + 60_000, "lease")) };
      const ports = { redis, keys: keysOf(prefix), fleet, registry: () => document };
      expect(await new JobCanceller(ports).cancel(idOf("shop", "1"), { tenant: "default" })).toEqual({
        kind: "cancelled",
      });
      await worker.close();
    },
  );

  redisTest("has ended, or is not known, and is left alone", async ({ redis, prefix }) => {
    const lane = await queueOf(redis, prefix, "shop.r1");
    const worker = new Worker("shop.r1", null, { connection: redis, prefix });
    await add(lane, "done");
    await (await worker.getNextJob("lease"))?.moveToCompleted({}, "lease", false);
    await add(lane, "failed");
    await (await worker.getNextJob("lease"))?.moveToFailed(new Error("no"), "lease", false);
    await add(await queueOf(redis, prefix, "shop.dead"), "dead");
    const before = await everyKeyOf(redis, `${prefix}:`);
    const { cancel } = fixture(redis, prefix);
    expect(await cancel("done")).toEqual({ kind: "ended", state: "succeeded" });
    expect(await cancel("failed")).toEqual({ kind: "ended", state: "failed" });
    expect(await cancel("dead")).toEqual({ kind: "ended", state: "quarantined" });
    expect(await cancel("nobody")).toEqual({ kind: "unknown" });
    expect(await everyKeyOf(redis, `${prefix}:`)).toEqual(before);
    await worker.close();
  });
});

describe("takers and cancellers at once", () => {
  redisTest("leave each job either running or cancelled", async ({ redis, prefix }) => {
    const lane = await queueOf(redis, prefix, "shop.r1");
    const names = Array.from({ length: 200 }, (_, n) => `${n}`);
    await lane.addBulk(names.map((name) => ({ name: "a.b", data: {}, opts: { jobId: idOf("shop", name) } })));
    const worker = new Worker("shop.r1", null, { connection: redis.duplicate(), prefix, name: "v/w" });
    const { cancel } = fixture(redis, prefix);
    const [taken, outcomes] = await Promise.all([
      Promise.all(Array.from({ length: 100 }, (_, n) => worker.getNextJob(`lease ${n}`))),
      Promise.all(names.toReversed().map((name) => cancel(name))),
    ]);
    const running = taken.flatMap((job) => (job === undefined ? [] : [String(job.id)]));
    const cancelled = names.toReversed().filter((_, at) => outcomes[at]?.kind === "cancelled");
    expect(new Set([...running, ...cancelled.map((it) => idOf("shop", it))]).size).toBe(200);
    expect(running.length + cancelled.length).toBe(200);
    await worker.close();
  });
});

describe("a full Redis", () => {
  stackTest("does not stop a cancel, which takes no more than it gives back", async ({ stack }) => {
    await add(await queueOf(stack.redis, "sluice", "shop.r1"), "1");
    const { cancel } = fixture(stack.redis, "sluice");
    const queues = new LaneQueues(stack.redis, "sluice");
    await queues.open("shop.r1");
    await stack.redis.config("SET", "maxmemory", "1");
    expect(await cancel("1", "no room")).toEqual({ kind: "cancelled" });
  });
});
