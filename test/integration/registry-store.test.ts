/** The registry under writers that race, on a real Redis. */
import { describe, expect } from "vitest";
import { keysOf } from "#shared/redis/keys";
import { loadRegistry, publishRelease, RegistryFollower, retireRelease } from "#shared/redis/registry-store";
import type { ReleaseDescriptor } from "#shared/registry/registry-document";
import { redisTest } from "#test/support/redis-test";

const policy = {
  attempts: 5,
  timeoutMs: 60_000,
  backoff: { baseMs: 1_000, maxMs: 60_000 },
  excess: "reject" as const,
};

function descriptor(release: string, queue = "probe"): ReleaseDescriptor {
  const versions = [{ version: 1, minReaderVersion: 1, schema: { type: "object" } }];
  return { release, app: queue, types: [{ type: `${queue}.task`, queue, policy, versions }] };
}

describe("publishing", () => {
  redisTest("by many at once loses none", async ({ redis, prefix }) => {
    const keys = keysOf(prefix);
    const names = Array.from({ length: 8 }, (_, n) => `release-${n}`);
    await Promise.all(
      names.map((release) => publishRelease(redis, keys, { descriptor: descriptor(release), nowMs: 0 })),
    );
    const document = await loadRegistry(redis, keys);
    expect(Object.keys(document.releases).sort()).toEqual(names);
    expect(document.revision).toBe(names.length);
    expect(document.queues.probe?.generations).toEqual([{ generation: 1, reads: ["probe.task@1"] }]);
  });

  redisTest("again changes nothing, and a follower sees what did change", async ({ redis, prefix }) => {
    const keys = keysOf(prefix);
    const follower = new RegistryFollower(redis, keys);
    expect(await follower.refresh()).toBe(false);
    await publishRelease(redis, keys, { descriptor: descriptor("one"), nowMs: 0 });
    expect(await follower.refresh()).toBe(true);
    await publishRelease(redis, keys, { descriptor: descriptor("one"), nowMs: 5 });
    expect(await follower.refresh()).toBe(false);
    await retireRelease(redis, keys, "one");
    expect(await follower.refresh()).toBe(true);
    expect(follower.document.releases.one?.state).toBe("retired");
  });

  redisTest("of a queue that another app owns is refused", async ({ redis, prefix }) => {
    const keys = keysOf(prefix);
    await publishRelease(redis, keys, { descriptor: descriptor("one"), nowMs: 0 });
    const other = { ...descriptor("two"), app: "other" };
    await expect(publishRelease(redis, keys, { descriptor: other, nowMs: 0 })).rejects.toMatchObject({
      code: "PUBLISH_REFUSED",
    });
  });
});
