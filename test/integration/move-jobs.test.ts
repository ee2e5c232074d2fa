/** Moving a job from one queue into another: what is left where, and that it is one step. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { DelayedError, type Job, type JobsOptions, Queue, Worker } from "bullmq";
import type { Redis } from "ioredis";
import { describe, expect } from "vitest";
import { EMPTY_RECORD, type JobRecord } from "#shared/job-record";
import { JobReader } from "#shared/redis/job-reader";
import { LaneQueues } from "#shared/redis/lane-queues";
import type { JobMove } from "#shared/redis/move-jobs";
import { addJob } from "#test/support/add-job";
import { everyKeyOf } from "#test/support/queue-keys";
import { redisTest } from "#test/support/redis-test";
import { stackTest } from "#test/support/stack";
import { idOf, registryOf } from "#test/support/stored-jobs";

const FROM = "shop.r1";
const TO = "shop.r2";
const KEPT = { from: FROM, to: TO, due: "kept" } as const;
const NOW = { from: FROM, to: "shop.dead", due: "now" } as const;

const acceptedAtMs = 1_700_000_000_000;

/** One job for each way in which BullMQ keeps one that rests; the two priorities are equal, so their order tells. */
const resting: Readonly<Record<string, JobsOptions>> = {
  waiting: {},
  "waiting-2": {},
  prioritised: { priority: 7 },
  "prioritised-2": { priority: 7 },
  scheduled: { delay: 60_000 },
  "scheduled-2": { delay: 30_000 },
  "scheduled-with-priority": { delay: 90_000, priority: 3 },
};

function move(id: string, changes: Partial<JobMove> = {}): JobMove {
  return { jobId: `shop~${id}`, lease: null, dataSha1: null, dataText: null, record: null, ...changes };
}

async function queueOf(redis: Redis, prefix: string, name: string): Promise<Queue> {
  const queue = new Queue(name, { connection: redis, prefix, streams: { events: { maxLen: 1_000 } } });
  await queue.waitUntilReady();
  return queue;
}

async function addAll(queue: Queue, data: object): Promise<void> {
  for (const [id, options] of Object.entries(resting)) {
    await queue.add("receipt.render", data, { ...options, jobId: `shop~${id}`, timestamp: acceptedAtMs });
  }
}

/** Makes a queue one of which no worker is to be woken, or leaves it as it is. */
async function prepare(redis: Redis, queue: Queue, kind: "open" | "paused" | "full"): Promise<void> {
  if (kind === "paused") await queue.pause();
  if (kind !== "full") return;
  await queue.setGlobalConcurrency(1);
  await redis.lpush(queue.toKey("active"), "shop~running");
}

