/** Rollouts led from their beginning to their end, on a real Redis with workers that are only heartbeats. */
import type { Redis } from "ioredis";
import { describe, expect } from "vitest";
import type { Rollout } from "#autoscaler/rollout/rollout-document";
import { StaleEpochError } from "#shared/errors";
import { keysOf } from "#shared/redis/keys";
import { ReleaseOrdersStore } from "#shared/redis/release-orders-store";
import { Dice } from "#test/support/dice";
import {
  configFor,
  type Kill,
  Killed,
  type LeaderWrite,
  LedPool,
  POOL,
  type Quality,
} from "#test/support/led-pool";
import { redisTest } from "#test/support/redis-test";

const ASK = { pool: POOL, to: "v2", by: "ben", why: "the new template engine" };

/** Steps of 25 % and all, then the gate: how a rollout goes that nothing comes in the way of. */
const GOES_WELL = [
  ...["start", "verify", "open-step", "started", "drained", "soaked"],
  ...["open-step", "started", "drained", "soaked"],
  ...["raise-gate", "gate-raised", "soaked", "current"],
  ...["drain", "quiet", "drained", "retired"],
];

/** What happened, without what the number of looks decides. */
function wayOf({ history }: Rollout): readonly string[] {
  const told = history.map(({ what }) => what).filter((what) => what !== "extend" && what !== "baseline");
  return told.filter((what, index) => what !== told[index - 1]);
}

interface Qualities {
  readonly v1?: Quality;
  readonly v2?: Quality;
  /** Beside the pool's policy. */
  readonly rollout?: Readonly<Record<string, unknown>>;
}

/** A pool of v1 with four workers, and v2 that is published and has no part in it. */
async function aPool(
  redis: Redis,
  prefix: string,
  { v1 = { failing: 0 }, v2 = { failing: 0 }, rollout = {} }: Qualities = {},
): Promise<LedPool> {
  const pool = new LedPool(redis, prefix, configFor(["v1", "v2", "v3"], rollout));
  await pool.publish("v1", 1, v1);
  await pool.publish("v2", 2, v2);
  await pool.newLeader();
  await pool.round();
  await pool.beat();
  expect(pool.counts()).toEqual({ "v1 all": 4 });
  return pool;
}

