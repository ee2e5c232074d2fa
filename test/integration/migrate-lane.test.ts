/** Emptying an older lane into a newer one, on a real Redis and with a clock that nothing waits for. */
import { Worker } from "bullmq";
import type { Redis } from "ioredis";
import { describe, expect } from "vitest";
import { z } from "zod";
import { EMPTY_RECORD, type JobRecord } from "#shared/job-record";
import { keysOf } from "#shared/redis/keys";
import { LaneQueues } from "#shared/redis/lane-queues";
import { LeaseCheck } from "#shared/redis/lease-check";
import { LoadStore } from "#shared/redis/load-store";
import { addJob } from "#test/support/add-job";
import { FakeClock } from "#test/support/fake-clock";
import { redisTest } from "#test/support/redis-test";
import { envelope, recordingLog } from "#test/unit/worker/job-builder";
import { LaneMigration, type MigrationOptions, type MigrationTotals } from "#worker/migrate-lane";
import { migratingBuildOf } from "#worker/migrating-build";

const FROM = "shop.r1";
const TO = "shop.r2";
const DEAD = "shop.dead";

const contract = {
  type: "receipt.render",
  versions: [
    { version: 1, minReaderVersion: 1, schema: z.looseObject({ amount: z.int() }) },
    {
      version: 2,
      minReaderVersion: 2,
      schema: z.looseObject({ total: z.looseObject({ value: z.int() }) }),
      upcast: ({ amount: value, ...kept }: { amount: number }) => ({ ...kept, total: { value } }),
    },
  ],
};

const acceptedAtMs = 1_700_000_000_000;
const record: JobRecord = { ...EMPTY_RECORD, failures: 2, handBacks: 1 };

/** A job that only a newer build than ours reads, but for its id. */
const tooNew = {
  name: "receipt.render",
  dataText: JSON.stringify({ ...envelope, schemaversion: 3, minreaderversion: 3, data: {} }),
  acceptedAtMs,
  delayMs: 0,
};

/** Job ids by what they are in the older lane; four of each way of resting. */
const KINDS = ["waiting", "prioritised", "scheduled", "retrying"] as const;
const IDS = KINDS.flatMap((kind) => [1, 2, 3, 4].map((n) => `shop~${kind}-${n}`));

function dataOf(id: string): string {
  return JSON.stringify({ ...envelope, id, colour: "red", data: { amount: id.length, note: "kept" } });
}

function upcastOf(id: string): unknown {
  const data = { note: "kept", total: { value: id.length } };
  return { ...envelope, id, colour: "red", schemaversion: 2, minreaderversion: 2, data };
}

/** Fills the older lane. Priorities and started jobs come from elsewhere than the door. */
async function fill(redis: Redis, prefix: string, ids: readonly string[] = IDS): Promise<LaneQueues> {
  const queues = new LaneQueues(redis, prefix);
  const queue = await queues.open(FROM);
  for (const [n, id] of ids.entries()) {
    const job = { jobId: id, name: "receipt.render", dataText: dataOf(id), acceptedAtMs };
    if (id.includes("prioritised")) {
      await queue.add(job.name, JSON.parse(job.dataText), {
        jobId: id,
        timestamp: acceptedAtMs,
        priority: 5,
      });
    } else {
      await addJob(queues, FROM, { ...job, delayMs: id.includes("waiting") ? 0 : 60_000 + n });
    }
    if (id.includes("retrying")) {
      const key = `${prefix}:${FROM}:${id}`;
      await redis.hset(key, { ats: 3, atm: 2, stc: 1, pb: "shop-1/w-1", progress: JSON.stringify(record) });
    }
  }
  return queues;
}

/** What the lanes hold of each job, data apart: place, how it rests and every other field. */
async function jobsIn(redis: Redis, prefix: string, place: string): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  const of = (name: string) => `${prefix}:${place}:${name}`;
  const put = async (jobId: string, rests: unknown) => {
    const { data, ...fields } = await redis.hgetall(of(jobId));
    found[jobId] = { rests, data: JSON.parse(data ?? "null"), fields };
  };
  for (const id of await redis.lrange(of("wait"), 0, -1)) await put(id, "waiting");
  for (const id of await redis.zrange(of("prioritized"), "0", "-1")) await put(id, "prioritised");
  for (const id of await redis.zrange(of("delayed"), "0", "-1"))
    await put(id, await redis.zscore(of("delayed"), id));
  return found;
}

