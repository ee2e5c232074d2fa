/** What we write and read of BullMQ's is what BullMQ itself writes and reads. */
import { Queue } from "bullmq";
import type { Redis } from "ioredis";
import { describe, expect } from "vitest";
import { keysOf } from "#shared/redis/keys";
import { LaneQueues } from "#shared/redis/lane-queues";
import { LoadStore } from "#shared/redis/load-store";
import { addJob, roomyTerms } from "#test/support/add-job";
import { everyKeyOf } from "#test/support/queue-keys";
import { redisTest } from "#test/support/redis-test";

const job = { name: "probe.task", dataText: '{"n":1}', acceptedAtMs: 1_700_000_000_000, delayMs: 0 };

/** Job options of every kind that admission writes, each as BullMQ's own add is asked for it. */
const kinds = [
  { id: "a" },
  { id: "b" },
  { id: "later", delayMs: 60_000 },
  { id: "sooner", delayMs: 30_000 },
  { id: "same-time", delayMs: 60_000 },
  { id: "normal", priority: 3 },
  { id: "critical", priority: 1 },
  { id: "later-low", delayMs: 45_000, priority: 4 },
  { id: "c" },
] as const;

/** What a queue can be like when jobs come. */
const states = {
  "that is empty": async () => undefined,
  "that is paused": async (queue: Queue) => queue.pause(),
  "with a bound on jobs in flight": async (queue: Queue) => queue.setGlobalConcurrency(1),
  "that had jobs before": async (queue: Queue) => {
    await queue.add("x", {}, { jobId: "before-1", timestamp: 1, delay: 5 });
    await queue.add("x", {}, { jobId: "before-2", timestamp: 2, priority: 2 });
    await queue.add("x", {}, { jobId: "before-3", timestamp: 3 });
  },
};

describe("admitting jobs", () => {
  for (const [state, prepare] of Object.entries(states)) {
    redisTest(`to a queue ${state} leaves every key as BullMQ's own adds do`, async ({ redis, prefix }) => {
      const ours = new LaneQueues(redis, prefix);
      await prepare(await ours.open("ours.r1"));
      const theirs = new Queue("theirs.r1", {
        connection: redis,
        prefix,
        streams: { events: { maxLen: 1_000 } },
      });
      await prepare(theirs);
      for (const kind of kinds) await admit(ours, kind);
      for (const kind of kinds) await addByBullmq(theirs, kind);
      expect(await everyKeyButOptions(redis, `${prefix}:ours.r1:`)).toEqual(
        await everyKeyButOptions(redis, `${prefix}:theirs.r1:`),
      );
      ours.close();
    });
  }

  redisTest("in one call leaves the same as one by one", async ({ redis, prefix }) => {
    const together = new LaneQueues(redis, `${prefix}:1`);
    const alone = new LaneQueues(redis, `${prefix}:2`);
    await Promise.all(kinds.map((kind) => admit(together, kind)));
    for (const kind of kinds) await admit(alone, kind);
    const [first, second] = await Promise.all(
      ["1", "2"].map((name) => everyKeyOf(redis, `${prefix}:${name}:ours.r1:`)),
    );
    expect(first).toEqual(second);
  });

  redisTest("with a delay makes it scheduled, and a known id changes nothing", async ({ redis, prefix }) => {
    const queues = new LaneQueues(redis, prefix);
    await addJob(queues, "q.r1", { ...job, jobId: "q~1", delayMs: 60_000, acceptedAtMs: Date.now() });
    await addJob(queues, "q.r1", { ...job, jobId: "q~2" });
    await addJob(queues, "q.r1", { ...job, jobId: "q~2", dataText: '{"n":2}' });
    const queue = await queues.open("q.r1");
    expect(await queue.getJobCounts("waiting", "delayed")).toEqual({ waiting: 1, delayed: 1 });
    expect((await queue.getJob("q~2"))?.data).toEqual({ n: 1 });
  });

  redisTest("of requests that come together reaches Redis whole and in order", async ({ redis, prefix }) => {
    const queues = new LaneQueues(redis, prefix);
    const ids = Array.from({ length: 500 }, (_, n) => `q~${n}`);
    await Promise.all(ids.map((jobId) => addJob(queues, "q.r1", { ...job, jobId })));
    expect((await redis.lrange(`${prefix}:q.r1:wait`, 0, -1)).reverse()).toEqual(ids);
  });
});

describe("a look at lanes", () => {
  redisTest("counts what BullMQ counts", async ({ redis, prefix }) => {
    const queues = new LaneQueues(redis, prefix);
    const nowMs = Date.now();
    await addJob(queues, "q.r1", { ...job, jobId: "q~1", acceptedAtMs: nowMs - 5_000 });
    await addJob(queues, "q.r1", { ...job, jobId: "q~2", acceptedAtMs: nowMs });
    await addJob(queues, "q.r1", { ...job, jobId: "q~soon", delayMs: 2_000, acceptedAtMs: nowMs });
    await addJob(queues, "q.r1", { ...job, jobId: "q~late", delayMs: 3_600_000, acceptedAtMs: nowMs });
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

interface Kind {
  readonly id: string;
  readonly delayMs?: number;
  readonly priority?: number;
}

function admit(queues: LaneQueues, { id, delayMs = 0, priority = 0 }: Kind) {
  const terms = roomyTerms("ours.r1", { priority });
  const known = { revision: null, records: [], fingerprint: "-", dedup: "" };
  return queues.admit({ ...job, ...known, jobId: `q~${id}`, delayMs, terms });
}

async function addByBullmq(queue: Queue, { id, delayMs = 0, priority = 0 }: Kind): Promise<void> {
  await queue.add(job.name, JSON.parse(job.dataText), {
    jobId: `q~${id}`,
    timestamp: job.acceptedAtMs,
    ...(delayMs > 0 && { delay: delayMs }),
    ...(priority > 0 && { priority }),
  });
}