describe("a rollout", () => {
  redisTest("brings a release in, raises its gate and retires the old one", async ({ redis, prefix }) => {
    const pool = await aPool(redis, prefix);
    expect(await pool.desk.start(ASK)).toMatchObject({
      kind: "started",
      rollout: { from: "v1", to: "v2", gates: [{ type: "mail.send", before: 1, wanted: 2 }] },
    });
    const rollout = await pool.until(({ state }) => state === "retired");
    expect(wayOf(rollout)).toEqual(GOES_WELL);
    expect([await pool.stateOf("v1"), await pool.gate()]).toEqual(["retired", 2]);
    for (const _round of [1, 2]) {
      await pool.round();
      await pool.beat();
    }
    expect(pool.counts()).toEqual({ "v2 all": 4 });
    expect(await pool.desk.history(POOL)).toEqual([]);
    const codes = (await pool.desk.records(POOL, { limit: 500 })).map(({ code }) => code);
    expect(codes.at(-1)).toBe("start");
    expect(codes).toContain("retired");
  });

  redisTest(
    "halts a bad release, has the old one back, and never raises its gate",
    async ({ redis, prefix }) => {
      const pool = await aPool(redis, prefix, { v2: { failing: 0.6 } });
      await pool.desk.start(ASK);
      const rollout = await pool.until(({ state, direction }) => state === "drained" && direction === "back");
      expect(rollout.halt?.gate).toBe("failures");
      expect(rollout.halt?.suspects[0]).toMatchObject({ kind: "release", name: "v2" });
      expect(wayOf(rollout)).toEqual([
        ...["start", "verify", "open-step", "started", "drained", "soaked"].slice(
          0,
          wayOf(rollout).indexOf("halt"),
        ),
        ...["halt", "roll-back", "restore", "drain", "quiet", "drained"],
      ]);
      expect([await pool.gate(), pool.counts()]).toEqual([1, { "v1 all": 4 }]);
      const told = await new ReleaseOrdersStore(redis, keysOf(prefix)).read(POOL);
      expect(told.v1).toMatchObject({ takes: "all", discounted: ["v2"] });
      expect(told.v2).toMatchObject({ takes: "nothing", discounted: ["v2"] });
      // It stays discounted beside the next rollout, and another can begin.
      await pool.publish("v3", 2);
      expect(await pool.desk.start({ ...ASK, to: "v3" })).toMatchObject({ kind: "started" });
      await pool.round();
      expect((await new ReleaseOrdersStore(redis, keysOf(prefix)).read(POOL)).v3?.discounted).toEqual(["v2"]);
    },
  );

  redisTest(
    "opens no step over a job that does not end, and takes it back in time",
    async ({ redis, prefix }) => {
      const pool = await aPool(redis, prefix, {
        v1: { failing: 0, stuck: 1 },
        rollout: { drainDeadlineMs: 150 },
      });
      await pool.desk.start(ASK);
      const rollout = await pool.until(({ state }) => state === "current" || state === "draining", 300);
      const way = wayOf(rollout);
      expect(way.slice(2, 7)).toEqual(["open-step", "started", "hand-back", "drained", "soaked"]);
      expect(way.filter((what) => what === "hand-back").length).toBeGreaterThanOrEqual(1);
    },
  );

  redisTest("quarantines one bad worker of a good release, and goes on", async ({ redis, prefix }) => {
    const v2 = { failing: 0, firstFailing: 0.5 };
    const pool = await aPool(redis, prefix, { v2, rollout: { steps: [0.75, 1] } });
    await pool.desk.start(ASK);
    const rollout = await pool.until(({ state }) => state === "retired", 200);
    expect(rollout.quarantined).toHaveLength(1);
    expect(wayOf(rollout)).toContain("quarantine");
    expect(rollout.halt).toBeNull();
  });

  redisTest(
    "is asked by people at any autoscaler, and refuses who saw another revision",
    async ({ redis, prefix }) => {
      const pool = await aPool(redis, prefix);
      const nobody = { pool: POOL, kind: "pause", by: "ben", why: "lunch" } as const;
      expect(await pool.desk.act(nobody)).toEqual({ kind: "no-rollout" });
      await pool.desk.start(ASK);
      expect(await pool.desk.act({ ...nobody, revision: 7 })).toMatchObject({ code: "stale-revision" });
      const paused = await pool.desk.act(nobody);
      expect(paused).toMatchObject({ kind: "done", rollout: { paused: { by: "ben", why: "lunch" } } });
      await pool.round();
      expect((await pool.rollout()).state).toBe("registered");
      expect((await pool.desk.get(POOL))?.lastRecord?.code).toBe("paused");
      expect(await pool.desk.act({ ...nobody, kind: "resume" })).toMatchObject({ kind: "done" });
      const undone = await pool.until(({ state }) => state === "soaking");
      expect(undone.paused).toBeNull();
      expect(await pool.desk.act({ ...nobody, kind: "abort" })).toMatchObject({ kind: "done" });
      const back = await pool.until(({ state, direction }) => state === "drained" && direction === "back");
      expect(back.back).toMatchObject({ failed: false, by: "ben" });
      expect(pool.counts()).toEqual({ "v1 all": 4 });
    },
  );

  redisTest("has the release retired that still left when the next one began", async ({ redis, prefix }) => {
    const pool = await aPool(redis, prefix, { rollout: { drainHoldMs: 3_600_000 } });
    await pool.desk.start(ASK);
    await pool.until(({ state, quietSinceMs }) => state === "draining" && quietSinceMs !== null);
    await pool.publish("v3", 2);
    expect(await pool.desk.start({ ...ASK, to: "v3" })).toMatchObject({
      kind: "started",
      rollout: { from: "v2" },
    });
    expect((await pool.desk.history(POOL)).map(({ to }) => to)).toEqual(["v2"]);
    await pool.until(({ state }) => state === "soaking");
    expect([await pool.stateOf("v1"), await pool.stateOf("v2")]).toEqual(["retired", "live"]);
  });

  redisTest(
    "keeps the old workers warm in its window, also while the pool is frozen",
    async ({ redis, prefix }) => {
      const pool = await aPool(redis, prefix, { rollout: { rollbackWindowMs: 3_600_000 } });
      await pool.desk.start(ASK);
      await pool.until(({ state }) => state === "current");
      const setting = {
        by: "ben",
        why: "quiet",
        at: "2026-01-31T12:00:00Z",
        expiresAt: "2026-01-31T13:00:00Z",
      };
      for (const freeze of [null, { ...setting, pool: POOL, hard: false, held: {} }]) {
        pool.freeze = freeze;
        await pool.round();
        await pool.beat();
        expect(pool.counts()).toEqual({ "v1 nothing": 4, "v2 all": 4 });
      }
      pool.freeze = null;
      expect(await pool.desk.act({ ...ASK, kind: "undo" })).toMatchObject({ kind: "done" });
      const back = await pool.until(({ state, direction }) => state === "drained" && direction === "back");
      expect([await pool.gate(), back.back?.by, pool.counts()]).toEqual([1, "ben", { "v1 all": 4 }]);
    },
  );

  redisTest("that cannot be read leaves the pool as it is", async ({ redis, prefix }) => {
    const pool = await aPool(redis, prefix);
    await pool.desk.start(ASK);
    await pool.until(({ state }) => state === "soaking");
    await pool.round();
    await pool.beat();
    const before = pool.counts();
    const keys = keysOf(prefix);
    const told = await redis.hgetall(keys.releaseOrders(POOL));
    await redis.hset(keys.rollouts, POOL, "9|v2-x|{}");
    await pool.round();
    await pool.beat();
    expect([pool.counts(), await redis.hgetall(keys.releaseOrders(POOL))]).toEqual([before, told]);
  });
});

