/** The admission script against the same rules written plainly: any sequence of calls, on a real Redis. */
import { randomUUID } from "node:crypto";
import fc from "fast-check";
import type { Redis } from "ioredis";
import { describe, expect } from "vitest";
import { type AdmissionRequest, admitCall } from "#shared/redis/admission";
import { ADMIT_JOBS } from "#shared/redis/admission-script";
import { keysOf } from "#shared/redis/keys";
import { roomyTerms } from "#test/support/add-job";
import { AdmissionModel } from "#test/support/admission-model";
import { redisTest } from "#test/support/redis-test";

const LANES = { shop: ["shop.r1", "shop.r2"], mail: ["mail.r1"] } as const;
const TENANTS = ["acme", "other"];

type Queue = keyof typeof LANES;

const anyJob = fc.record({
  queue: fc.constantFrom<Queue>("shop", "shop", "mail"),
  lane: fc.constantFrom(0, 1, 1, null),
  /** Few, so that they meet. */
  id: fc.option(fc.nat(6)),
  key: fc.option(fc.nat(4), { freq: 2 }),
  fingerprint: fc.constantFrom("f", "f", "f", "g"),
  dedup: fc.option(fc.nat(2), { freq: 2 }),
  delayMs: fc.constantFrom(0, 0, 0, 60_000),
  priority: fc.constantFrom(0, 0, 2),
  tenant: fc.constantFrom(...TENANTS),
  depthMax: fc.constantFrom(3, 5, 100),
  tenantMax: fc.constantFrom(2, 4, 100),
});

const anyAct = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("admit" as const),
      jobs: fc.array(anyJob, { minLength: 1, maxLength: 5 }),
      isAtomic: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom("end" as const, "remove" as const), at: fc.nat(20) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("time" as const) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("room" as const),
      room: fc.option(fc.integer({ min: -100, max: 9_000 })),
    }),
  },
);

type AnyJob = typeof anyJob extends fc.Arbitrary<infer It> ? It : never;
type Act = typeof anyAct extends fc.Arbitrary<infer It> ? It : never;

/** One of a kind, so that jobs nobody can name never meet. */
let serial = 0;

function asking(it: AnyJob): AdmissionRequest {
  serial += 1;
  const lanes = LANES[it.queue];
  const name = it.id === null ? `made-up-${serial}` : `named-${it.id}`;
  const records = [...(it.key === null ? [] : [`key:${it.key}`]), ...(it.id === null ? [] : [`id:${it.id}`])];
  const { priority, tenant, depthMax, tenantMax } = it;
  const place = it.lane === null ? null : (lanes[it.lane] ?? lanes[0]);
  return {
    jobId: `${it.queue}~${name}`,
    name: "receipt.render",
    dataText: "{}",
    acceptedAtMs: 1_700_000_000_000 + serial,
    delayMs: it.delayMs,
    terms: roomyTerms(lanes[0], {
      queue: it.queue,
      lanes,
      place,
      priority,
      tenant,
      depthMax,
      tenantMax,
      scheduledMax: 2,
    }),
    revision: null,
    records,
    fingerprint: records.length === 0 ? "-" : it.fingerprint,
    // A hash of the type, which is of one queue.
    dedup: it.dedup === null ? "" : `${it.queue}${tenant}${it.dedup}`,
  };
}

class World {
  readonly model = new AdmissionModel();
  readonly #redis: Redis;
  readonly #prefix: string;

  constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
  }

  async act(act: Act): Promise<void> {
    switch (act.kind) {
      case "admit": {
        const jobs = act.jobs.map(asking);
        const call = { prefix: this.#prefix, revision: null, isAtomic: act.isAtomic };
        const { outcomes } = await admitCall(this.#redis, jobs, call);
        expect(outcomes).toEqual(this.model.admitAll(jobs, act.isAtomic));
        // Time passes when the sequence says so.
        for (const key of this.#looked) await this.#redis.persist(key);
        return;
      }
      case "time":
        await this.#redis.del(this.#looked);
        return this.model.timePasses();
      case "end":
      case "remove":
        return this.#leave(act.kind, act.at);
      case "room":
        this.model.room = act.room;
        if (act.room === null) await this.#redis.hdel(keysOf(this.#prefix).admission, "room");
        else await this.#redis.hset(keysOf(this.#prefix).admission, "room", String(act.room));
    }
  }

  get #looked(): string[] {
    const keys = keysOf(this.#prefix);
    return Object.keys(LANES).flatMap((queue) => TENANTS.map((tenant) => keys.looked(queue, tenant)));
  }

  /** What is in Redis is what the model has. */
  async compare(): Promise<void> {
    const found: Record<string, string> = {};
    for (const lane of Object.values(LANES).flat()) {
      const start = `${this.#prefix}:${lane}:`;
      for (const key of await this.#redis.keys(`${start}*~*`)) found[key.slice(start.length)] = lane;
    }
    const wanted = this.model.jobIds.map((id) => [id, this.model.placeOf(id)]);
    expect(found).toEqual(Object.fromEntries(wanted));
    for (const queue of Object.keys(LANES)) {
      for (const tenant of TENANTS) {
        const open = await this.#redis.zrange(keysOf(this.#prefix).open(queue, tenant), "0", "-1");
        expect(open.toSorted()).toEqual(this.model.openOf(queue, tenant));
      }
    }
    const room = await this.#redis.hget(keysOf(this.#prefix).admission, "room");
    expect(room === null ? null : Number(room)).toBe(this.model.room);
  }

  /** Ends a job as a worker does, or takes it away as an operator does. */
  async #leave(kind: "end" | "remove", at: number): Promise<void> {
    const { jobIds } = this.model;
    const jobId = jobIds[at % jobIds.length];
    const place = jobId === undefined ? null : this.model.placeOf(jobId);
    if (jobId === undefined || place === null) return;
    const start = `${this.#prefix}:${place}:`;
    await this.#redis.lrem(`${start}wait`, 0, jobId);
    await this.#redis.zrem(`${start}delayed`, jobId);
    await this.#redis.zrem(`${start}prioritized`, jobId);
    if (kind === "end") {
      await this.#redis.hset(`${start}${jobId}`, "finishedOn", 1);
      this.model.end(jobId);
    } else {
      await this.#redis.del(`${start}${jobId}`);
      this.model.remove(jobId);
    }
  }
}

describe("whatever is asked of it, in whatever order", () => {
  redisTest("the script decides and stores what its rules say", async ({ redis, prefix }) => {
    redis.defineCommand("sluiceAdmitJobs", { lua: ADMIT_JOBS, numberOfKeys: 0 });
    await fc.assert(
      fc.asyncProperty(fc.array(anyAct, { minLength: 1, maxLength: 25 }), async (acts) => {
        const world = new World(redis, `${prefix}${randomUUID().slice(0, 6)}`);
        for (const act of acts) await world.act(act);
        await world.compare();
      }),
      { numRuns: 150, seed: 20_260_131 },
    );
  });
});
