/** Many at once: bounds that hold, duplicates that are one job, gates that move in between. Real Redis. */
import { once } from "node:events";
import type { Redis } from "ioredis";
import { describe, expect } from "vitest";
import { Enqueuing } from "#shared/enqueue/enqueuing";
import type { JobRequest } from "#shared/envelope";
import { laneName } from "#shared/lane";
import { DEFAULT_QUEUE_LIMITS } from "#shared/limits/limits-document";
import { keysOf } from "#shared/redis/keys";
import { LaneQueues } from "#shared/redis/lane-queues";
import { LimitsStore } from "#shared/redis/limits-store";
import { moveGate, publishRelease } from "#shared/redis/registry-store";
import type { ReleaseDescriptor } from "#shared/registry/registry-document";
import { systemClock } from "#shared/system-clock";
import { roomyTerms } from "#test/support/add-job";
import { jobAsking, jobsIn, kindsOf } from "#test/support/admission-builder";
import { redisTest } from "#test/support/redis-test";

const policy = {
  attempts: 5,
  timeoutMs: 60_000,
  backoff: { baseMs: 1_000, maxMs: 60_000 },
  excess: "reject" as const,
};

/** `shop.task` with two versions, of which the second breaks the first. */
const release: ReleaseDescriptor = {
  release: "shop-v2",
  app: "shop",
  types: [
    {
      type: "shop.task",
      queue: "shop",
      policy,
      versions: [1, 2].map((version) => ({
        version,
        minReaderVersion: version,
        schema: { type: "object", properties: { n: { type: "integer" } }, required: ["n"] },
      })),
    },
  ],
};

const request = (schemaversion = 1): JobRequest => ({ type: "shop.task", schemaversion, data: { n: 1 } });
const by = { tenant: "acme" };

/** An API process of its own, as far as enqueuing goes. */
async function process(redis: Redis, prefix: string): Promise<Enqueuing> {
  const enqueuing = new Enqueuing({ redis, keys: keysOf(prefix), clock: systemClock });
  await enqueuing.look();
  return enqueuing;
}

async function publish(redis: Redis, prefix: string): Promise<void> {
  const published = { at: "2026-01-31T12:00:00.000Z", by: "ana" };
  const first = {
    ...release,
    release: "shop-v1",
    types: release.types.map((it) => ({ ...it, versions: it.versions.slice(0, 1) })),
  };
  for (const descriptor of [first, release])
    await publishRelease(redis, keysOf(prefix), { descriptor, ...published });
}

function raiseGate(redis: Redis, prefix: string, version: number) {
  return moveGate(redis, keysOf(prefix), {
    request: { type: "shop.task", version, expected: null, force: true, sunset: null },
    readiness: { readerSlots: 0, loadSlots: null },
    change: { at: "2026-01-31T13:00:00.000Z", by: "ana", why: "tested" },
  });
}

async function jobsOfShop(redis: Redis, prefix: string): Promise<string[]> {
  const lanes = await Promise.all([1, 2].map((it) => jobsIn(redis, prefix, laneName("shop", it))));
  return lanes.flat();
}

describe("500 jobs at once for three lanes of two queues with room for 100 each", () => {
  redisTest("never go over it, and fill it", async ({ redis, prefix }) => {
    // Two processes, each with connection and batches of its own.
    const other = redis.duplicate();
    await once(other, "ready");
    const doors = [redis, other].map((it) => new LaneQueues(it, prefix));
    const shop = roomyTerms("shop.r1", { queue: "shop", lanes: ["shop.r1", "shop.r2"], depthMax: 100 });
    const kinds = [
      shop,
      { ...shop, place: "shop.r2" },
      roomyTerms("mail.r1", { queue: "mail", depthMax: 100 }),
    ];
    const outcomes = await Promise.all(
      Array.from({ length: 500 }, (_, n) => {
        const terms = kinds[n % 3] ?? shop;
        return doors[n % 2]?.admit(jobAsking(`${n}`, { terms })) ?? Promise.reject(new Error("no door"));
      }),
    );
    const created = outcomes.filter((it) => it.kind === "created").length;
    expect(created).toBe(200);
    expect(kindsOf(outcomes).filter((it) => it === "backlog")).toHaveLength(300);
    const waiting = await Promise.all(
      ["shop.r1", "shop.r2", "mail.r1"].map((lane) => redis.llen(`${prefix}:${lane}:wait`)),
    );
    expect([(waiting[0] ?? 0) + (waiting[1] ?? 0), waiting[2]]).toEqual([100, 100]);
    for (const door of doors) door.close();
    other.disconnect();
  });
});