describe("a job that waits or is scheduled", () => {
  redisTest.for(["open", "paused", "full"] as const)(
    "is moved to a queue that is %s as if BullMQ had added it there and removed it here",
    async (kind, { redis, prefix }) => {
      const data = { n: 1, text: "Zoë 🎈" };
      await addAll(await queueOf(redis, prefix, FROM), data);
      const added = await queueOf(redis, prefix, "added.r1");
      await prepare(redis, added, kind);
      await addAll(added, data);
      const removed = await queueOf(redis, prefix, "removed.r1");
      await addAll(removed, data);
      for (const id of Object.keys(resting)) await removed.remove(`shop~${id}`);

      await prepare(redis, await queueOf(redis, prefix, TO), kind);
      const queues = new LaneQueues(redis, prefix);
      const moves = Object.keys(resting).map((id) => move(id));
      expect(await queues.move(KEPT, moves)).toEqual(moves.map(() => "moved"));
      expect(await everyKeyOf(redis, `${prefix}:${TO}:`)).toEqual(
        await everyKeyOf(redis, `${prefix}:added.r1:`),
      );
      expect(await everyKeyOf(redis, `${prefix}:${FROM}:`)).toEqual(
        await everyKeyOf(redis, `${prefix}:removed.r1:`),
      );
    },
  );

  redisTest("is due at once where it shall be, whatever it was", async ({ redis, prefix }) => {
    await addAll(await queueOf(redis, prefix, FROM), {});
    const expected = await queueOf(redis, prefix, "expected.r1");
    for (const [id, { priority }] of Object.entries(resting)) {
      const options = { jobId: `shop~${id}`, timestamp: acceptedAtMs, ...(priority ? { priority } : {}) };
      await expected.add("receipt.render", {}, options);
    }
    const queues = new LaneQueues(redis, prefix);
    await queues.move(
      NOW,
      Object.keys(resting).map((id) => move(id)),
    );
    const { wait, prioritized, delayed, marker, events } = await everyKeyOf(redis, `${prefix}:shop.dead:`);
    const { delayed: _none, ...theirs } = await everyKeyOf(redis, `${prefix}:expected.r1:`);
    expect(delayed).toBeUndefined();
    expect({ wait, prioritized, marker, events }).toEqual({
      wait: theirs.wait,
      prioritized: theirs.prioritized,
      marker: theirs.marker,
      events: theirs.events,
    });
    expect(await redis.hget(`${prefix}:shop.dead:shop~scheduled`, "delay")).toBe("0");
  });

  redisTest("takes new data and a new record along, and nothing else changes", async ({ redis, prefix }) => {
    const source = await queueOf(redis, prefix, FROM);
    await addAll(source, { n: 1 });
    const before = await redis.hgetall(`${prefix}:${FROM}:shop~scheduled`);
    const record: JobRecord = { ...EMPTY_RECORD, failures: 2 };
    const queues = new LaneQueues(redis, prefix);
    await queues.move(KEPT, [move("scheduled", { dataText: '{"n":2}', record })]);
    expect(await redis.hgetall(`${prefix}:${TO}:shop~scheduled`)).toEqual({
      ...before,
      data: '{"n":2}',
      progress: JSON.stringify(record),
    });
  });

  redisTest("keeps its order and its due time among thousands", async ({ redis, prefix }) => {
    const queues = new LaneQueues(redis, prefix);
    const ids = Array.from({ length: 1_234 }, (_, n) => `${n}`);
    const job = { name: "receipt.render", dataText: "{}", acceptedAtMs: Date.now() };
    await Promise.all(ids.map((id) => addJob(queues, FROM, { ...job, jobId: `shop~${id}`, delayMs: 0 })));
    // All due in the same millisecond: then BullMQ keeps their order in the score.
    await Promise.all(
      ids.map((id) => addJob(queues, FROM, { ...job, jobId: `shop~d${id}`, delayMs: 60_000 })),
    );
    const scheduled = await redis.zrange(`${prefix}:${FROM}:delayed`, "0", "-1", "WITHSCORES");

    const waiting = await queues.restingIds(FROM, "wait", { skip: 0, max: 5_000 });
    expect(waiting).toEqual(ids.map((id) => `shop~${id}`));
    const all = [...ids, ...ids.map((id) => `d${id}`)].map((id) => move(id));
    expect(new Set(await queues.move(KEPT, all))).toEqual(new Set(["moved"]));
    expect(await queues.restingIds(TO, "wait", { skip: 0, max: 5_000 })).toEqual(waiting);
    expect(await redis.zrange(`${prefix}:${TO}:delayed`, "0", "-1", "WITHSCORES")).toEqual(scheduled);
  });
});

describe("a job that has been started", () => {
  redisTest("takes its starts, its crashes and its due time along", async ({ redis, prefix }) => {
    const source = await queueOf(redis, prefix, FROM);
    await source.add("receipt.render", {}, { jobId: "shop~1", attempts: 9, backoff: 60_000 });
    await inWorker(redis, prefix, async (job) => {
      await job.updateProgress({ ...EMPTY_RECORD, failures: 1 });
      throw new Error("no paper");
    });
    const key = `${prefix}:${FROM}:shop~1`;
    await redis.hset(key, "stc", "2");
    await (await source.getJob("shop~1"))?.log("one line");
    const before = await redis.hgetall(key);
    const score = await redis.zscore(`${prefix}:${FROM}:delayed`, "shop~1");
    expect(before).toMatchObject({ ats: "1", atm: "1", failedReason: "no paper" });

    const queues = new LaneQueues(redis, prefix);
    expect(await queues.move(KEPT, [move("1")])).toEqual(["moved"]);
    expect(await redis.hgetall(`${prefix}:${TO}:shop~1`)).toEqual(before);
    expect(await redis.lrange(`${prefix}:${TO}:shop~1:logs`, 0, -1)).toEqual(["one line"]);
    expect(await redis.zscore(`${prefix}:${TO}:delayed`, "shop~1")).toBe(score);
    expect(await redis.exists(key)).toBe(0);
  });

  redisTest(
    "is moved by whoever holds its lease, and BullMQ has nothing left to settle",
    async ({ redis, prefix }) => {
      const source = await queueOf(redis, prefix, FROM);
      await source.add("receipt.render", {}, { jobId: "shop~1" });
      const queues = new LaneQueues(redis, prefix);
      const outcomes: unknown[] = [];
      await inWorker(redis, prefix, async (_job, token) => {
        await redis.sadd(`${prefix}:${FROM}:stalled`, "shop~1");
        outcomes.push(await queues.move(NOW, [move("1", { lease: "another" })]));
        outcomes.push(await queues.move(NOW, [move("1", { lease: token, record: EMPTY_RECORD })]));
      });
      expect(outcomes).toEqual([["not-moved"], ["moved"]]);
      const left = Object.keys(await everyKeyOf(redis, `${prefix}:${FROM}:`));
      // The worker's own checks; nothing of the job.
      expect(left.filter((name) => name !== "stalled-check").toSorted()).toEqual([
        "events",
        "id",
        "marker",
        "meta",
      ]);
      expect(await redis.hget(`${prefix}:shop.dead:shop~1`, "ats")).toBe("1");
      expect(await redis.lrange(`${prefix}:shop.dead:wait`, 0, -1)).toEqual(["shop~1"]);
    },
  );
});

