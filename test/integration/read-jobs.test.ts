/** Reading jobs: what is said of one is what BullMQ says, at a cost that does not grow with the backlog. */
import { type Job, Queue, Worker } from "bullmq";
import type { Redis } from "ioredis";
import { describe, expect } from "vitest";
import { EMPTY_RECORD } from "#shared/job-record";
import { findJob } from "#shared/redis/job-lookup";
import { JobReader } from "#shared/redis/job-reader";
import { keepProgress } from "#shared/redis/keep-progress";
import { LaneQueues } from "#shared/redis/lane-queues";
import { bullmqFinder } from "#test/support/bullmq-finder";
import { commandsDuring } from "#test/support/count-commands";
import { redisTest } from "#test/support/redis-test";
import { stackTest } from "#test/support/stack";
import { idOf, registryOf, stored } from "#test/support/stored-jobs";

const acceptedAtMs = 1_700_000_000_000;
const document = registryOf("shop", 2);

function readerOf(redis: Redis, prefix: string): JobReader {
  return new JobReader(redis, prefix, () => document);
}

/** One job for each way in which BullMQ can hold one, in one lane; ends with nobody working. */
async function oneOfEach(redis: Redis, prefix: string): Promise<readonly string[]> {
  const lane = new Queue("shop.r1", { connection: redis, prefix });
  const add = (name: string, options = {}) =>
    lane.add("receipt.render", JSON.parse(stored({ n: name })), {
      jobId: idOf("shop", name),
      timestamp: acceptedAtMs,
      ...options,
    });
  const worker = new Worker("shop.r1", null, { connection: redis, prefix, name: "shop-v1/w-1" });
  const take = async (name: string, options = {}): Promise<Job> => {
    await add(name, options);
    const job = await worker.getNextJob(`lease ${name}`);
    if (job === undefined) throw new Error("nothing to take");
    return job;
  };
  const done = { outcome: "succeeded", release: "shop-v1", result: { pages: 2 } };
  await (await take("completed")).moveToCompleted(done, "lease completed", false);
  await (await take("expired")).moveToCompleted(
    { outcome: "expired", release: "shop-v1" },
    "lease expired",
    false,
  );
  const failing = await take("failed", { attempts: 1 });
  await failing.updateProgress({ ...EMPTY_RECORD, failures: 1 });
  await failing.moveToFailed(new Error("no paper"), "lease failed", false);
  await (await take("retrying", { attempts: 9, backoff: 60_000 })).moveToFailed(
    new Error("later"),
    "lease retrying",
    false,
  );
  await (await take("returned")).moveToWait("lease returned");
  // Taken next by every worker: it went to the head.
  await worker.getNextJob("lease again");
  await take("running");
  await take("lost");
  await redis.del(`${prefix}:shop.r1:${idOf("shop", "lost")}:lock`);
  await add("waiting");
  await add("prioritised", { priority: 3 });
  await add("scheduled", { delay: 60_000 });
  await worker.close();
  return [
    "completed expired failed retrying returned running lost waiting prioritised scheduled".split(" "),
  ].flat();
}

