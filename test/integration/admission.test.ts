/** What the admission script decides, one rule after the other, on a real Redis. */
import type { Redis } from "ioredis";
import { describe, expect } from "vitest";
import { keysOf } from "#shared/redis/keys";
import { LaneQueues } from "#shared/redis/lane-queues";
import { addJob } from "#test/support/add-job";
import { allStored, jobAsking, jobsIn, kindsOf, named, shopTerms } from "#test/support/admission-builder";
import { redisTest } from "#test/support/redis-test";

const DAY_MS = 86_400_000;

const admissionTest = redisTest.extend<{ queues: LaneQueues }>({
  queues: async ({ redis, prefix }, use) => {
    const queues = new LaneQueues(redis, prefix);
    await use(queues);
    queues.close();
  },
});

/** Ends a job as a worker does, without one. */
async function end(redis: Redis, prefix: string, id: string): Promise<void> {
  await redis.hset(`${prefix}:shop.r2:${id}`, "finishedOn", 1);
  await redis.lrem(`${prefix}:shop.r2:wait`, 0, id);
}

describe("a job that is known by its key", () => {
  const keyed = jobAsking("first", { records: ["key:k"], fingerprint: "f" });

  admissionTest("is the first one, whatever id the repeat would get", async ({ redis, prefix, queues }) => {
    expect(await queues.admit(keyed)).toEqual({ kind: "created" });
    const again = await queues.admit({ ...keyed, jobId: "shop~second" });
    expect(again).toEqual({ kind: "replayed", jobId: "shop~first" });
    expect(await jobsIn(redis, prefix, "shop.r2")).toEqual(["shop~first"]);
  });

  admissionTest("is a conflict when something else is asked for", async ({ queues }) => {
    await queues.admit(keyed);
    expect(await queues.admit({ ...keyed, fingerprint: "other" })).toEqual({ kind: "conflict" });
  });

  admissionTest(
    "is remembered for 24 hours, after the job is gone, too",
    async ({ redis, prefix, queues }) => {
      await queues.admit(keyed);
      const leftMs = await redis.pttl(`${prefix}:idempotency:key:k`);
      expect(leftMs).toBeGreaterThan(DAY_MS - 10_000);
      expect(leftMs).toBeLessThanOrEqual(DAY_MS);
      await (await queues.open("shop.r2")).obliterate({ force: true });
      expect(await jobsIn(redis, prefix, "shop.r2")).toEqual([]);
      expect(await queues.admit(keyed)).toEqual({ kind: "replayed", jobId: "shop~first" });
      await redis.del(`${prefix}:idempotency:key:k`);
      expect(await queues.admit(keyed)).toEqual({ kind: "created" });
    },
  );

  admissionTest("is known when its own id is, and from then on by the key as well", async ({ queues }) => {
    await queues.admit(named("a"));
    const both = named("a", { records: ["key:k", "id:a"] });
    expect(await queues.admit(both)).toEqual({ kind: "replayed", jobId: "shop~a" });
    const other = named("b", { records: ["key:k", "id:b"], fingerprint: "g" });
    expect(await queues.admit(other)).toEqual({ kind: "conflict" });
  });
});

describe("a job that is known by its own id", () => {
  admissionTest(
    "is replayed in whichever place it is, for as long as it is there",
    async ({ redis, prefix, queues }) => {
      for (const place of ["shop.r1", "shop.r2", "shop.parked", "shop.dead"]) {
        const name = place.replace(".", "-");
        await addJob(queues, place, jobAsking(name));
        await redis.del(...(await redis.keys(`${prefix}:idempotency:*`)));
        expect(await queues.admit(named(name))).toEqual({ kind: "replayed", jobId: `shop~${name}` });
      }
      expect(await jobsIn(redis, prefix, "shop.r2")).toEqual(["shop~shop-r2"]);
    },
  );

  admissionTest("is a conflict when something else is asked for under it", async ({ queues }) => {
    await queues.admit(named("a"));
    expect(await queues.admit(named("a", { fingerprint: "other" }))).toEqual({ kind: "conflict" });
  });

  admissionTest(
    "is answered when no lane takes it any more, and is refused when it is new",
    async ({ queues }) => {
      const terms = shopTerms({ place: null });
      await queues.admit(named("a"));
      expect(await queues.admit(named("a", { terms }))).toEqual({ kind: "replayed", jobId: "shop~a" });
      expect(await queues.admit(named("b", { terms }))).toEqual({ kind: "unroutable" });
    },
  );
});

