/** The registry under writers that race, on a real Redis. */
import type { Redis } from "ioredis";
import { describe, expect, vi } from "vitest";
import { keysOf } from "#shared/redis/keys";
import {
  draftRelease,
  loadRegistry,
  moveGate,
  publishRelease,
  RegistryFollower,
  retireLaneOf,
  retireRelease,
} from "#shared/redis/registry-store";
import type { GateDecision, GateRequest } from "#shared/registry/decide-gate";
import { retire } from "#shared/registry/decide-publish";
import type { RegistryDocument, ReleaseDescriptor } from "#shared/registry/registry-document";
import { redisTest } from "#test/support/redis-test";

const policy = {
  attempts: 5,
  timeoutMs: 60_000,
  backoff: { baseMs: 1_000, maxMs: 60_000 },
  excess: "reject" as const,
};

const PUBLISHED = { at: "2026-01-31T12:00:00.000Z", by: "ana@ops1" };

/** `<queue>.task` with `count` versions, each of them breaking. */
function descriptor(release: string, { queue = "probe", count = 1 } = {}): ReleaseDescriptor {
  const versions = Array.from({ length: count }, (_, index) => {
    const version = index + 1;
    return { version, minReaderVersion: version, schema: { type: "object" } };
  });
  return { release, app: queue, types: [{ type: `${queue}.task`, queue, policy, versions }] };
}

async function publish(redis: Redis, prefix: string, ...releases: readonly ReleaseDescriptor[]) {
  for (const it of releases) await publishRelease(redis, keysOf(prefix), { descriptor: it, ...PUBLISHED });
}

/** Asks for a move that needs no slots. */
function move(redis: Redis, prefix: string, request: Partial<GateRequest> & { readonly by?: string }) {
  const { by = "ben@ops2", ...rest } = request;
  return moveGate(redis, keysOf(prefix), {
    request: { type: "probe.task", version: 2, expected: null, force: false, sunset: null, ...rest },
    readiness: { readerSlots: 1, loadSlots: 0 },
    change: { at: "2026-02-01T00:00:00.000Z", by, why: "tested" },
  });
}

function kindsOf(decisions: readonly GateDecision[]): Readonly<Record<string, number>> {
  const kinds: Record<string, number> = {};
  for (const it of decisions) {
    const kind = it.kind === "refused" ? it.code : it.kind;
    kinds[kind] = (kinds[kind] ?? 0) + 1;
  }
  return kinds;
}

function gateIn(document: RegistryDocument): number | undefined {
  return document.types["probe.task"]?.activeVersion;
}

const times = <Answer>(count: number, act: (n: number) => Promise<Answer>): Promise<Answer[]> =>
  Promise.all(Array.from({ length: count }, (_, n) => act(n)));

describe("publishing", () => {
  redisTest("by many at once loses none", async ({ redis, prefix }) => {
    const names = Array.from({ length: 8 }, (_, n) => `release-${n}`);
    await Promise.all(names.map((release) => publish(redis, prefix, descriptor(release))));
    const document = await loadRegistry(redis, keysOf(prefix));
    expect(Object.keys(document.releases).sort()).toEqual(names);
    expect(document.revision).toBe(names.length);
    expect(document.queues.probe?.generations).toEqual([{ generation: 1, reads: ["probe.task@1"] }]);
  });

  redisTest("again changes nothing, and a follower sees what did change", async ({ redis, prefix }) => {
    const keys = keysOf(prefix);
    const follower = new RegistryFollower(redis, keys);
    expect(await follower.refresh()).toBe(false);
    await publish(redis, prefix, descriptor("one"));
    expect(await follower.refresh()).toBe(true);
    await publish(redis, prefix, descriptor("one"));
    expect(await follower.refresh()).toBe(false);
    await retireRelease(redis, keys, "one");
    expect(await follower.refresh()).toBe(true);
    expect(follower.document.releases.one?.state).toBe("retired");
  });

  redisTest("of a queue that another app owns is refused", async ({ redis, prefix }) => {
    await publish(redis, prefix, descriptor("one"));
    const other = { ...descriptor("two"), app: "other" };
    await expect(publish(redis, prefix, other)).rejects.toMatchObject({ code: "PUBLISH_REFUSED" });
  });

  redisTest("after a draft keeps nothing of it but its event", async ({ redis, prefix }) => {
    const keys = keysOf(prefix);
    await draftRelease(redis, keys, { descriptor: descriptor("one"), ...PUBLISHED, why: "to look at" });
    const drafted = await loadRegistry(redis, keys);
    expect(drafted.types["probe.task"]).toMatchObject({ versions: [], drafts: [{ version: 1 }] });
    await publish(redis, prefix, descriptor("one"));
    const { types } = await loadRegistry(redis, keys);
    expect(types["probe.task"]).toMatchObject({ activeVersion: 1, drafts: [] });
    expect(types["probe.task"]?.events[0]).toMatchObject({ change: "drafted", why: "to look at" });
  });
});

