/** API keys under operators that race, and the copy that follows them, on a real Redis. */
import { once } from "node:events";
import { Redis } from "ioredis";
import { describe, expect, inject, vi } from "vitest";
import { type KeyChange, rotateKey } from "#shared/auth/decide-key-change";
import type { KeyDocument } from "#shared/auth/key-document";
import { KEYS_MAX, KeyFollower, KeyStore } from "#shared/redis/key-store";
import { keysOf } from "#shared/redis/keys";
import { storedSecret, testKey } from "#test/support/api-keys";
import { FakeClock, settled } from "#test/support/fake-clock";
import { redisTest } from "#test/support/redis-test";

const NOW = "2026-01-31T12:00:00.000Z";

const revoked = (it: KeyDocument) => ({ ...it, revokedAt: NOW });

function documentOf(change: KeyChange): KeyDocument {
  if (change.kind !== "changed") throw new Error(`it is ${change.kind}`);
  return change.document;
}

describe("the keys", () => {
  redisTest("are listed as they were made, oldest first", async ({ redis, prefix }) => {
    const store = new KeyStore(redis, keysOf(prefix));
    const older = testKey(["jobs:read"], { createdAt: "2026-01-01T00:00:00.000Z" }).document;
    const newer = testKey(["admin"], { createdAt: "2026-01-02T00:00:00.000Z" }).document;
    expect(await store.list()).toEqual([]);
    expect(await store.create(newer)).toBe("written");
    expect(await store.create(older)).toBe("written");
    expect(await store.list()).toEqual([older, newer]);
  });

  redisTest("that are changed by many at once keep every change", async ({ redis, prefix }) => {
    const store = new KeyStore(redis, keysOf(prefix));
    const keys = Array.from({ length: 8 }, () => testKey(["admin"]).document);
    await Promise.all(keys.map((it) => store.create(it)));
    // Every write is another revision, so all but one of each round lose their race and try again.
    const writes = keys.flatMap(({ keyId }) => [
      store.change(keyId, revoked),
      store.change(keyId, (it) => ({ ...it, createdBy: `${it.createdBy}+` })),
    ]);
    expect(new Set(await Promise.all(writes))).toEqual(new Set(["written"]));
    const stored = await store.list();
    expect(stored).toHaveLength(8);
    expect(stored.every((it) => it.revokedAt === NOW && it.createdBy === "ana@ops1+")).toBe(true);
  });

  redisTest("that are rotated twice at once have the newest two secrets", async ({ redis, prefix }) => {
    const store = new KeyStore(redis, keysOf(prefix));
    const { document } = testKey(["admin"]);
    await store.create(document);
    const rotateTo = (secret: string) =>
      store.change(document.keyId, (it) => {
        const { hash } = storedSecret(secret);
        return documentOf(rotateKey(it, { hash, now: NOW, overlapUntil: "2026-02-01T12:00:00.000Z" }));
      });
    await Promise.all([rotateTo("one"), rotateTo("two")]);
    const [key] = await store.list();
    const hashes = new Set(key?.secrets.map((it) => it.hash));
    expect(hashes).toEqual(new Set([storedSecret("one").hash, storedSecret("two").hash]));
  });

  redisTest("that are not there are not changed", async ({ redis, prefix }) => {
    const store = new KeyStore(redis, keysOf(prefix));
    expect(await store.change("abcdefghijkl", revoked)).toBe("unknown-key");
    expect(await redis.exists(keysOf(prefix).apiKeys)).toBe(0);
  });

  redisTest("are not overwritten by a new one of the same id", async ({ redis, prefix }) => {
    const store = new KeyStore(redis, keysOf(prefix));
    const { document } = testKey(["admin"]);
    await store.create(document);
    await expect(store.create(document)).rejects.toThrow(/taken/);
  });

  redisTest(
    "are at most ten thousand, and the last of them can still be revoked",
    async ({ redis, prefix }) => {
      const keys = keysOf(prefix);
      const store = new KeyStore(redis, keys);
      const { document } = testKey(["admin"]);
      await store.create(document);
      const others = Array.from({ length: KEYS_MAX - 1 }, (_, n) => [`other-${n}`, "{}"]).flat();
      await redis.hset(keys.apiKeys, ...others);
      expect(await store.create(testKey(["admin"]).document)).toBe("too-many-keys");
      expect(await store.change(document.keyId, revoked)).toBe("written");
      // What cannot be read is no key.
      expect(await store.list()).toEqual([revoked(document)]);
    },
  );
});