describe("a leader that is killed", () => {
  const kinds = (["transition", "orders"] as const).flatMap((write) =>
    (["before", "after"] as const).map((moment) => ({ write, moment })),
  );

  redisTest.for(kinds)(
    "at every change, $moment its $write, costs a look and no step",
    async (kind, { redis, prefix }) => {
      const pool = await aPool(redis, prefix);
      await pool.desk.start(ASK);
      const killed = await pool.untilThroughKills(
        ({ state }) => state === "retired",
        () => once(kind),
      );
      const rollout = await pool.rollout();
      expect(wayOf(rollout)).toEqual(GOES_WELL);
      expect(rollout.history.map(({ revision }) => revision)).toEqual(
        rollout.history.map((_it, index) => index + 1),
      );
      expect([await pool.stateOf("v1"), await pool.gate()]).toEqual(["retired", 2]);
      expect(killed).toBeGreaterThan(10);
    },
  );

  /** Each leader stores one transition, and is killed at the next moment of that kind. */
  function once({
    write,
    moment,
  }: {
    readonly write: LeaderWrite;
    readonly moment: "before" | "after";
  }): Kill {
    let stored = 0;
    return (of, at) => {
      if (stored > 0 && of === write && at === moment) throw new Killed();
      if (of === "transition" && at === "before") stored += 1;
    };
  }

  redisTest.for([1, 2, 3])(
    "anywhere, seed %i, lets a bad release be halted and no gate skipped",
    async (seed, { redis, prefix }) => {
      const dice = new Dice(seed);
      const pool = await aPool(redis, prefix, { v2: { failing: 0.6 } });
      await pool.desk.start(ASK);
      await pool.untilThroughKills(
        ({ state, direction }) => state === "drained" && direction === "back",
        () => {
          let left = 1 + dice.below(25);
          return () => {
            left -= 1;
            if (left === 0) throw new Killed();
          };
        },
      );
      const rollout = await pool.rollout();
      expect(rollout.halt?.gate).toBe("failures");
      expect(wayOf(rollout).filter((what) => what === "open-step")).toHaveLength(1);
      expect([await pool.gate(), pool.counts()]).toEqual([1, { "v1 all": 4 }]);
    },
  );

  redisTest("and only paused changes nothing any more", async ({ redis, prefix }) => {
    const pool = await aPool(redis, prefix);
    await pool.desk.start(ASK);
    const { keeper: old, epoch } = pool;
    await pool.newLeader();
    const before = await pool.rollout();
    await old.refresh();
    const { snapshot, document, redisNowMs } = await pool.look();
    const observation = { snapshot, document, redisNowMs };
    const term = { epoch, require: () => undefined };
    await expect(old.step(POOL, { observation, workersWanted: 4, term })).rejects.toBeInstanceOf(
      StaleEpochError,
    );
    expect(await pool.rollout()).toEqual(before);
  });
});