describe("50 requests at once with the same key", () => {
  redisTest("are one job, and all are told its id", async ({ redis, prefix }) => {
    await publish(redis, prefix);
    const one = await process(redis, prefix);
    for (let round = 0; round < 10; round += 1) {
      const terms = { ...by, idempotencyKey: `k${round}` };
      const answers = await Promise.all(
        Array.from({ length: 50 }, () => one.enqueuer.enqueue(request(), terms)),
      );
      expect(new Set(answers.map((it) => it.job.id)).size).toBe(1);
      expect(answers.filter((it) => it.outcome === "created")).toHaveLength(1);
    }
    expect(await jobsOfShop(redis, prefix)).toHaveLength(10);
    one.close();
  });

  redisTest("are one job while the gate moves under processes with old copies", async ({ redis, prefix }) => {
    await publish(redis, prefix);
    await raiseGate(redis, prefix, 1);
    const other = redis.duplicate();
    for (let round = 0; round < 20; round += 1) {
      const doors = [await process(redis, prefix), await process(other, prefix)];
      const keyed = { ...by, idempotencyKey: `k${round}` };
      const named = { ...request(), id: `n${round}`, source: "/shop" };
      const ask = (n: number) => {
        const door = doors[n % 2] ?? doors[0];
        return n % 4 < 2 ? door?.enqueuer.enqueue(request(), keyed) : door?.enqueuer.enqueue(named, by);
      };
      const early = Array.from({ length: 25 }, (_, n) => ask(n));
      const moved = await raiseGate(redis, prefix, round % 2 === 0 ? 2 : 1);
      expect(moved.kind).toBe("moved");
      const late = Array.from({ length: 25 }, (_, n) => ask(n));
      const answers = await Promise.all([...early, ...late]);
      const ids = new Set(answers.map((it) => it?.job.id));
      expect(ids.size).toBe(2);
      expect((await jobsOfShop(redis, prefix)).filter((id) => ids.has(id))).toHaveLength(2);
      expect(answers.filter((it) => it?.outcome === "created")).toHaveLength(2);
      for (const door of doors) door.close();
    }
    other.disconnect();
  });
});

describe("a process", () => {
  redisTest(
    "that learns from Redis that its registry is old routes again by the newest",
    async ({ redis, prefix }) => {
      await publish(redis, prefix);
      const one = await process(redis, prefix);
      await expect(one.enqueuer.enqueue(request(2), by)).rejects.toMatchObject({
        code: "VERSION_NOT_ACTIVE",
      });
      await raiseGate(redis, prefix, 2);
      expect(one.registry.document.revision).toBe(2);
      // A version 1 job that is routed by the old copy is refused as stale, and brings the new one.
      const answer = await one.enqueuer.enqueue(request(1), by);
      expect([answer.outcome, one.registry.document.revision]).toEqual(["created", 3]);
      expect(answer.superseded).not.toBeNull();
      expect((await one.enqueuer.enqueue(request(2), by)).outcome).toBe("created");
      expect(await jobsIn(redis, prefix, "shop.r2")).toHaveLength(1);
      one.close();
    },
  );

  redisTest("answers a repeat of a version that is not taken any more", async ({ redis, prefix }) => {
    await publish(redis, prefix);
    await raiseGate(redis, prefix, 2);
    const one = await process(redis, prefix);
    const keyed = { ...by, idempotencyKey: "k" };
    const first = await one.enqueuer.enqueue(request(2), keyed);
    await raiseGate(redis, prefix, 1);
    const again = await one.enqueuer.enqueue(request(2), keyed);
    expect([again.outcome, again.job.id]).toEqual(["replayed", first.job.id]);
    const fresh = { ...by, idempotencyKey: "k2" };
    await expect(one.enqueuer.enqueue(request(2), fresh)).rejects.toMatchObject({
      code: "VERSION_NOT_ACTIVE",
    });
    one.close();
  });

  redisTest("holds to the limits document as soon as it is read", async ({ redis, prefix }) => {
    await publish(redis, prefix);
    const store = new LimitsStore(redis, keysOf(prefix));
    // 90 % of 10 for a job of normal priority.
    const shop = { ...DEFAULT_QUEUE_LIMITS, depthMax: 10, priorities: true };
    await store.publishBase({ queues: { shop }, throttles: [] }, systemClock.nowMs());
    const one = await process(redis, prefix);
    const results = await one.enqueuer.enqueueMany(
      Array.from({ length: 12 }, () => request()),
      () => by,
      false,
    );
    expect(results.filter((it) => "answer" in it)).toHaveLength(9);
    expect(results.at(-1)).toMatchObject({ error: { code: "BACKLOG_FULL", retryAfterMs: 2_000 } });
    const critical = await one.enqueuer.enqueue({ ...request(), priority: "critical" }, by);
    expect(critical.outcome).toBe("created");
    expect(await redis.zcard(`${prefix}:shop.r1:prioritized`)).toBe(10);
    one.close();
  });
});