/** The same jobs with the data that they have once they are upcast. */
function upcast(jobs: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(jobs).map(([id, job]) => [id, { ...(job as object), data: upcastOf(id) }]),
  );
}

interface Lanes {
  readonly redis: Redis;
  readonly prefix: string;
  readonly queues: MigrationOptions["queues"];
}

function migrationOf({ redis, prefix, queues }: Lanes, jobsPerSecond: number, clock: FakeClock) {
  const { log, lines } = recordingLog();
  const load = new LoadStore(redis, keysOf(prefix));
  const migration = new LaneMigration({
    from: FROM,
    to: TO,
    dead: DEAD,
    queues,
    build: migratingBuildOf([contract], clock),
    release: "shop-2",
    workerId: "migrate-1",
    jobsPerSecond,
    clock,
    log,
    count: async () => {
      const counts = (await load.observeLanes([FROM], 0)).lanes.get(FROM);
      if (counts === undefined) throw new Error("the lane was not counted");
      return counts;
    },
  });
  return { migration, lines };
}

/** Lets fake time pass until something is so, in steps of 10 ms, for at most an hour. */
async function passing(clock: FakeClock, isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    if (clock.monotonicMs() > 3_600_000) throw new Error("an hour has passed");
    await clock.advance(10);
  }
}

/** Lets fake time pass for as long as `running` needs it. */
async function driven<Result>(clock: FakeClock, running: Promise<Result>): Promise<Result> {
  const state = { ended: false };
  const end = () => {
    state.ended = true;
  };
  running.then(end, end);
  await passing(clock, () => state.ended);
  return running;
}

async function migrate(lanes: Lanes, jobsPerSecond = 10_000): Promise<MigrationTotals> {
  const clock = new FakeClock();
  const { migration } = migrationOf(lanes, jobsPerSecond, clock);
  return driven(clock, migration.run(new AbortController().signal));
}

