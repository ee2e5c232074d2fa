import { describe, expect } from "vitest";
import { DecisionStore, decisionId, RECORDS_KEPT_MAX } from "#shared/redis/decision-store";
import { keysOf } from "#shared/redis/keys";
import { redisTest as test } from "#test/support/redis-test";

const from = (pool: string | null, changes: object = {}) => ({
  pool,
  limit: 50,
  atMs: null,
  after: null,
  ...changes,
});

const record = (id: string, more: object = {}) => ({ id, ...more });

async function keep(store: DecisionStore, pool: string, atMs: readonly number[], term = 1) {
  for (const [at, ms] of atMs.entries()) {
    const id = decisionId(pool, term, at + 1);
    await store.record({ id, atMs: ms }, record(id), 2);
  }
}

const idsOf = (records: readonly unknown[]) => records.map((it) => (it as { id: string }).id);

describe("the decision store", () => {
  test("finds a record by its id, and none by another", async ({ redis, prefix }) => {
    const store = new DecisionStore(redis, keysOf(prefix));
    await keep(store, "shop", [10, 20]);
    expect(await store.find("shop~1-2")).toEqual(record("shop~1-2"));
    for (const id of ["shop~1-3", "mail~1-2", "1-2", "*~1-1", ""]) expect(await store.find(id)).toBeNull();
  });

  test("lists a pool's records and those of all, newest first", async ({ redis, prefix }) => {
    const store = new DecisionStore(redis, keysOf(prefix));
    await keep(store, "shop", [10, 30]);
    await keep(store, "mail", [20]);
    expect(idsOf((await store.page(from("shop"))).records)).toEqual(["shop~1-2", "shop~1-1"]);
    expect(idsOf((await store.page(from(null))).records)).toEqual(["shop~1-2", "mail~1-1", "shop~1-1"]);
    expect(idsOf(await store.newestOf(["mail", "none", "shop"]))).toEqual(["mail~1-1", "shop~1-2"]);
  });

  test("begins with what was in force at a moment", async ({ redis, prefix }) => {
    const store = new DecisionStore(redis, keysOf(prefix));
    await keep(store, "shop", [10, 20, 30]);
    const at = async (atMs: number) => idsOf((await store.page(from("shop", { atMs, limit: 1 }))).records);
    expect([await at(9), await at(10), await at(29), await at(30), await at(99)]).toEqual([
      [],
      ["shop~1-1"],
      ["shop~1-2"],
      ["shop~1-3"],
      ["shop~1-3"],
    ]);
  });

  test("goes through everything page by page, once, though new records come meanwhile", async ({
    redis,
    prefix,
  }) => {
    const store = new DecisionStore(redis, keysOf(prefix));
    // Many pools decide in one round: their times are the same.
    for (const pool of ["a", "b", "c", "d", "e", "f", "g"]) await keep(store, pool, [10, 20]);
    const seen: string[] = [];
    let after: { id: string; atMs: number } | null = null;
    do {
      const page = await store.page(from(null, { limit: 3, after }));
      seen.push(...idsOf(page.records));
      after = page.next;
      await store.record({ id: decisionId("new", 1, seen.length), atMs: 30 }, record("x"), 2);
    } while (after !== null);
    expect(seen).toHaveLength(14);
    expect(new Set(seen).size).toBe(14);
  });

  test("goes on at the right time after a record that is no longer kept", async ({ redis, prefix }) => {
    const store = new DecisionStore(redis, keysOf(prefix));
    await keep(store, "shop", [10, 20, 30]);
    const page = await store.page(from("shop", { after: { id: "shop~1-9", atMs: 30 } }));
    expect(idsOf(page.records)).toEqual(["shop~1-2", "shop~1-1"]);
  });

  test("keeps no record of a leader whose term is over", async ({ redis, prefix }) => {
    const store = new DecisionStore(redis, keysOf(prefix));
    expect(await store.record({ id: decisionId("shop", 2, 1), atMs: 10 }, {}, 1)).toBe(true);
    expect(await store.record({ id: decisionId("shop", 1, 9), atMs: 20 }, {}, 1)).toBe(false);
    expect((await store.page(from("shop"))).records).toHaveLength(1);
    // Another pool may not have been decided on in the new term yet.
    expect(await store.record({ id: decisionId("mail", 1, 1), atMs: 20 }, {}, 1)).toBe(true);
  });

  test("bounds each pool by count, and one that changes often pushes out nobody else", async ({
    redis,
    prefix,
  }) => {
    const store = new DecisionStore(redis, keysOf(prefix));
    await keep(store, "mail", [1]);
    await keep(
      store,
      "shop",
      Array.from({ length: RECORDS_KEPT_MAX + 20 }, (_, at) => at + 10),
    );
    const { decisions } = keysOf(prefix);
    expect(await redis.zcard(`${decisions}:index:shop`)).toBe(RECORDS_KEPT_MAX);
    expect(await redis.hlen(`${decisions}:records:shop`)).toBe(RECORDS_KEPT_MAX);
    expect(await store.find("shop~1-20")).toBeNull();
    expect(await store.find("shop~1-21")).not.toBeNull();
    expect(await store.find("mail~1-1")).not.toBeNull();
  });

  test("bounds each pool by bytes too, and always keeps the newest", async ({ redis, prefix }) => {
    const store = new DecisionStore(redis, keysOf(prefix));
    const pools = 320;
    // 32 MiB for 320 pools are 100 KiB for each: four of 40,000 characters are two too many.
    for (let n = 1; n <= 4; n += 1) {
      const id = decisionId("shop", 1, n);
      await store.record({ id, atMs: n }, record(id, { x: "x".repeat(40_000) }), pools);
    }
    expect(idsOf((await store.page(from("shop"))).records)).toEqual(["shop~1-4", "shop~1-3"]);
    await store.record(
      { id: decisionId("shop", 1, 5), atMs: 5 },
      record("shop~1-5", { x: "x".repeat(200_000) }),
      pools,
    );
    expect(idsOf((await store.page(from("shop"))).records)).toEqual(["shop~1-5"]);
    expect(await redis.hlen(`${keysOf(prefix).decisions}:records:shop`)).toBe(1);
  });

  test("moves over what an earlier version kept in one list", async ({ redis, prefix }) => {
    const keys = keysOf(prefix);
    const old = (id: string, queue: string, at: string) => JSON.stringify({ id, queue, at, sentence: "old" });
    const at = "2026-03-01T03:00:00.000Z";
    await redis.rpush(keys.decisions, old("4-1", "mail", at), "no JSON", old("4-2", "shop", at), "null");
    const store = new DecisionStore(redis, keys);
    await keep(store, "shop", [Date.UTC(2026, 2, 2)], 5);
    expect(await store.find("mail~4-1")).toMatchObject({ id: "mail~4-1", sentence: "old" });
    expect(idsOf((await store.page(from("shop"))).records)).toEqual(["shop~5-1", "shop~4-2"]);
    expect(await redis.exists(keys.decisions)).toBe(0);
  });
});