describe("one job", () => {
  redisTest("is seen as BullMQ's own look at it would show it", async ({ redis, prefix }) => {
    const names = await oneOfEach(redis, prefix);
    const queues = new LaneQueues(redis, prefix);
    const reader = readerOf(redis, prefix);
    for (const name of names) {
      const theirs = await findJob(bullmqFinder(queues), document, idOf("shop", name));
      const ours = await reader.find(idOf("shop", name));
      expect(theirs, name).not.toBeNull();
      // Read off the score, where BullMQ's look has only the newest start to add the delay to.
      expect({ ...ours, dueAt: null }, name).toEqual({ ...theirs, dueAt: null });
    }
    const glances = await reader.glance(names.map((name) => idOf("shop", name)));
    const states = Object.fromEntries(names.map((name, at) => [name, glances[at]?.state]));
    expect(states).toEqual({
      completed: "succeeded",
      expired: "expired",
      failed: "failed",
      retrying: "scheduled",
      returned: "running",
      running: "running",
      // Its worker is gone, and nobody has noticed yet.
      lost: "running",
      waiting: "waiting",
      prioritised: "waiting",
      scheduled: "scheduled",
    });
    expect(await reader.find(idOf("shop", "scheduled"))).toMatchObject({
      // Accepted at 1,700,000,000,000 and due a minute later.
      dueAt: "2023-11-14T22:14:20.000Z",
      tenant: "default",
    });
  });

  // A server of its own: what others do there would be counted too.
  stackTest("costs the same commands whatever else waits", async ({ stack }) => {
    const { redis } = stack;
    await new Queue("shop.r1", { connection: redis, prefix: "sluice" }).add(
      "receipt.render",
      JSON.parse(stored({})),
      { jobId: idOf("shop", "1") },
    );
    const reader = readerOf(redis, "sluice");
    await reader.find(idOf("shop", "1"));
    const alone = await commandsDuring(redis, () => reader.find(idOf("shop", "1")));
    const others = Array.from({ length: 20_000 }, (_, n) => idOf("shop", `other ${n}`));
    await redis.lpush("sluice:shop.r1:wait", ...others);
    const among = await commandsDuring(redis, () => reader.find(idOf("shop", "1")));
    expect(among).toEqual(alone);
    // Nothing that walks the list.
    expect(Object.keys(among).filter((name) => /^(lpos|lrange|lrem)$/.test(name))).toEqual([]);
  });

  redisTest("is not known when it is in no place, or of no queue", async ({ redis, prefix }) => {
    const reader = readerOf(redis, prefix);
    expect(await reader.find(idOf("shop", "1"))).toBeNull();
    expect(await reader.find(idOf("bakery", "1"))).toBeNull();
    expect(await reader.find("no id")).toBeNull();
    const unknown = [idOf("shop", "1"), idOf("bakery", "1"), "no id"];
    expect(await reader.glance(unknown)).toEqual([null, null, null]);
  });

  redisTest("that is in two lanes is told by the copy that is still to run", async ({ redis, prefix }) => {
    const reader = readerOf(redis, prefix);
    const jobId = idOf("shop", "1");
    const [older, newer] = ["shop.r1", "shop.r2"].map(
      (name) => new Queue(name, { connection: redis, prefix }),
    );
    await newer?.add("receipt.render", JSON.parse(stored({})), { jobId });
    const worker = new Worker("shop.r2", null, { connection: redis, prefix });
    await (await worker.getNextJob("lease"))?.moveToCompleted({}, "lease", false);
    await worker.close();
    expect(await reader.find(jobId)).toMatchObject({ state: "succeeded", lane: "shop.r2" });
    await older?.add("receipt.render", JSON.parse(stored({})), { jobId });
    expect(await reader.find(jobId)).toMatchObject({ state: "waiting", lane: "shop.r1" });
  });
});

describe("progress", () => {
  redisTest("is kept by whoever holds the lease, and by nobody else", async ({ redis, prefix }) => {
    const lane = new Queue("shop.r1", { connection: redis, prefix });
    const jobId = idOf("shop", "1");
    await lane.add("receipt.render", JSON.parse(stored({})), { jobId });
    const worker = new Worker("shop.r1", null, { connection: redis, prefix, name: "shop-v1/w-1" });
    await worker.getNextJob("lease");
    const reader = readerOf(redis, prefix);
    const held = { prefix, lane: "shop.r1", jobId };
    const record = (percent: number, start: number) => ({
      ...EMPTY_RECORD,
      progress: { percent, message: "half", at: "2026-01-31T12:00:00.000Z", start },
    });
    const [before] = await reader.glance([jobId]);
    expect(await keepProgress(redis, { ...held, lease: "lease" }, record(50, 1))).toBe(true);
    expect(await keepProgress(redis, { ...held, lease: "another" }, record(99, 1))).toBe(false);
    expect((await reader.find(jobId))?.progress).toEqual({
      percent: 50,
      message: "half",
      at: "2026-01-31T12:00:00.000Z",
    });
    const [after] = await reader.glance([jobId]);
    expect(after?.mark).not.toBe(before?.mark);
    // Of another start than the one that runs.
    await keepProgress(redis, { ...held, lease: "lease" }, record(60, 7));
    expect((await reader.find(jobId))?.progress).toBeNull();
    expect(await redis.xlen(`${prefix}:shop.r1:events`)).toBe(3);
    await worker.close();
  });
});