describe("a job with a dedup key", () => {
  const one = jobAsking("one", { dedup: "d" });
  const two = jobAsking("two", { dedup: "d", records: ["key:two"], fingerprint: "f" });

  admissionTest(
    "is not added while another has not ended, wherever that is",
    async ({ redis, prefix, queues }) => {
      await queues.admit(one);
      expect(await queues.admit(two)).toEqual({ kind: "deduplicated", jobId: "shop~one" });
      await queues.move({ from: "shop.r2", to: "shop.parked", due: "kept" }, [
        { jobId: "shop~one", lease: null, dataSha1: null, dataText: null, record: null },
      ]);
      expect(await jobsIn(redis, prefix, "shop.parked")).toEqual(["shop~one"]);
      expect(await queues.admit(two)).toEqual({ kind: "replayed", jobId: "shop~one" });
      expect(await queues.admit({ ...two, records: [] })).toEqual({
        kind: "deduplicated",
        jobId: "shop~one",
      });
    },
  );

  admissionTest(
    "is added when the other has ended, and a repeat is still what it was",
    async ({ redis, prefix, queues }) => {
      await queues.admit(one);
      await queues.admit(two);
      await end(redis, prefix, "shop~one");
      const three = jobAsking("three", { dedup: "d" });
      expect(await queues.admit(three)).toEqual({ kind: "created" });
      expect(await queues.admit(two)).toEqual({ kind: "replayed", jobId: "shop~one" });
      expect(await queues.admit(one)).toEqual({ kind: "deduplicated", jobId: "shop~three" });
    },
  );

  admissionTest(
    "is found for as long as it is scheduled, and a day more",
    async ({ redis, prefix, queues }) => {
      await queues.admit(jobAsking("later", { dedup: "d", delayMs: 5 * DAY_MS }));
      expect(await redis.pttl(`${prefix}:dedup:d`)).toBeGreaterThan(6 * DAY_MS - 10_000);
    },
  );
});

