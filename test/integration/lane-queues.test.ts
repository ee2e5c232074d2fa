/** What we write and read of BullMQ's is what BullMQ itself writes and reads. */
import { Queue } from "bullmq";
import type { Redis } from "ioredis";
import { describe, expect } from "vitest";
import { EMPTY_RECORD } from "#shared/job-record";
import { keysOf } from "#shared/redis/keys";
import { LaneQueues } from "#shared/redis/lane-queues";
import { LoadStore } from "#shared/redis/load-store";
import { redisTest } from "#test/support/redis-test";

const job = { name: "probe.task", dataText: '{"n":1}', acceptedAtMs: 1_700_000_000_000, delayMs: 0 };

describe("adding a job", () => {
  redisTest(
    "leaves every key as BullMQ's own adds leave it, a known id included",
    async ({ redis, prefix }) => {
      const ids = ["a", "b", "c", "b"];
      const ours = new LaneQueues(redis, prefix);
      await ours.open("ours.r1");
      await Promise.all(ids.map((id) => ours.add("ours.r1", { ...job, jobId: `q~${id}` })));
      const theirs = new Queue("theirs.r1", {
        connection: redis,
        prefix,
        streams: { events: { maxLen: 1_000 } },
      });
      for (const id of ids) {
        await theirs.add(job.name, JSON.parse(job.dataText), {
          jobId: `q~${id}`,
          timestamp: job.acceptedAtMs,
        });
      }
      expect(await everyKeyOf(redis, `${prefix}:ours.r1:`)).toEqual(
        await everyKeyOf(redis, `${prefix}:theirs.r1:`),
      );
      ours.close();
    },
  );

  redisTest("with a delay makes it scheduled, and a known id changes nothing", async ({ redis, prefix }) => {
    const queues = new LaneQueues(redis, prefix);
    await queues.add("q.r1", { ...job, jobId: "q~1", delayMs: 60_000, acceptedAtMs: Date.now() });
    await queues.add("q.r1", { ...job, jobId: "q~2" });
    await queues.add("q.r1", { ...job, jobId: "q~2", dataText: '{"n":2}' });
    const queue = await queues.open("q.r1");
    expect(await queue.getJobCounts("waiting", "delayed")).toEqual({ waiting: 1, delayed: 1 });
    expect((await queue.getJob("q~2"))?.data).toEqual({ n: 1 });
  });

  redisTest("of requests that come together reaches Redis whole and in order", async ({ redis, prefix }) => {
    const queues = new LaneQueues(redis, prefix);
    const ids = Array.from({ length: 500 }, (_, n) => `q~${n}`);
    await Promise.all(ids.map((jobId) => queues.add("q.r1", { ...job, jobId })));
    expect((await redis.lrange(`${prefix}:q.r1:wait`, 0, -1)).reverse()).toEqual(ids);
  });

  redisTest("keeps a job's record when it is moved", async ({ redis, prefix }) => {
    const queues = new LaneQueues(redis, prefix);
    const record = { ...EMPTY_RECORD, failures: 2 };
    await queues.addWithRecord("q.parked", { ...job, jobId: "q~1" }, record);
    const [found] = await queues.waiting("q.parked", 10);
    expect(found?.raw).toMatchObject({ id: "q~1", name: job.name, data: job.dataText, progress: record });
    await queues.remove("q.parked", "q~1");
    expect(await queues.waiting("q.parked", 10)).toEqual([]);
  });
});

describe("a look at lanes", () => {
  redisTest("counts what BullMQ counts", async ({ redis, prefix }) => {
    const queues = new LaneQueues(redis, prefix);
    const nowMs = Date.now();
    await queues.add("q.r1", { ...job, jobId: "q~1", acceptedAtMs: nowMs - 5_000 });
    await queues.add("q.r1", { ...job, jobId: "q~2", acceptedAtMs: nowMs });
    await queues.add("q.r1", { ...job, jobId: "q~soon", delayMs: 2_000, acceptedAtMs: nowMs });
    await queues.add("q.r1", { ...job, jobId: "q~late", delayMs: 3_600_000, acceptedAtMs: nowMs });
    const { lanes } = await new LoadStore(redis, keysOf(prefix)).observeLanes(["q.r1", "q.r2"], 10_000);
    expect(lanes.get("q.r1")).toEqual({
      waiting: 2,
      inFlight: 0,
      scheduled: 2,
      dueSoon: 1,
      succeeded: 0,
      failed: 0,
      next: { jobId: "q~1", dueAtMs: nowMs - 5_000 },
    });
    expect(lanes.get("q.r2")).toMatchObject({ waiting: 0, next: null });
    const queue = await queues.open("q.r1");
    expect(await queue.getDelayedCount(nowMs + 10_000)).toBe(1);
  });
});

/** Every key under `start` by its name's end, with all it holds; what differs by design is left out. */
async function everyKeyOf(redis: Redis, start: string): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const key of await redis.keys(`${start}*`)) found[key.slice(start.length)] = await valueAt(redis, key);
  return found;
}

async function valueAt(redis: Redis, key: string): Promise<unknown> {
  switch (await redis.type(key)) {
    case "hash":
      return { ...(await redis.hgetall(key)), opts: "BullMQ writes its defaults out, we leave them away" };
    case "list":
      return redis.lrange(key, 0, -1);
    case "zset":
      return redis.zrange(key, "0", "-1", "WITHSCORES");
    case "stream":
      return (await redis.xrange(key, "-", "+")).map(([, fields]) => fields);
    default:
      return redis.get(key);
  }
}