describe("a migration", () => {
  redisTest(
    "moves all that rests, upcast, with its id, due time, record, starts and everything else",
    async ({ redis, prefix }) => {
      const queues = await fill(redis, prefix);
      const before = await jobsIn(redis, prefix, FROM);
      expect(Object.keys(before).toSorted()).toEqual(IDS.toSorted());

      expect(await migrate({ redis, prefix, queues })).toEqual({
        moved: 16,
        upcast: 16,
        known: 0,
        quarantined: 0,
        left: {},
        remaining: 0,
      });
      expect(await jobsIn(redis, prefix, TO)).toEqual(upcast(before));
      const keys = (await redis.keys(`${prefix}:${FROM}:*`)).map((key) =>
        key.slice(`${prefix}:${FROM}:`.length),
      );
      // Counters and streams of BullMQ's, and no job in any state.
      expect(keys.toSorted()).toEqual(["events", "id", "marker", "meta", "pc"]);
    },
  );

  redisTest("leaves what this build does not read, and says why", async ({ redis, prefix }) => {
    const queues = await fill(redis, prefix, ["shop~waiting-1", "shop~scheduled-1"]);
    await addJob(queues, FROM, { ...tooNew, jobId: "shop~new" });
    await addJob(queues, FROM, { ...tooNew, jobId: "shop~new-2", delayMs: 60_000 });
    // A list can name a job that is no more, which a run must not wait for.
    await redis.lpush(`${prefix}:${FROM}:wait`, "shop~nothing");
    const clock = new FakeClock();
    const { migration, lines } = migrationOf({ redis, prefix, queues }, 10_000, clock);
    const totals = await driven(clock, migration.run(new AbortController().signal));
    expect(totals).toMatchObject({ moved: 2, left: { "too-new": 2, "no-data": 1 }, remaining: 3 });
    expect(lines.filter((it) => it.reason === "too-new").map((it) => it.jobId)).toEqual([
      "shop~new",
      "shop~new-2",
    ]);
    expect(Object.keys(await jobsIn(redis, prefix, TO)).toSorted()).toEqual([
      "shop~scheduled-1",
      "shop~waiting-1",
    ]);
  });

  redisTest(
    "quarantines poison with its reason, at once even when it is scheduled",
    async ({ redis, prefix }) => {
      const queues = await fill(redis, prefix, ["shop~retrying-1"]);
      const poison = JSON.stringify({ ...envelope, data: { amount: "hunter2" } });
      await redis.hset(`${prefix}:${FROM}:shop~retrying-1`, "data", poison);
      expect(await migrate({ redis, prefix, queues })).toMatchObject({
        moved: 0,
        quarantined: 1,
        remaining: 0,
      });
      const [dead] = await queues.waiting(DEAD, 10);
      expect(dead?.raw).toMatchObject({ id: "shop~retrying-1", data: poison, attemptsStarted: 3 });
      expect(dead?.raw.progress).toEqual({
        ...record,
        attempts: [
          expect.objectContaining({
            attempt: 3,
            release: "shop-2",
            worker: "migrate-1",
            outcome: "quarantined",
            code: "DATA_INVALID",
          }),
        ],
      });
      expect(JSON.stringify(dead?.raw.progress)).not.toContain("hunter2");
    },
  );

  redisTest("does not run again what has run in the newer lane", async ({ redis, prefix }) => {
    const queues = await fill(redis, prefix, ["shop~waiting-1", "shop~scheduled-1"]);
    for (const jobId of ["shop~waiting-1", "shop~scheduled-1"]) {
      await addJob(queues, TO, { jobId, name: "receipt.render", dataText: "{}", acceptedAtMs, delayMs: 0 });
    }
    const worker = new Worker(TO, null, { connection: redis, prefix });
    for (let n = 0; n < 2; n += 1) {
      await (await worker.getNextJob("token"))?.moveToCompleted("result", "token", false);
    }
    await worker.close();
    expect(await migrate({ redis, prefix, queues })).toMatchObject({ moved: 0, known: 2, remaining: 0 });
    expect(await (await queues.open(TO)).getJobCounts("waiting", "delayed", "completed")).toEqual({
      waiting: 0,
      delayed: 0,
      completed: 2,
    });
  });

  redisTest(
    "waits for jobs in flight, moves one that comes back, and forgets what others have removed",
    async ({ redis, prefix }) => {
      const queues = await fill(redis, prefix, ["shop~waiting-1", "shop~waiting-2"]);
      const worker = new Worker(FROM, null, { connection: redis, prefix, lockDuration: 60_000 });
      const ends = await worker.getNextJob("token");
      const retries = await worker.getNextJob("token");
      await addJob(queues, FROM, { ...tooNew, jobId: "shop~new" });
      const clock = new FakeClock();
      const { migration, lines } = migrationOf({ redis, prefix, queues }, 10_000, clock);
      const running = migration.run(new AbortController().signal);
      const told = (inFlight: number) =>
        lines.some((it) => it.msg === "migrating" && it.inFlight === inFlight && it.left === 1);
      await passing(clock, () => told(2));
      await ends?.moveToCompleted("result", "token", false);
      await passing(clock, () => told(1));
      await (await queues.open(FROM)).remove("shop~new");
      const dueAtMs = Date.now() + 60_000;
      await retries?.moveToDelayed(dueAtMs, "token");
      const totals = await driven(clock, running);
      expect(totals).toMatchObject({ moved: 1, remaining: 0 });
      expect(totals.left).toEqual({});
      expect(await redis.zscore(`${prefix}:${TO}:delayed`, "shop~waiting-2")).toBe(String(dueAtMs * 0x1000));
      await worker.close();
    },
  );
});

