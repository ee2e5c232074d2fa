/** Failed jobs that run again, on a real Redis: as BullMQ's own retry would leave them, and with another record. */
import { Queue, Worker } from "bullmq";
import type { Redis } from "ioredis";
import { pino } from "pino";
import { describe, expect } from "vitest";
import { RequeueExhausted } from "#autoscaler/releases/requeue-exhausted";
import { type AttemptEntry, EMPTY_RECORD, type JobRecord, withAttempt } from "#shared/job-record";
import { keysOf } from "#shared/redis/keys";
import { RequeueStore } from "#shared/redis/requeue-store";
import { toRfc3339 } from "#shared/system-clock";
import { FakeClock } from "#test/support/fake-clock";
import { everyKeyOf } from "#test/support/queue-keys";
import { redisTest } from "#test/support/redis-test";
import { aRollout } from "#test/unit/autoscaler/rollout/rollout-builder";

const LANE = "mail.r1";
const TENANT = { tenant: "acme", type: "mail.send" };

function failedBy(...releases: readonly string[]): JobRecord {
  const entry = (release: string, index: number): AttemptEntry => ({
    ...{ attempt: index + 1, release, worker: "w-1", code: "BOOM", message: "boom" },
    ...{ startedAt: toRfc3339(Date.now()), endedAt: toRfc3339(Date.now()) },
    outcome: index === releases.length - 1 ? "failed" : "retry",
  });
  return releases.map(entry).reduce(withAttempt, EMPTY_RECORD);
}

/** Has jobs taken and failed by a real worker, as ours do. */
async function failAll(
  { redis, prefix }: { readonly redis: Redis; readonly prefix: string },
  place: string,
  records: Readonly<Record<string, JobRecord>>,
): Promise<Queue> {
  const queue = new Queue(place, { connection: redis, prefix });
  const ids = Object.keys(records);
  for (const jobId of ids) await queue.add("mail.send", TENANT, { jobId, priority: jobId === "b" ? 3 : 0 });
  const connection = redis.duplicate();
  const run = async (job: { id?: string | undefined; updateProgress(it: object): Promise<void> }) => {
    await job.updateProgress(records[job.id ?? ""] ?? EMPTY_RECORD);
    throw new Error("boom");
  };
  const worker = new Worker(place, run, { connection, prefix, skipStalledCheck: true });
  let failed = 0;
  await new Promise<void>((resolve) => {
    worker.on("failed", () => {
      failed += 1;
      if (failed === ids.length) resolve();
    });
  });
  await worker.close();
  connection.disconnect();
  return queue;
}

describe("a failed job that is put back", () => {
  redisTest("lies as BullMQ's own retry puts it, and is open again", async ({ redis, prefix }) => {
    const records = { a: failedBy("v2"), b: failedBy("v2") };
    const ours = await failAll({ redis, prefix }, LANE, records);
    const theirs = await failAll({ redis, prefix }, "other.r1", records);
    const store = new RequeueStore(redis, keysOf(prefix));
    const failed = await store.failedIn(LANE, { sinceMs: 0, skip: 0, max: 10 });
    expect(failed.map(({ jobId, starts }) => [jobId, starts])).toEqual([
      ["a", 1],
      ["b", 1],
    ]);
    const jobs = failed.map((job) => ({ ...job, record: records.a, tenant: "acme" }));
    expect(await store.requeue("mail", LANE, jobs)).toEqual(["a", "b"]);
    // Nobody has them twice.
    expect(await store.requeue("mail", LANE, jobs)).toEqual([]);
    for (const { jobId } of failed) await (await theirs.getJob(jobId))?.retry("failed");
    const [mine, its] = await Promise.all([
      everyKeyOf(redis, `${prefix}:${LANE}:`),
      everyKeyOf(redis, `${prefix}:other.r1:`),
    ]);
    for (const keys of [mine, its]) {
      for (const id of ["a", "b"]) {
        const job = keys[id] as Record<string, string>;
        for (const field of ["progress", "timestamp", "stacktrace"]) delete job[field];
      }
      delete keys.events;
      delete keys["stalled-check"];
    }
    expect(mine).toEqual(its);
    const accepted = Number(await redis.hget(`${prefix}:${LANE}:a`, "timestamp"));
    expect(await redis.zscore(`${prefix}:open:mail:acme`, "a")).toBe(String(accepted));
    expect(await redis.smembers(`${prefix}:tenants:mail`)).toEqual(["acme"]);
    await Promise.all([ours.close(), theirs.close()]);
  });

  redisTest("is left when somebody has changed its record since", async ({ redis, prefix }) => {
    const queue = await failAll({ redis, prefix }, LANE, { a: failedBy("v2") });
    const store = new RequeueStore(redis, keysOf(prefix));
    const [job] = await store.failedIn(LANE, { sinceMs: 0, skip: 0, max: 1 });
    if (job === undefined) throw new Error("nothing failed");
    const changed = { ...job, recordText: `${job.recordText} `, record: EMPTY_RECORD, tenant: null };
    expect(await store.requeue("mail", LANE, [changed])).toEqual([]);
    expect(await redis.zcard(`${prefix}:${LANE}:failed`)).toBe(1);
    await queue.close();
  });
});

describe("the jobs that a failed release exhausted", () => {
  redisTest("run again without its attempts, and no others do", async ({ redis, prefix }) => {
    const bad = failedBy("v1", "v2", "v2");
    const records = { a: bad, b: failedBy("v2"), c: failedBy("v1"), d: failedBy("v2", "v1") };
    const queue = await failAll({ redis, prefix }, LANE, records);
    const requeue = new RequeueExhausted({
      clock: new FakeClock(Date.now()),
      log: pino({ level: "silent" }),
      store: new RequeueStore(redis, keysOf(prefix)),
    });
    const policy = { attempts: 2, timeoutMs: 1, backoff: { baseMs: 1, maxMs: 1 }, excess: "reject" };
    const lane = { lane: LANE, failed: 4 };
    const input = {
      rollout: aRollout({ pool: "mail", createdAtMs: Date.now() - 60_000 }),
      observation: {
        snapshot: { queues: [{ queue: "mail", lanes: [lane] }] },
        document: { types: { "mail.send": { policy } } },
        redisNowMs: Date.now(),
      },
      term: { epoch: 1, require: () => undefined },
    } as unknown as Parameters<RequeueExhausted["pass"]>[1];
    // c is v1's alone; d failed last on v1, with two attempts of which one does not count.
    expect(await requeue.pass("v2", input)).toBe(3);
    expect(await redis.zrange(`${prefix}:${LANE}:failed`, "0", "-1")).toEqual(["c"]);
    const [a] = JSON.parse(`[${await redis.hget(`${prefix}:${LANE}:a`, "progress")}]`) as JobRecord[];
    expect(a?.failures).toBe(1);
    expect(a?.attempts.map(({ outcome }) => outcome)).toEqual(["retry", "handed-back", "handed-back"]);
    expect(a?.due).toMatchObject({ start: 2 });
    // The pass is over; the next begins after a while.
    expect(await requeue.pass("v2", input)).toBe(0);
    await queue.close();
  });
});