/** Runs the source's one job and waits until the worker is done with it. */
async function inWorker(
  redis: Redis,
  prefix: string,
  run: (job: Job, token: string) => Promise<unknown>,
): Promise<void> {
  const taken = new Promise<Worker>((resolve) => {
    const worker = new Worker(
      FROM,
      async (job, token) => {
        resolve(worker);
        await run(job, token ?? "");
        // BullMQ's word for: settled already.
        throw new DelayedError();
      },
      { connection: redis, prefix },
    );
    worker.on("error", () => undefined);
  });
  // Waits until what was taken is settled.
  await (await taken).close();
}

describe("a job is not moved, and nothing is written,", () => {
  redisTest("unless it rests with the data that was decided on", async ({ redis, prefix }) => {
    const source = await queueOf(redis, prefix, FROM);
    const add = (id: string) => source.add("receipt.render", { n: 1 }, { jobId: `shop~${id}` });
    await add("active");
    const worker = new Worker(FROM, null, { connection: redis, prefix });
    await worker.getNextJob("token");
    await add("done");
    const done = await worker.getNextJob("token");
    await done?.moveToCompleted("result", "token", false);
    await add("changed");
    // BullMQ's own remove leaves such a job alone as well.
    await add("leased");
    await redis.set(`${prefix}:${FROM}:shop~leased:lock`, "token");
    const queues = new LaneQueues(redis, prefix);
    await queues.open(TO);
    const before = [
      await everyKeyOf(redis, `${prefix}:${FROM}:`),
      await everyKeyOf(redis, `${prefix}:${TO}:`),
    ];

    const moves = [
      move("active"),
      move("done"),
      move("gone"),
      move("leased"),
      move("changed", { dataSha1: sha1('{"n":2}') }),
    ];
    expect(await queues.move(KEPT, moves)).toEqual(moves.map(() => "not-moved"));
    const after = [
      await everyKeyOf(redis, `${prefix}:${FROM}:`),
      await everyKeyOf(redis, `${prefix}:${TO}:`),
    ];
    expect(after).toEqual(before);
    expect(await queues.move(KEPT, [move("changed", { dataSha1: sha1('{"n":1}') })])).toEqual(["moved"]);
    await worker.close();
  });
});

function sha1(text: string): string {
  return createHash("sha1").update(text).digest("hex");
}

describe("a job whose id the target knows", () => {
  const job = { jobId: "shop~1", name: "receipt.render", acceptedAtMs, delayMs: 0 };

  redisTest("is not run twice: the target keeps its own, finished or not", async ({ redis, prefix }) => {
    const queues = new LaneQueues(redis, prefix);
    for (const finished of [true, false]) {
      await redis.del(...(await redis.keys(`${prefix}:${TO}:*`)), "nothing");
      await addJob(queues, TO, { ...job, dataText: '{"n":"target"}' });
      if (finished) {
        const worker = new Worker(TO, null, { connection: redis, prefix });
        await (await worker.getNextJob("token"))?.moveToCompleted("result", "token", false);
        await worker.close();
      }
      await addJob(queues, FROM, { ...job, dataText: '{"n":"source"}' });
      const before = await redis.hgetall(`${prefix}:${TO}:shop~1`);

      expect(await queues.move(KEPT, [move("1", { dataText: "{}", record: EMPTY_RECORD })])).toEqual([
        "known",
      ]);
      expect(await redis.hgetall(`${prefix}:${TO}:shop~1`)).toEqual(before);
      expect(await redis.exists(`${prefix}:${FROM}:shop~1`)).toBe(0);
      expect(await redis.llen(`${prefix}:${FROM}:wait`)).toBe(0);
      expect(await redis.llen(`${prefix}:${TO}:wait`)).toBe(finished ? 0 : 1);
    }
  });

  redisTest(
    "leaves its starts to it, so that no later start has a lower number",
    async ({ redis, prefix }) => {
      for (const [source, target, expected] of [
        ["5", "2", "5"],
        ["2", "5", "5"],
      ] as const) {
        const queues = new LaneQueues(redis, prefix);
        for (const [place, starts] of [
          [FROM, source],
          [TO, target],
        ] as const) {
          await addJob(queues, place, { ...job, dataText: "{}" });
          await redis.hset(`${prefix}:${place}:shop~1`, "ats", starts);
        }
        await queues.move(KEPT, [move("1")]);
        expect(await redis.hget(`${prefix}:${TO}:shop~1`, "ats")).toBe(expected);
      }
    },
  );
});