describe("moving a gate", () => {
  redisTest("by 20 at once that saw it at the same place is done by one", async ({ redis, prefix }) => {
    await publish(redis, prefix, descriptor("one"), descriptor("two", { count: 2 }));
    const before = await loadRegistry(redis, keysOf(prefix));
    const decisions = await times(20, (n) => move(redis, prefix, { expected: 1, by: `mover-${n}` }));
    expect(kindsOf(decisions)).toEqual({ moved: 1, "gate-moved": 19 });

    const after = await loadRegistry(redis, keysOf(prefix));
    expect([gateIn(after), after.revision]).toEqual([2, before.revision + 1]);
    const winner = decisions.findIndex((it) => it.kind === "moved");
    expect(after.types["probe.task"]?.events.at(-1)?.by).toBe(`mover-${winner}`);
  });

  redisTest("by 20 at once that do not care where it is is done once as well", async ({ redis, prefix }) => {
    await publish(redis, prefix, descriptor("one"), descriptor("two", { count: 2 }));
    const decisions = await times(20, () => move(redis, prefix, {}));
    expect(kindsOf(decisions)).toEqual({ moved: 1, unchanged: 19 });
  });

  redisTest("up and down at once ends where the last one left it", async ({ redis, prefix }) => {
    await publish(redis, prefix, descriptor("one"), descriptor("two", { count: 2 }));
    const { revision } = await loadRegistry(redis, keysOf(prefix));
    const decisions = await times(10, (n) => move(redis, prefix, { version: 1 + (n % 2) }));
    const moves = decisions.filter((it) => it.kind === "moved").length;
    const after = await loadRegistry(redis, keysOf(prefix));
    expect(after.revision).toBe(revision + moves);
    // It starts at 1, and every move goes to the other one of two.
    expect(gateIn(after)).toBe(moves % 2 === 0 ? 1 : 2);
  });

  redisTest("while releases are published loses neither", async ({ redis, prefix }) => {
    await publish(redis, prefix, descriptor("one"), descriptor("two", { count: 2 }));
    const names = Array.from({ length: 8 }, (_, n) => `more-${n}`);
    const [decision] = await Promise.all([
      move(redis, prefix, { expected: 1 }),
      ...names.map((release) => publish(redis, prefix, descriptor(release, { count: 2 }))),
    ]);
    expect(decision).toMatchObject({ kind: "moved", from: 1 });
    const after = await loadRegistry(redis, keysOf(prefix));
    expect(gateIn(after)).toBe(2);
    expect(Object.keys(after.releases)).toEqual(expect.arrayContaining(names));
  });

  redisTest("that is refused writes nothing", async ({ redis, prefix }) => {
    await publish(redis, prefix, descriptor("one"));
    const before = await redis.get(keysOf(prefix).registry);
    expect(await move(redis, prefix, { version: 9 })).toMatchObject({ code: "version-unknown" });
    expect(await move(redis, prefix, { version: 1 })).toMatchObject({ kind: "unchanged" });
    expect(await redis.get(keysOf(prefix).registry)).toBe(before);
  });
});