describe("a job for which there is no room", () => {
  admissionTest("in the backlog of all lanes together is refused", async ({ redis, prefix, queues }) => {
    await addJob(queues, "shop.r1", jobAsking("old"));
    const terms = shopTerms({ depthMax: 2 });
    expect(await queues.admit(jobAsking("a", { terms }))).toEqual({ kind: "created" });
    const refused = { kind: "refused", reason: "backlog" };
    expect(await queues.admit(jobAsking("b", { terms }))).toEqual(refused);
    expect(await queues.admit(jobAsking("c", { terms: shopTerms({ depthMax: 2, priority: 1 }) }))).toEqual(
      refused,
    );
    // What is scheduled waits elsewhere.
    expect(await queues.admit(jobAsking("later", { terms, delayMs: 5_000 }))).toEqual({ kind: "created" });
    expect(await jobsIn(redis, prefix, "shop.r2")).toEqual(["shop~a", "shop~later"]);
  });

  admissionTest("among the scheduled is refused", async ({ queues }) => {
    const terms = shopTerms({ scheduledMax: 1 });
    const outcomes = [];
    for (const name of ["a", "b"])
      outcomes.push(await queues.admit(jobAsking(name, { terms, delayMs: 5_000 })));
    expect(kindsOf(outcomes)).toEqual(["created", "scheduled"]);
    expect(await queues.admit(jobAsking("now", { terms }))).toEqual({ kind: "created" });
  });

  admissionTest("of its tenant is refused, and another tenant's is not", async ({ queues }) => {
    const terms = shopTerms({ tenantMax: 2 });
    const other = shopTerms({ tenantMax: 2, tenant: "other" });
    const outcomes = [
      await queues.admit(jobAsking("a", { terms })),
      await queues.admit(jobAsking("b", { terms, delayMs: 5_000 })),
      await queues.admit(jobAsking("c", { terms })),
      await queues.admit(jobAsking("d", { terms: other })),
    ];
    expect(kindsOf(outcomes)).toEqual(["created", "created", "tenant", "created"]);
  });

  admissionTest(
    "of its tenant comes in when others have ended that nobody has told of",
    async ({ redis, prefix, queues }) => {
      const terms = shopTerms({ tenantMax: 3 });
      for (const name of ["ended", "gone", "here"]) await queues.admit(jobAsking(name, { terms }));
      await end(redis, prefix, "shop~ended");
      await redis.del(`${prefix}:shop.r2:shop~gone`);
      expect(await queues.admit(jobAsking("next", { terms }))).toEqual({ kind: "created" });
      const open = await redis.zrange(keysOf(prefix).open("shop", "acme"), "0", "-1");
      expect(open.toSorted()).toEqual(["shop~here", "shop~next"]);
    },
  );

  admissionTest(
    "of its tenant is not looked for in each call, but in all that are left behind",
    async ({ redis, prefix, queues }) => {
      const keys = keysOf(prefix);
      const looked = keys.looked("shop", "acme");
      // Twice as many as are looked through at once, and one that runs.
      const names = Array.from({ length: 100 }, (_, n) => `${n}`);
      const terms = shopTerms({ tenantMax: 101 });
      for (const name of [...names, "runs"]) await queues.admit(jobAsking(name, { terms }));
      for (const name of names) await end(redis, prefix, `shop~${name}`);
      expect(await queues.admit(jobAsking("runs too", { terms }))).toEqual({ kind: "created" });
      const tight = shopTerms({ tenantMax: 2 });
      expect(kindsOf([await queues.admit(jobAsking("more", { terms: tight }))])).toEqual(["tenant"]);
      expect(await redis.zcard(keys.open("shop", "acme"))).toBe(2);
      // All that were looked at had ended, so there might have been more.
      expect(await redis.exists(looked)).toBe(0);
      expect(kindsOf([await queues.admit(jobAsking("again", { terms: tight }))])).toEqual(["tenant"]);
      expect(await redis.pttl(looked)).toBeGreaterThan(0);
      await end(redis, prefix, "shop~runs");
      expect(kindsOf([await queues.admit(jobAsking("soon", { terms: tight }))])).toEqual(["tenant"]);
      await redis.del(looked);
      expect(await queues.admit(jobAsking("later", { terms: tight }))).toEqual({ kind: "created" });
    },
  );

  admissionTest(
    "in memory is refused, and takes its size from what room there is",
    async ({ redis, prefix, queues }) => {
      const { admission } = keysOf(prefix);
      // 7 bytes of data, 1,000 of overhead, 250 of its record.
      await redis.hset(admission, "room", 1_257 + 1_256);
      expect(await queues.admit(named("a"))).toEqual({ kind: "created" });
      expect(await redis.hget(admission, "room")).toBe("1256");
      expect(await queues.admit(named("b"))).toEqual({ kind: "refused", reason: "memory" });
      expect(await redis.hget(admission, "room")).toBe("1256");
      // 250 less without a record.
      expect(await queues.admit(jobAsking("c"))).toEqual({ kind: "created" });
      expect(await redis.hget(admission, "room")).toBe("249");
    },
  );

  admissionTest(
    "in memory for a key's record cannot be promised to be the same again",
    async ({ redis, prefix, queues }) => {
      await queues.admit(jobAsking("one", { dedup: "d" }));
      await redis.hset(keysOf(prefix).admission, "room", 249);
      const two = jobAsking("two", { dedup: "d", records: ["key:k"], fingerprint: "f" });
      expect(await queues.admit(two)).toEqual({ kind: "refused", reason: "memory" });
      expect(await queues.admit({ ...two, records: [] })).toEqual({
        kind: "deduplicated",
        jobId: "shop~one",
      });
      await redis.hset(keysOf(prefix).admission, "room", 250);
      expect(await queues.admit(two)).toEqual({ kind: "deduplicated", jobId: "shop~one" });
      expect(await queues.admit(two)).toEqual({ kind: "replayed", jobId: "shop~one" });
    },
  );

  admissionTest("but that is known is answered all the same", async ({ redis, prefix, queues }) => {
    await queues.admit(named("a"));
    await redis.hset(keysOf(prefix).admission, "room", -5);
    const terms = shopTerms({ depthMax: 0, tenantMax: 0 });
    expect(await queues.admit(named("a", { terms }))).toEqual({ kind: "replayed", jobId: "shop~a" });
  });
});

