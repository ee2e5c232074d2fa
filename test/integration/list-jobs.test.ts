/** Lists: complete and without repeats while everything changes, own jobs only, and bounded in what they cost. */
import { Queue, Worker } from "bullmq";
import fc from "fast-check";
import type { Redis } from "ioredis";
import { describe, expect } from "vitest";
import type { JobState } from "#shared/job-state";
import { type JobItem, JobLister, type ListPosition } from "#shared/redis/job-list";
import { keysOf } from "#shared/redis/keys";
import { EXAMINED_MAX } from "#shared/redis/list-script";
import type { RegistryDocument } from "#shared/registry/registry-document";
import { commandsDuring } from "#test/support/count-commands";
import { redisTest } from "#test/support/redis-test";
import { stackTest } from "#test/support/stack";
import { idOf, registryOf, stored } from "#test/support/stored-jobs";

const startMs = 1_700_000_000_000;

interface Asked {
  readonly state?: JobState;
  readonly type?: string;
  readonly tenant?: string;
  readonly limit?: number;
}

class Lists {
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly lister: JobLister;

  constructor(redis: Redis, prefix: string, document: RegistryDocument) {
    this.#redis = redis;
    this.#prefix = prefix;
    this.lister = new JobLister({ redis, keys: keysOf(prefix), registry: () => document });
  }

  page({ state, type, tenant = "default", limit = 50 }: Asked, position: ListPosition | null = null) {
    return this.lister.list({ tenant, state: state ?? null, type: type ?? null, limit, position });
  }

  /** Every page, with `between` in between. */
  async all(asked: Asked, between: (page: number) => Promise<unknown> = async () => undefined) {
    const jobs: JobItem[] = [];
    let position: ListPosition | null = null;
    for (let page = 1; ; page += 1) {
      const answer = await this.page(asked, position);
      jobs.push(...answer.jobs);
      if (answer.next === null) return { jobs, pages: page };
      position = answer.next;
      await between(page);
    }
  }