describe("retiring a lane", () => {
  redisTest("ends when its release comes back, whichever is first", async ({ redis, prefix }) => {
    const keys = keysOf(prefix);
    const lane = { queue: "probe", generation: 1, at: "2026-02-01T00:00:00.000Z", by: "autoscaler" };
    await publish(redis, prefix, descriptor("one"), descriptor("two", { count: 2 }));
    await retireRelease(redis, keys, "one");
    await Promise.all([retireLaneOf(redis, keys, lane), publish(redis, prefix, descriptor("one"))]);
    const { queues, releases } = await loadRegistry(redis, keys);
    expect(releases.one?.state).toBe("live");
    expect(queues.probe?.generations[0]).toEqual({ generation: 1, reads: ["probe.task@1"] });
  });
});

describe("a follower", () => {
  redisTest("asks for the document only when its revision is another", async ({ redis, prefix }) => {
    const keys = keysOf(prefix);
    await publish(redis, prefix, descriptor("one"), descriptor("two", { count: 2 }));
    const follower = new RegistryFollower(redis, keys);
    expect(await follower.refresh()).toBe(true);
    expect(await redis.get(keys.registryRevision)).toBe(String(follower.document.revision));

    // Were the document read, a text that is no registry would be an error.
    const text = await redis.get(keys.registry);
    await redis.set(keys.registry, "not a registry");
    expect(await follower.refresh()).toBe(false);
    expect(await follower.refresh()).toBe(false);
    await redis.set(keys.registry, text ?? "");

    await move(redis, prefix, {});
    expect(await follower.refresh()).toBe(true);
    expect(gateIn(follower.document)).toBe(2);
  });

  redisTest("keeps one document while nothing changes", async ({ redis, prefix }) => {
    await publish(redis, prefix, descriptor("one"));
    const follower = new RegistryFollower(redis, keysOf(prefix));
    await follower.refresh();
    const { document } = follower;
    await follower.refresh();
    // Reader and checks are compiled once for a document, so it must stay the same object.
    expect(follower.document).toBe(document);
  });
});

describe("a registry from before its revision had a key", () => {
  async function withoutRevisionKey(redis: Redis, prefix: string): Promise<void> {
    await publish(redis, prefix, descriptor("one"), descriptor("two", { count: 2 }));
    expect(await redis.del(keysOf(prefix).registryRevision)).toBe(1);
  }

  redisTest("is still changed by compare-and-set, and gets the key", async ({ redis, prefix }) => {
    const keys = keysOf(prefix);
    await withoutRevisionKey(redis, prefix);
    const { revision } = await loadRegistry(redis, keys);
    const decisions = await times(20, () => move(redis, prefix, { expected: 1 }));
    expect(kindsOf(decisions)).toEqual({ moved: 1, "gate-moved": 19 });
    expect((await loadRegistry(redis, keys)).revision).toBe(revision + 1);
    expect(await redis.get(keys.registryRevision)).toBe(String(revision + 1));
  });

  redisTest("is not written over when it changes between reading and setting", async ({ redis, prefix }) => {
    const keys = keysOf(prefix);
    await withoutRevisionKey(redis, prefix);
    const set = redis.eval.bind(redis);
    // A process from before the key retires a release just as ours is about to set its document.
    const interrupted = vi.spyOn(redis, "eval").mockImplementationOnce(async (...args: unknown[]) => {
      const document = retire(await loadRegistry(redis, keys), "one");
      await redis.set(keys.registry, JSON.stringify(document));
      return set(...(args as Parameters<typeof set>));
    });
    expect(await move(redis, prefix, { expected: 1 })).toMatchObject({ kind: "moved" });
    expect(interrupted).toHaveBeenCalledTimes(2);
    const { releases, types } = await loadRegistry(redis, keys);
    expect([releases.one?.state, types["probe.task"]?.activeVersion]).toEqual(["retired", 2]);
  });

  redisTest("is followed all the same", async ({ redis, prefix }) => {
    const keys = keysOf(prefix);
    await withoutRevisionKey(redis, prefix);
    const follower = new RegistryFollower(redis, keys);
    expect(await follower.refresh()).toBe(true);
    expect(await follower.refresh()).toBe(false);
    await retireRelease(redis, keys, "one");
    expect(await follower.refresh()).toBe(true);
    expect(follower.document.releases.one?.state).toBe("retired");
  });
});