describe("jobs of which all come in or none", () => {
  const wanted = (changes: Parameters<typeof shopTerms>[0]) => shopTerms(changes);

  admissionTest("come in together", async ({ redis, prefix, queues }) => {
    const all = ["a", "b", "c"].map((name) => named(name));
    expect(kindsOf(await queues.admitAll(all))).toEqual(["created", "created", "created"]);
    expect(kindsOf(await queues.admitAll(all))).toEqual(["replayed", "replayed", "replayed"]);
    expect(await jobsIn(redis, prefix, "shop.r2")).toHaveLength(3);
  });

  admissionTest.for([
    ["for the backlog", { depthMax: 2 }, "backlog"],
    ["for its tenant", { tenantMax: 2 }, "tenant"],
    ["because no lane takes it", { place: null }, "unroutable"],
  ] as const)(
    "leave nothing behind when one is refused %s",
    async ([_why, changes, kind], { redis, prefix, queues }) => {
      await queues.admit(named("known"));
      const before = await allStored(redis, prefix);
      const all = [
        named("known"),
        named("a", { dedup: "d" }),
        named("b", { dedup: "d" }),
        named("b2", { records: ["id:a"] }),
        named("c", { terms: wanted(changes), delayMs: 0 }),
      ];
      expect(kindsOf(await queues.admitAll(all))).toEqual([
        "replayed",
        "aborted",
        "aborted",
        "aborted",
        kind,
      ]);
      expect(await allStored(redis, prefix)).toEqual(before);
    },
  );

  admissionTest(
    "leave nothing behind for want of memory, nor for a key used for something else",
    async ({ redis, prefix, queues }) => {
      await queues.admit(named("known"));
      await redis.hset(keysOf(prefix).admission, "room", 2_000);
      const before = await allStored(redis, prefix);
      expect(kindsOf(await queues.admitAll([named("a"), named("b")]))).toEqual(["aborted", "memory"]);
      const conflict = named("c", { records: ["id:known"], fingerprint: "other" });
      expect(kindsOf(await queues.admitAll([named("a"), conflict]))).toEqual(["aborted", "conflict"]);
      expect(await allStored(redis, prefix)).toEqual(before);
    },
  );
});

describe("jobs that were routed by an old registry", () => {
  admissionTest("are told so, and nothing is written", async ({ redis, prefix, queues }) => {
    await redis.set(keysOf(prefix).registryRevision, "8");
    const before = await allStored(redis, prefix);
    expect(await queues.admit(named("a", { revision: 7 }))).toEqual({ kind: "stale" });
    expect(
      kindsOf(await queues.admitAll([named("a", { revision: 7 }), named("b", { revision: 7 })])),
    ).toEqual(["stale", "stale"]);
    expect(await allStored(redis, prefix)).toEqual(before);
    expect(await queues.admit(named("a", { revision: 8 }))).toEqual({ kind: "created" });
  });
});

describe("what is written beside the jobs", () => {
  admissionTest(
    "is which of a tenant's have not ended, when each was accepted, and which tenants there are",
    async ({ redis, prefix, queues }) => {
      const keys = keysOf(prefix);
      await queues.admitAll([
        jobAsking("a", { acceptedAtMs: 5 }),
        jobAsking("b", { acceptedAtMs: 6, delayMs: 100 }),
        jobAsking("c", { acceptedAtMs: 7, terms: shopTerms({ tenant: "other" }) }),
      ]);
      expect(await redis.zrange(keys.open("shop", "acme"), "0", "-1", "WITHSCORES")).toEqual([
        "shop~a",
        "5",
        "shop~b",
        "6",
      ]);
      expect(await redis.zrange(keys.open("shop", "other"), "0", "-1")).toEqual(["shop~c"]);
      expect((await redis.smembers(keys.tenants("shop"))).toSorted()).toEqual(["acme", "other"]);
      // What is scheduled was not admitted to wait.
      expect(await redis.hget(keys.admission, "admitted:shop")).toBe("2");
    },
  );
});
