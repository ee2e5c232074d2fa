/** A job that is put aside and put back: what a worker settles, what a look-up shows, what the next start gets. */
import type { Redis } from "ioredis";
import { describe, expect } from "vitest";
import { jobIdOf } from "#shared/job-id";
import { EMPTY_RECORD } from "#shared/job-record";
import { findJob } from "#shared/redis/job-lookup";
import { LaneQueues } from "#shared/redis/lane-queues";
import { LaneWorker, type Settlement, type TakenJob } from "#shared/redis/lane-worker";
import { systemClock } from "#shared/system-clock";
import { addJob } from "#test/support/add-job";
import { bullmqFinder } from "#test/support/bullmq-finder";
import { redisTest } from "#test/support/redis-test";
import { published, releaseOf, typeOf } from "#test/unit/shared/registry/registry-builder";
import { envelope } from "#test/unit/worker/job-builder";
import { releaseParked } from "#worker/release-parked";

const document = published(
  releaseOf("shop-1", typeOf("receipt.render", [[1, 1]])),
  releaseOf(
    "shop-2",
    typeOf("receipt.render", [
      [1, 1],
      [2, 2],
    ]),
  ),
);

const jobId = jobIdOf({ queue: "shop", tenant: "default", source: "/shop", id: "order-1" });
const parked: Settlement = { kind: "moved", place: "shop.parked", record: { ...EMPTY_RECORD, handBacks: 8 } };
const accept = () => ({ kind: "accept" }) as const;

interface Lane {
  readonly redis: Redis;
  readonly prefix: string;
  readonly queues: LaneQueues;
}

/** Starts each job of the lane and settles it as told. Gives what it was handed. */
async function workedOnce({ redis, prefix, queues }: Lane, settlement: Settlement): Promise<TakenJob> {
  const stopped = await new Promise<{ worker: LaneWorker; job: TakenJob }>((resolve) => {
    const worker = new LaneWorker({
      redis,
      queues,
      prefix,
      lane: "shop.r1",
      workerName: "shop-1/w-1",
      clock: systemClock,
      run: async (job) => {
        resolve({ worker, job });
        return settlement;
      },
      onEmptied: () => undefined,
      onError: () => undefined,
      onRedelivered: () => undefined,
      onEnded: () => undefined,
    });
    worker.start(1);
  });
  // Waits until what was taken is settled.
  await stopped.worker.stopTaking();
  return stopped.job;
}

describe("a job that is parked and released", () => {
  redisTest("keeps its starts and crashes, so that its fence never goes back", async ({ redis, prefix }) => {
    const queues = new LaneQueues(redis, prefix);
    const lane = { redis, prefix, queues };
    const dataText = JSON.stringify(envelope);
    await addJob(queues, "shop.r1", { jobId, name: "receipt.render", dataText, acceptedAtMs: 1, delayMs: 0 });
    await redis.hset(`${prefix}:shop.r1:${jobId}`, { ats: 4, stc: 2 });

    expect(await workedOnce(lane, parked)).toMatchObject({ starts: 5, crashes: 2 });
    expect(await findJob(bullmqFinder(queues), document, jobId)).toMatchObject({
      state: "parked",
      lane: null,
      attempts: { starts: 5, crashes: 2 },
    });
    expect(await redis.keys(`${prefix}:shop.r1:${jobId}*`)).toEqual([]);

    expect(await releaseParked(queues, document, { queue: "shop", accept })).toBe(1);
    expect(await findJob(bullmqFinder(queues), document, jobId)).toMatchObject({
      state: "waiting",
      lane: "shop.r1",
    });
    const finished: Settlement = { kind: "finished", outcome: { outcome: "succeeded", release: "shop-1" } };
    const again = await workedOnce(lane, finished);
    expect(again).toMatchObject({ starts: 6, crashes: 2, record: { handBacks: 0 }, acceptedAtMs: 1 });
    expect(await findJob(bullmqFinder(queues), document, jobId)).toMatchObject({
      state: "succeeded",
      attempts: { starts: 6, crashes: 2 },
    });
  });

  redisTest("is released once by workers that register together", async ({ redis, prefix }) => {
    const queues = new LaneQueues(redis, prefix);
    const job = { name: "receipt.render", dataText: JSON.stringify(envelope), acceptedAtMs: 1, delayMs: 0 };
    await Promise.all([1, 2, 3].map((n) => addJob(queues, "shop.parked", { ...job, jobId: `shop~${n}` })));
    const released = await Promise.all(
      [1, 2, 3, 4].map(() => releaseParked(queues, document, { queue: "shop", accept })),
    );
    expect(released.reduce((sum, it) => sum + it, 0)).toBe(3);
    expect(await redis.llen(`${prefix}:shop.r1:wait`)).toBe(3);
  });
});

describe("a look-up of a job that is in several places", () => {
  const job = { jobId, name: "receipt.render", acceptedAtMs: 1, delayMs: 0, dataText: "{}" };

  redisTest.for([
    [["shop.r1", "shop.r2"], { lane: "shop.r2", state: "waiting" }],
    [["shop.parked", "shop.r1"], { lane: "shop.r1", state: "waiting" }],
    [["shop.dead", "shop.parked"], { lane: null, state: "parked" }],
    [["shop.dead", "shop.r1"], { lane: "shop.r1", state: "waiting" }],
    [["shop.dead"], { lane: null, state: "quarantined" }],
  ] as const)(
    "%j tells of the one that is still to run: %j",
    async ([places, expected], { redis, prefix }) => {
      const queues = new LaneQueues(redis, prefix);
      for (const place of places) await addJob(queues, place, job);
      expect(await findJob(bullmqFinder(queues), document, jobId)).toMatchObject(expected);
    },
  );

  redisTest("does not hide what waits behind what has ended in a newer lane", async ({ redis, prefix }) => {
    const queues = new LaneQueues(redis, prefix);
    await addJob(queues, "shop.r1", job);
    await workedOnce(
      { redis, prefix, queues },
      { kind: "finished", outcome: { outcome: "succeeded", release: "shop-1" } },
    );
    expect(await findJob(bullmqFinder(queues), document, jobId)).toMatchObject({ state: "succeeded" });
    await addJob(queues, "shop.dead", job);
    expect(await findJob(bullmqFinder(queues), document, jobId)).toMatchObject({ state: "succeeded" });
    await addJob(queues, "shop.parked", job);
    expect(await findJob(bullmqFinder(queues), document, jobId)).toMatchObject({ state: "parked" });
    await addJob(queues, "shop.r2", { ...job, delayMs: 60_000 });
    expect(await findJob(bullmqFinder(queues), document, jobId)).toMatchObject({
      state: "scheduled",
      lane: "shop.r2",
    });
  });
});
