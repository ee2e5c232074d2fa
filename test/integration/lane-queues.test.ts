/** What we write and read of BullMQ's is what BullMQ itself writes and reads. */
import { Queue } from "bullmq";
import type { Redis } from "ioredis";
import { describe, expect } from "vitest";
import { keysOf } from "#shared/redis/keys";
import { LaneQueues } from "#shared/redis/lane-queues";
import { LoadStore } from "#shared/redis/load-store";
import { everyKeyOf } from "#test/support/queue-keys";
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
      expect(await everyKeyButOptions(redis, `${prefix}:ours.r1:`)).toEqual(
        await everyKeyButOptions(redis, `${prefix}:theirs.r1:`),
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
      other: 0,
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

/** As `everyKeyOf`, without the options of jobs: BullMQ writes its defaults out, we leave them away. */
async function everyKeyButOptions(redis: Redis, start: string): Promise<Record<string, unknown>> {
  const keys = await everyKeyOf(redis, start);
  return Object.fromEntries(
    Object.entries(keys).map(([name, value]) => [name, isHash(value) ? { ...value, opts: "" } : value]),
  );
}

function isHash(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
