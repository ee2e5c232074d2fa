/** When a taken job fell due, on a real lane: what the wait of its pickup is told by. */
import type { Redis } from "ioredis";
import { describe, expect, onTestFinished } from "vitest";
import { EMPTY_RECORD } from "#shared/job-record";
import { LaneQueues } from "#shared/redis/lane-queues";
import { LaneWorker, type Settlement, type TakenJob } from "#shared/redis/lane-worker";
import { systemClock } from "#shared/system-clock";
import { addJob } from "#test/support/add-job";
import { redisTest } from "#test/support/redis-test";

const WAIT = { timeout: 20_000, interval: 20 };
const DONE: Settlement = { kind: "finished", outcome: { outcome: "succeeded", release: "v1" } };

/** A lane with one job and a worker that settles its starts as told, and what it was given. */
async function startsOf(redis: Redis, prefix: string, delayMs: number, settlements: readonly Settlement[]) {
  const starts: { job: TakenJob; atMs: number }[] = [];
  const queues = new LaneQueues(redis, prefix);
  const worker = new LaneWorker({
    redis,
    queues,
    prefix,
    lane: "q.r1",
    workerName: "v1/w-1",
    clock: systemClock,
    run: async (job) => {
      starts.push({ job, atMs: systemClock.nowMs() });
      return settlements[starts.length - 1] ?? DONE;
    },
    onEmptied: () => undefined,
    onError: () => undefined,
    onRedelivered: () => undefined,
    onEnded: () => undefined,
  });
  const acceptedAtMs = systemClock.nowMs();
  await addJob(queues, "q.r1", { jobId: "q~1", name: "a.b", dataText: "{}", acceptedAtMs, delayMs });
  worker.start(1);
  onTestFinished(async () => {
    await worker.stopTaking();
    queues.close();
  });
  await expect.poll(() => starts.length, WAIT).toBe(settlements.length + 1);
  return { acceptedAtMs, starts };
}

describe("a taken job fell due", () => {
  redisTest("when it was handed in, or as long after it as it was put off", async ({ redis, prefix }) => {
    const now = await startsOf(redis, `${prefix}a`, 0, []);
    expect(now.starts[0]?.job.dueAtMs).toBe(now.acceptedAtMs);
    const later = await startsOf(redis, `${prefix}b`, 300, []);
    expect(later.starts[0]?.job.dueAtMs).toBe(later.acceptedAtMs + 300);
  });

  redisTest("again when its retry was, after as many retries as there are", async ({ redis, prefix }) => {
    const retry = { kind: "retry", delayMs: 150, record: EMPTY_RECORD, reason: "X: x" } as const;
    const back = { kind: "handed-back", delayMs: 100, record: EMPTY_RECORD } as const;
    const head = { kind: "returned", record: EMPTY_RECORD } as const;
    const { starts } = await startsOf(redis, prefix, 0, [retry, back, head]);
    const [first, second, third, fourth] = starts;
    const dueAfter = (start: typeof first, delayMs: number) => (start?.atMs ?? 0) + delayMs;
    // A settlement takes some milliseconds, and the job is due its delay after it.
    for (const [start, dueMs] of [
      [second, dueAfter(first, 150)],
      [third, dueAfter(second, 100)],
      [fourth, dueAfter(third, 0)],
    ] as const) {
      expect(start?.job.dueAtMs).toBeGreaterThanOrEqual(dueMs);
      expect(start?.job.dueAtMs).toBeLessThanOrEqual(start?.atMs ?? 0);
    }
  });

  redisTest("nobody knows when, after a start that was lost", async ({ redis, prefix }) => {
    // A start that another worker has begun and not settled: it left no word of when the job is due.
    const queues = new LaneQueues(redis, prefix);
    await addJob(queues, "q.r1", { jobId: "q~0", name: "a.b", dataText: "{}", acceptedAtMs: 1, delayMs: 0 });
    await redis.hset(`${prefix}:q.r1:q~0`, "ats", 1);
    queues.close();
    const { starts } = await startsOf(redis, prefix, 0, [DONE]);
    expect(starts.find(({ job }) => job.jobId === "q~0")?.job).toMatchObject({ starts: 2, dueAtMs: null });
  });
});