describe("a copy of the keys", () => {
  redisTest("knows what changed within a second", async ({ redis, prefix }) => {
    const keys = keysOf(prefix);
    const [store, clock, stop] = [new KeyStore(redis, keys), new FakeClock(), new AbortController()];
    const follower = new KeyFollower(redis, keys, clock);
    const key = testKey(["admin"]);
    const { keyId } = key.document;
    await store.create(key.document);
    await follower.refresh();
    expect(follower.find(keyId)).toEqual(key.held);

    const running = follower.run(stop.signal);
    await store.change(keyId, revoked);
    expect(follower.find(keyId)?.revoked).toBe(false);
    await clock.advance(1_000);
    await redis.ping();
    expect(follower.find(keyId)?.revoked).toBe(true);
    stop.abort();
    await running;
    expect(clock.waiting).toBe(0);
  });

  redisTest("costs one read while nothing changes", async ({ redis, prefix }) => {
    const keys = keysOf(prefix);
    const follower = new KeyFollower(redis, keys, new FakeClock());
    await new KeyStore(redis, keys).create(testKey(["admin"]).document);
    await follower.refresh();
    const asked = vi.spyOn(redis, "eval");
    await follower.refresh();
    // The revision and nothing else.
    expect(await asked.mock.results[0]?.value).toEqual([expect.any(String)]);
    expect(asked).toHaveBeenCalledTimes(1);
  });

  redisTest(
    "looks at once for a key that it does not have, and at most four times a second",
    async ({ redis, prefix }) => {
      const keys = keysOf(prefix);
      const [store, clock] = [new KeyStore(redis, keys), new FakeClock()];
      const follower = new KeyFollower(redis, keys, clock);
      const [first, second] = [testKey(["admin"]), testKey(["admin"])];
      await store.create(first.document);
      expect(await follower.lookUp(first.document.keyId)).toEqual(first.held);

      // The next look is a quarter of a second away; all who ask until then share it.
      await store.create(second.document);
      const answers: unknown[] = [];
      const asked = [second.document.keyId, "abcdefghijkl", second.document.keyId].map(async (keyId) => {
        answers.push(await follower.lookUp(keyId));
      });
      await clock.advance(249);
      await redis.ping();
      expect(answers).toEqual([]);
      await clock.advance(1);
      await Promise.all(asked);
      expect(answers).toEqual([second.held, null, second.held]);
      expect(clock.waiting).toBe(0);
    },
  );

  redisTest(
    "sees that another Redis data set is another one, whatever it counts",
    async ({ redis, prefix }) => {
      const keys = keysOf(prefix);
      const [store, follower] = [new KeyStore(redis, keys), new KeyFollower(redis, keys, new FakeClock())];
      const [before, after] = [testKey(["admin"]), testKey(["admin"])];
      await store.create(before.document);
      await follower.refresh();
      await redis.del(keys.apiKeys, `${keys.apiKeys}:revision`);
      await store.create(after.document);
      await follower.refresh();
      expect([...follower.held]).toEqual([after.held]);
    },
  );

  redisTest(
    "serves as it is while Redis is away, and says of unknown keys that it cannot know",
    async ({ redis, prefix }) => {
      const keys = keysOf(prefix);
      const key = testKey(["admin"]);
      await new KeyStore(redis, keys).create(key.document);
      const own = new Redis({ path: inject("redisSocketPath"), maxRetriesPerRequest: null });
      await once(own, "ready");
      const clock = new FakeClock();
      const follower = new KeyFollower(own, keys, clock);
      await follower.refresh();
      own.disconnect();
      await once(own, "end");
      await expect(follower.lookUp("abcdefghijkl")).rejects.toThrow(/not reachable/);
      await expect(follower.refresh()).rejects.toThrow(/not reachable/);
      expect(follower.find(key.document.keyId)).toEqual(key.held);
    },
  );

  redisTest("does not keep whoever asks waiting for an answer that never comes", async ({ prefix }) => {
    const own = new Redis({ path: inject("redisSocketPath"), maxRetriesPerRequest: null });
    await once(own, "ready");
    const clock = new FakeClock();
    const follower = new KeyFollower(own, keysOf(prefix), clock);
    vi.spyOn(own, "eval").mockReturnValue(new Promise(() => undefined));
    const asked = follower.lookUp("abcdefghijkl").catch((error: unknown) => String(error));
    await settled();
    await clock.advance(2_000);
    expect(await asked).toMatch(/did not answer in time/);
    own.disconnect();
  });
});
