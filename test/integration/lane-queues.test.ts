/** What we write and read of BullMQ's is what BullMQ itself writes and reads. */
import { Queue } from "bullmq";
import { describe, expect } from "vitest";
import { EMPTY_RECORD } from "#shared/job-record";
import { keysOf } from "#shared/redis/keys";
import { LaneQueues } from "#shared/redis/lane-queues";
import { LoadStore } from "#shared/redis/load-store";
import { redisTest } from "#test/support/redis-test";

const job = { name: "probe.task", dataText: '{"n":1}', acceptedAtMs: 1_700_000_000_000, delayMs: 0 };

describe("adding a job", () => {
  redisTest("leaves the same keys and fields as BullMQ's own add", async ({ redis, prefix }) => {
    const ours = new LaneQueues(redis, prefix);
    await ours.add("ours.r1", { ...job, jobId: "ours~1" });
    const theirs = new Queue("theirs.r1", { connection: redis, prefix });
    const options = { jobId: "theirs~1", timestamp: job.acceptedAtMs };
    await theirs.add(job.name, JSON.parse(job.dataText), options);

    const [mine, bullmqs] = await Promise.all([
      redis.hgetall(`${prefix}:ours.r1:ours~1`),
      redis.hgetall(`${prefix}:theirs.r1:theirs~1`),
    ]);
    const { opts: myOpts, ...myFields } = mine;
    const { opts: bullmqsOpts, ...bullmqsFields } = bullmqs;
    expect(myFields).toEqual(bullmqsFields);
    // BullMQ writes its defaults out; we leave them away, and it reads both alike.
    expect(JSON.parse(bullmqsOpts ?? "")).toMatchObject(JSON.parse(myOpts ?? ""));
    const suffixes = async (queue: string) =>
      (await redis.keys(`${prefix}:${queue}:*`))
        .map((key) => key.split(":").at(-1)?.split("~")[1] ?? key.split(":").at(-1))
        .sort();
    expect(await suffixes("ours.r1")).toEqual(await suffixes("theirs.r1"));
    ours.close();
  });

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