  /** A job in the open set and in `place`, accepted at `atMs`. */
  async open(
    place: string,
    name: string,
    { atMs = startMs, options = {}, tenant = "default", type = "receipt.render" } = {},
  ) {
    const queue = place.split(".")[0] ?? "";
    const id = idOf(queue, name);
    const added = new Queue(place, { connection: this.#redis, prefix: this.#prefix });
    await added.add(type, JSON.parse(stored({}, { tenant })), { jobId: id, timestamp: atMs, ...options });
    await this.#redis.zadd(keysOf(this.#prefix).open(queue, tenant), atMs, id);
    return id;
  }

  /** Finished jobs as they lie in a lane, oldest first, one a millisecond. */
  async finished(
    place: string,
    names: readonly string[],
    { set = "completed", tenant = "default", outcome = "succeeded", atMs = startMs } = {},
  ) {
    const key = `${this.#prefix}:${place}:`;
    const pipeline = this.#redis.pipeline();
    names.forEach((name, n) => {
      const id = idOf("shop", name);
      pipeline.hset(`${key}${id}`, {
        name: "receipt.render",
        data: stored({}, { tenant }),
        timestamp: String(atMs),
        processedOn: String(atMs),
        finishedOn: String(atMs + n),
        ...(set === "completed" && { returnvalue: `{"outcome":"${outcome}","release":"v1"}` }),
      });
      pipeline.zadd(`${key}${set}`, atMs + n, id);
    });
    await pipeline.exec();
  }
}

const idsOf = (jobs: readonly JobItem[]) => jobs.map((job) => job.id);

describe("jobs that have not ended", () => {
  redisTest("come newest first over all queues, each with where it is", async ({ redis, prefix }) => {
    const document = {
      ...registryOf("shop", 2),
      queues: { ...registryOf("shop", 2).queues, ...registryOf("bakery", 1).queues },
    };
    const lists = new Lists(redis, prefix, document as RegistryDocument);
    await lists.open("shop.r1", "waiting", { atMs: startMs + 4 });
    await lists.open("bakery.r1", "due", { atMs: startMs + 3, options: { delay: 60_000 } });
    await lists.open("shop.parked", "parked", { atMs: startMs + 2 });
    await lists.open("shop.r2", "taken", { atMs: startMs + 1 });
    const worker = new Worker("shop.r2", null, { connection: redis, prefix });
    await worker.getNextJob("lease");
    const { jobs, next } = await lists.page({});
    expect(next).toBeNull();
    expect(jobs.map(({ id, state, lane, queue }) => [id, state, lane, queue])).toEqual([
      [idOf("shop", "waiting"), "waiting", "shop.r1", "shop"],
      [idOf("bakery", "due"), "scheduled", "bakery.r1", "bakery"],
      [idOf("shop", "parked"), "parked", null, "shop"],
      [idOf("shop", "taken"), "running", "shop.r2", "shop"],
    ]);
    expect(jobs[1]).toEqual({
      id: idOf("bakery", "due"),
      type: "receipt.render",
      state: "scheduled",
      queue: "bakery",
      lane: "bakery.r1",
      schemaversion: 1,
      acceptedAt: "2023-11-14T22:13:20.003Z",
      // A minute after it was accepted.
      dueAt: "2023-11-14T22:14:20.003Z",
      startedAt: null,
      finishedAt: null,
      attempts: { failed: 0 },
    });
    for (const [state, name] of [
      ["waiting", "waiting"],
      ["parked", "parked"],
      ["running", "taken"],
    ] as const) {
      expect(idsOf((await lists.page({ state })).jobs)).toEqual([idOf("shop", name)]);
    }
    await worker.close();
  });

  redisTest("leave the open set in passing when they have ended or are gone", async ({ redis, prefix }) => {
    const lists = new Lists(redis, prefix, registryOf("shop", 1));
    await redis.set(`${prefix}:registry:revision`, "1");
    const keep = await lists.open("shop.r1", "keep");
    const ended = idOf("shop", "ended");
    await lists.finished("shop.r1", ["ended"]);
    const open = keysOf(prefix).open("shop", "default");
    await redis.zadd(open, startMs, ended, startMs, idOf("shop", "gone"));
    expect(idsOf((await lists.page({})).jobs)).toEqual([keep]);
    expect(await redis.zrange(open, "0", "-1")).toEqual([keep]);
  });

  redisTest("stay in it while the registry is another than this process knows", async ({ redis, prefix }) => {
    const lists = new Lists(redis, prefix, registryOf("shop", 1));
    await redis.set(`${prefix}:registry:revision`, "2");
    // In a lane that only the newer registry names.
    const id = await lists.open("shop.r2", "1");
    expect((await lists.page({})).jobs).toEqual([]);
    expect(await redis.zrange(keysOf(prefix).open("shop", "default"), "0", "-1")).toEqual([id]);
  });

  redisTest("are all shown once, page by page, while others come and go", async ({ redis, prefix }) => {
    const lists = new Lists(redis, prefix, registryOf("shop", 1));
    await redis.set(`${prefix}:registry:revision`, "1");
    const lane = new Queue("shop.r1", { connection: redis, prefix });
    // Many in the same millisecond: then their ids are their order.
    const stay = await Promise.all(
      Array.from({ length: 120 }, (_, n) =>
        lists.open("shop.r1", `stay ${n}`, { atMs: startMs + Math.floor(n / 40) }),
      ),
    );
    const leave = await Promise.all(
      Array.from({ length: 120 }, (_, n) =>
        lists.open("shop.r1", `leave ${n}`, { atMs: startMs + Math.floor(n / 40) }),
      ),
    );
    const { jobs, pages } = await lists.all({ limit: 7 }, async (page) => {
      // Two of what was shown or will be go; two new ones come, one of them older than where the list is.
      for (const id of leave.splice(0, 2)) await lane.remove(id);
      await lists.open("shop.r1", `new ${page}`, { atMs: startMs + 10_000 });
      await lists.open("shop.r1", `late ${page}`, { atMs: startMs + 1 });
    });
    const shown = idsOf(jobs);
    expect(new Set(shown).size).toBe(shown.length);
    expect(stay.filter((id) => !shown.includes(id))).toEqual([]);
    expect(pages).toBeGreaterThan(17);
  });

  redisTest("of one moment are all shown once over several queues", async ({ redis, prefix }) => {
    const [shop, bakery] = [registryOf("shop", 1), registryOf("bakery", 1)];
    const document = { ...shop, queues: { ...bakery.queues, ...shop.queues } };
    const lists = new Lists(redis, prefix, document);
    const names = Array.from({ length: 20 }, (_, n) => `${n}`);
    const ids = await Promise.all(
      ["shop", "bakery"].flatMap((queue) => names.map((name) => lists.open(`${queue}.r1`, name))),
    );
    const { jobs } = await lists.all({ limit: 3 });
    // By their ids, the largest first, as within one queue.
    expect(idsOf(jobs)).toEqual(ids.toSorted().reverse());
  });

  redisTest("of one type come from its queue only", async ({ redis, prefix }) => {
    const document = { ...registryOf("shop", 1), types: { "receipt.render": { queue: "shop" } } };
    const lists = new Lists(redis, prefix, document as unknown as RegistryDocument);
    const id = await lists.open("shop.r1", "1");
    await lists.open("shop.r1", "2", { type: "receipt.mail" });
    expect(idsOf((await lists.page({ type: "receipt.render" })).jobs)).toEqual([id]);
    expect(await lists.page({ type: "no.such" })).toEqual({ jobs: [], next: null });
    expect(await lists.page({ type: "constructor" })).toEqual({ jobs: [], next: null });
  });
});

describe("jobs that have ended", () => {
  redisTest(
    "come by how they ended, newest first over the lanes, and the tenant's own",
    async ({ redis, prefix }) => {
      const lists = new Lists(redis, prefix, registryOf("shop", 2));
      await lists.finished("shop.r1", ["a"], { atMs: startMs + 1 });
      await lists.finished("shop.r2", ["b"], { atMs: startMs + 2 });
      await lists.finished("shop.r1", ["theirs"], { tenant: "another", atMs: startMs + 3 });
      await lists.finished("shop.r1", ["late"], { outcome: "expired", atMs: startMs + 4 });
      await lists.finished("shop.parked", ["off"], { outcome: "cancelled", atMs: startMs + 5 });
      await lists.finished("shop.r1", ["bad"], { set: "failed", atMs: startMs + 6 });
      const namesOf = async (asked: Asked) => idsOf((await lists.page(asked)).jobs);
      expect(await namesOf({ state: "succeeded" })).toEqual([idOf("shop", "b"), idOf("shop", "a")]);
      expect(await namesOf({ state: "expired" })).toEqual([idOf("shop", "late")]);
      expect(await namesOf({ state: "cancelled" })).toEqual([idOf("shop", "off")]);
      expect(await namesOf({ state: "failed" })).toEqual([idOf("shop", "bad")]);
      expect(await namesOf({ state: "succeeded", tenant: "another" })).toEqual([idOf("shop", "theirs")]);
      expect(await namesOf({ state: "quarantined" })).toEqual([]);
    },
  );

  redisTest("go on where there is more than a page looks at", async ({ redis, prefix }) => {
    const lists = new Lists(redis, prefix, registryOf("shop", 1));
    await lists.finished("shop.r1", ["own"]);
    const others = Array.from({ length: EXAMINED_MAX + 5 }, (_, n) => `other ${n}`);
    await lists.finished("shop.r1", others, { tenant: "another", atMs: startMs + 1 });
    const first = await lists.page({ state: "succeeded" });
    expect(first.jobs).toEqual([]);
    expect(first.next).not.toBeNull();
    expect(idsOf((await lists.page({ state: "succeeded" }, first.next)).jobs)).toEqual([idOf("shop", "own")]);
  });

  redisTest(
    "in quarantine are all shown once while others come and go, whatever their priority",
    async ({ redis, prefix }) => {
      const lists = new Lists(redis, prefix, registryOf("shop", 1));
      const dead = new Queue("shop.dead", { connection: redis, prefix });
      const put = async (name: string, priority: number) => {
        await dead.add("receipt.render", JSON.parse(stored({})), { jobId: idOf("shop", name), priority });
        return idOf("shop", name);
      };
      const stay: string[] = [];
      const leave: string[] = [];
      for (let n = 0; n < 60; n += 1) {
        stay.push(await put(`stay ${n}`, n % 5));
        leave.push(await put(`leave ${n}`, n % 5));
      }
      const { jobs } = await lists.all({ state: "quarantined", limit: 7 }, async (page) => {
        for (const id of leave.splice(page % 2 === 0 ? 0 : -2, 2)) await dead.remove(id);
        await put(`new ${page}`, page % 5);
      });
      const shown = idsOf(jobs);
      expect(new Set(shown).size).toBe(shown.length);
      expect(stay.filter((id) => !shown.includes(id))).toEqual([]);
      expect(new Set(jobs.map((job) => job.state))).toEqual(new Set(["quarantined"]));
    },
  );
});

describe("whose a job is", () => {
  const anyText = fc.oneof(
    fc.string({ maxLength: 12 }),
    fc.constantFrom('x","tenant":"evil"}', '"tenant":"evil"}', "\\", '{"type":"a.b","schemaversion":9,'),
  );
  /** What has the look of an envelope, within one. */
  const looksLikeIt = fc.record({
    type: fc.constant("a.b"),
    schemaversion: fc.integer({ min: 10, max: 19 }),
    tenant: fc.constantFrom("default", "evil"),
  });
  /** JSON of envelopes as clients and others would have them, the tenant in all kinds of places. */
  const anyStored = fc
    .record(
      {
        type: fc.oneof(fc.constant("receipt.render"), anyText),
        schemaversion: fc.oneof(
          fc.integer({ min: 1, max: 9 }),
          fc.integer({ min: 1, max: 9 }),
          fc.constantFrom("1", null, 1.5),
        ),
        data: fc.oneof(fc.dictionary(anyText, fc.oneof(anyText, looksLikeIt)), looksLikeIt),
        tenant: fc.oneof(fc.constantFrom("default", "evil"), anyText, fc.constantFrom(7, null)),
        priority: fc.constantFrom("low", "high"),
        subject: anyText,
      },
      { requiredKeys: [] },
    )
    .chain((fields) => {
      const entries = Object.entries(fields);
      // As it is stamped, and in any other order.
      return fc.oneof(fc.constant(entries), fc.subarray(entries), fc.shuffledSubarray(entries));
    })
    .map((entries) => JSON.stringify(Object.fromEntries(entries)));

  redisTest("is what its envelope says, wherever in the text that stands", async ({ redis, prefix }) => {
    const lists = new Lists(redis, prefix, registryOf("shop", 1));
    const key = `${prefix}:shop.r1:${idOf("shop", "1")}`;
    await lists.finished("shop.r1", ["1"]);
    await fc.assert(
      fc.asyncProperty(anyStored, async (text) => {
        await redis.hset(key, "data", text);
        const { tenant, schemaversion } = JSON.parse(text);
        const owner = typeof tenant === "string" && tenant !== "" ? tenant : "default";
        const version = typeof schemaversion === "number" ? schemaversion : null;
        const pageOf = (asker: string) => lists.page({ state: "succeeded", tenant: asker });
        expect((await pageOf(owner)).jobs.map((job) => job.schemaversion)).toEqual([version]);
        for (const other of ["default", "evil"].filter((it) => it !== owner)) {
          expect((await pageOf(other)).jobs).toEqual([]);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("what a page costs", () => {
  // A server of its own: what others do there would be counted too.
  stackTest(
    "does not grow with other tenants' jobs, nor with the tenant's own",
    async ({ stack }) => {
      const { redis } = stack;
      const lists = new Lists(redis, "sluice", registryOf("shop", 1));
      await redis.set("sluice:registry:revision", "1");
      for (let n = 0; n < 60; n += 1) await lists.open("shop.r1", `own ${n}`, { atMs: startMs + n });
      await lists.page({});
      const alone = await commandsDuring(redis, () => lists.page({}));
      const keys = keysOf("sluice");
      for (let chunk = 0; chunk < 100; chunk += 1) {
        const ids = Array.from({ length: 1_000 }, (_, n) => idOf("shop", `other ${chunk} ${n}`));
        await redis.zadd(keys.open("shop", "another"), ...ids.flatMap((id) => [startMs, id]));
        await redis.lpush("sluice:shop.r1:wait", ...ids);
      }
      expect(await commandsDuring(redis, () => lists.page({}))).toEqual(alone);

      // The tenant's own, older than the page: halving for the place costs a few looks more.
      const own = Array.from({ length: 20_000 }, (_, n) => idOf("shop", `old ${n}`));
      await redis.zadd(keys.open("shop", "default"), ...own.flatMap((id) => [startMs - 1, id]));
      const { next } = await lists.page({});
      const among = await commandsDuring(redis, () => lists.page({}));
      expect(among).toEqual(alone);
      expect(next).not.toBeNull();
    },
    60_000,
  );

  stackTest(
    "is bounded among 100,000 finished jobs of another tenant",
    async ({ stack }) => {
      const { redis } = stack;
      const lists = new Lists(redis, "sluice", registryOf("shop", 1));
      for (let chunk = 0; chunk < 100; chunk += 1) {
        const names = Array.from({ length: 1_000 }, (_, n) => `${chunk} ${n}`);
        await lists.finished("shop.r1", names, { tenant: "another", atMs: startMs + chunk * 1_000 });
      }
      const commands = await commandsDuring(redis, () => lists.page({ state: "succeeded" }));
      const calls = Object.values(commands).reduce((sum, it) => sum + it, 0);
      // One look at each of 1,000 entries, and chunks of 64 of them.
      expect(calls).toBeLessThan(EXAMINED_MAX + 100);
    },
    60_000,
  );
});