describe("a migration that is cut short", () => {
  redisTest(
    "at any step, before or after it, is completed by the next, and no job is lost or doubled",
    async ({ redis, prefix }) => {
      // 16 jobs at 50 a second: batches of 5, from waiting, prioritised and delayed, make 4 steps at most.
      for (const cut of [1, 2, 3, 4].flatMap((step) => [
        { step, after: false },
        { step, after: true },
      ])) {
        const own = `${prefix}-${cut.step}-${cut.after ? "after" : "before"}`;
        const queues = await fill(redis, own);
        const before = await jobsIn(redis, own, FROM);
        const dying = dyingAt(queues, cut);
        await expect(migrate({ redis, prefix: own, queues: dying }, 50)).rejects.toThrow("killed");
        const halfway = { ...(await jobsIn(redis, own, FROM)), ...(await jobsIn(redis, own, TO)) };
        expect(Object.keys(halfway).toSorted()).toEqual(IDS.toSorted());
        expect(await migrate({ redis, prefix: own, queues }, 50)).toMatchObject({ remaining: 0, known: 0 });
        expect(await jobsIn(redis, own, TO)).toEqual(upcast(before));
        expect(await jobsIn(redis, own, FROM)).toEqual({});
      }
    },
  );

  redisTest("by a stop ends after the batch in hand, and tells what remains", async ({ redis, prefix }) => {
    const queues = await fill(redis, prefix);
    const clock = new FakeClock();
    const stop = new AbortController();
    const stopping: MigrationOptions["queues"] = {
      restingIds: (...args) => queues.restingIds(...args),
      read: (...args) => queues.read(...args),
      move: (way, moves) => {
        stop.abort();
        return queues.move(way, moves);
      },
    };
    const { migration } = migrationOf({ redis, prefix, queues: stopping }, 20, clock);
    // 20 jobs a second: batches of 2.
    expect(await driven(clock, migration.run(stop.signal))).toMatchObject({ moved: 2, remaining: 14 });
    expect(clock.waiting).toBe(0);
  });
});

/** Queues that fail at one call that moves jobs, before it has reached Redis or after it has. */
function dyingAt(queues: LaneQueues, cut: { step: number; after: boolean }): MigrationOptions["queues"] {
  let step = 0;
  return {
    restingIds: (...args) => queues.restingIds(...args),
    read: (...args) => queues.read(...args),
    move: async (way, moves) => {
      if (moves.length === 0) return [];
      step += 1;
      if (step === cut.step && !cut.after) throw new Error("killed");
      const outcomes = await queues.move(way, moves);
      if (step === cut.step) throw new Error("killed");
      return outcomes;
    },
  };
}

describe("lanes that are worked while one is emptied", () => {
  redisTest("run each job once", async ({ redis, prefix }) => {
    const ids = Array.from({ length: 300 }, (_, n) => `shop~waiting-${n}`);
    const queues = await fill(redis, prefix, ids);
    const runs: string[] = [];
    const workers = [FROM, TO].map(
      (lane) =>
        new Worker(
          lane,
          async (job) => {
            runs.push(`${job.id}`);
          },
          { connection: redis, prefix, concurrency: 2 },
        ),
    );
    const totals = await migrate({ redis, prefix, queues });
    expect(totals.remaining).toBe(0);
    await expect.poll(() => runs.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(ids.length);
    expect(runs.toSorted()).toEqual(ids.toSorted());
    await Promise.all(workers.map((worker) => worker.close()));
  });
});

describe("a job whose worker was lost", () => {
  redisTest(
    "waits again in a lane that has no worker left",
    { timeout: 30_000 },
    async ({ redis, prefix }) => {
      await fill(redis, prefix, ["shop~waiting-1"]);
      const lost = new Worker(FROM, null, { connection: redis, prefix, lockDuration: 1 });
      await lost.getNextJob("token");
      await lost.close();
      const redelivered: string[] = [];
      const leases = new LeaseCheck({
        redis,
        prefix,
        lane: FROM,
        onRedelivered: (jobId) => redelivered.push(jobId),
        onError: () => undefined,
      });
      await leases.start();
      // Two checks, 5 s apart: the first only marks what is in flight.
      await expect.poll(() => redelivered, { timeout: 15_000 }).toEqual(["shop~waiting-1"]);
      expect(await redis.lrange(`${prefix}:${FROM}:wait`, 0, -1)).toEqual(["shop~waiting-1"]);
      await leases.stop();
    },
  );
});
