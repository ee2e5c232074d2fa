/** Rollouts in a real Redis: what is stored, and who is refused. */
import { describe, expect } from "vitest";
import { StaleEpochError } from "#shared/errors";
import { keysOf } from "#shared/redis/keys";
import { PAST_ROLLOUTS_MAX, ROLLOUT_RECORDS_MAX, RolloutStore } from "#shared/redis/rollout-store";
import { redisTest } from "#test/support/redis-test";

function aRollout(revision: number, id = "v2-1") {
  return { id, pool: "mail", revision, why: 'a|bar, a "quote" and\na line' };
}

describe("a pool's rollout", () => {
  redisTest("begins once, by whoever saw the one before", async ({ redis, prefix }) => {
    const store = new RolloutStore(redis, keysOf(prefix));
    expect(await store.read("mail")).toBeNull();
    const first = aRollout(1);
    expect(await store.begin(first, { latest: null, record: 1 })).toBe(true);
    expect(await store.begin(aRollout(1, "v3-1"), { latest: null, record: 2 })).toBe(false);
    const other = { ...first, revision: 2 };
    expect(await store.begin(aRollout(1, "v3-1"), { latest: other, record: 2 })).toBe(false);
    expect(await store.begin(aRollout(1, "v3-1"), { latest: first, record: 2 })).toBe(true);
    expect(await store.read("mail")).toEqual(aRollout(1, "v3-1"));
    expect(await store.readAll()).toEqual(new Map([["mail", aRollout(1, "v3-1")]]));
    expect(await store.past("mail")).toEqual([first]);
    expect(await store.records("mail", 10)).toEqual([2, 1]);
  });

  redisTest(
    "is changed by whoever saw its revision, with its record or not at all",
    async ({ redis, prefix }) => {
      const store = new RolloutStore(redis, keysOf(prefix));
      await store.begin(aRollout(1), { latest: null, record: 1 });
      const next = { expected: 1, rollout: aRollout(2), record: { n: 2 }, epoch: 4 };
      expect(await store.change(next)).toBe(true);
      expect(await store.change(next)).toBe(false);
      expect(await store.change({ ...next, expected: 2, rollout: aRollout(3, "v9-1") })).toBe(false);
      expect(await store.read("mail")).toEqual(aRollout(2));
      expect(await store.records("mail", 10)).toEqual([{ n: 2 }, 1]);
    },
  );

  redisTest(
    "is not changed by a leader of the past, and by an operator at any time",
    async ({ redis, prefix }) => {
      const keys = keysOf(prefix);
      const store = new RolloutStore(redis, keys);
      await store.begin(aRollout(1), { latest: null, record: 1 });
      await redis.set(keys.epoch, 5);
      const change = { expected: 1, rollout: aRollout(2), record: 2 };
      await expect(store.change({ ...change, epoch: 4 })).rejects.toBeInstanceOf(StaleEpochError);
      await expect(store.note("mail", 2, 4)).rejects.toBeInstanceOf(StaleEpochError);
      expect(await store.read("mail")).toEqual(aRollout(1));
      expect(await store.records("mail", 10)).toEqual([1]);
      await store.note("mail", 3, 5);
      expect(await store.change({ ...change, epoch: null })).toBe(true);
      expect(await store.records("mail", 10)).toEqual([2, 3, 1]);
    },
  );

  redisTest("keeps so many of the past and no more", async ({ redis, prefix }) => {
    const keys = keysOf(prefix);
    const store = new RolloutStore(redis, keys);
    let latest: ReturnType<typeof aRollout> | null = null;
    for (let index = 0; index <= PAST_ROLLOUTS_MAX + 2; index += 1) {
      const rollout = aRollout(1, `v${index}-1`);
      await store.begin(rollout, { latest, record: index });
      latest = rollout;
    }
    expect(await store.past("mail")).toHaveLength(PAST_ROLLOUTS_MAX);
    for (let index = 0; index < ROLLOUT_RECORDS_MAX; index += 1) await store.note("mail", index, 1);
    await store.note("mail", "last", 1);
    expect(await redis.llen(keys.rolloutRecords("mail"))).toBe(ROLLOUT_RECORDS_MAX);
    expect(await store.records("mail", 1)).toEqual(["last"]);
  });

  redisTest("that was spoilt is shown as nothing that can be read", async ({ redis, prefix }) => {
    const keys = keysOf(prefix);
    const store = new RolloutStore(redis, keys);
    await redis.hset(keys.rollouts, "mail", "1|v2-1|{");
    expect(await store.read("mail")).toBeUndefined();
  });
});

describe("a channel", () => {
  redisTest("is opened to a release by the last who did", async ({ redis, prefix }) => {
    const store = new RolloutStore(redis, keysOf(prefix));
    const opened = { channel: "prod", release: "v2", by: "ben", why: "a fix", expiresAtMs: 5 };
    await store.bypass(opened);
    await store.bypass({ ...opened, by: "ann" } as typeof opened);
    expect(await store.bypasses()).toEqual([{ ...opened, by: "ann" }]);
  });
});