describe("movers and readers at once", () => {
  const ids = Array.from({ length: 150 }, (_, n) => `${n}`);

  redisTest("move each job once", async ({ redis, prefix }) => {
    const others = [await anotherOf(redis), await anotherOf(redis)];
    const movers = [redis, ...others].map((it) => new LaneQueues(it, prefix));
    const [first] = movers;
    const job = { name: "receipt.render", dataText: "{}", acceptedAtMs, delayMs: 0 };
    await Promise.all(ids.map((id) => addJob(first as LaneQueues, FROM, { ...job, jobId: `shop~${id}` })));
    const outcomes = await Promise.all(
      movers.flatMap((mover) => ids.map((id) => mover.move(KEPT, [move(id)]))),
    );
    expect(outcomes.flat().filter((it) => it === "moved")).toHaveLength(ids.length);
    expect((await redis.lrange(`${prefix}:${TO}:wait`, 0, -1)).toSorted()).toEqual(
      ids.map((id) => `shop~${id}`).toSorted(),
    );
    for (const other of others) other.disconnect();
  });

  redisTest("find a job at every moment, in one place", async ({ redis, prefix }) => {
    const mover = new LaneQueues(redis, prefix);
    const other = await anotherOf(redis);
    const reader = new JobReader(other, prefix, () => registryOf("shop", 2));
    const job = { name: "receipt.render", dataText: "{}", acceptedAtMs, delayMs: 60_000 };
    const places = new Set<string>();
    for (const jobId of ids.map((id) => idOf("shop", String(id)))) {
      await addJob(mover, FROM, { ...job, jobId });
      const looks = Array.from({ length: 8 }, () => reader.find(jobId));
      const [found] = await Promise.all([Promise.all(looks), mover.move(KEPT, [move("", { jobId })])]);
      for (const it of found) {
        expect(it?.state).toBe("scheduled");
        places.add(it?.lane ?? "");
      }
    }
    // Else no look was made while a job moved, and the test has shown nothing.
    expect(places).toEqual(new Set([FROM, TO]));
    other.disconnect();
  });
});

async function anotherOf(redis: Redis): Promise<Redis> {
  const other = redis.duplicate();
  await once(other, "ready");
  return other;
}

describe("a full Redis", () => {
  stackTest("does not stop a move, which takes no more than it gives back", async ({ stack }) => {
    const queues = new LaneQueues(stack.redis, "sluice");
    await stack.redis.ping();
    const job = {
      name: "receipt.render",
      dataText: JSON.stringify({ text: "x".repeat(10_000) }),
      acceptedAtMs,
    };
    for (const [id, delayMs] of [
      ["1", 0],
      ["2", 60_000],
    ] as const) {
      await addJob(queues, FROM, { ...job, jobId: `shop~${id}`, delayMs });
    }
    await queues.open(TO);
    await stack.redis.config("SET", "maxmemory", "1");
    await expect(addJob(queues, FROM, { ...job, jobId: "shop~3", delayMs: 0 })).rejects.toThrow(
      "out of memory",
    );
    expect(await queues.move(KEPT, [move("1"), move("2")])).toEqual(["moved", "moved"]);
    await stack.redis.config("SET", "maxmemory", "512mb");
    expect(await stack.redis.llen(`sluice:${TO}:wait`)).toBe(1);
    expect(await stack.redis.zcard(`sluice:${TO}:delayed`)).toBe(1);
  });
});
