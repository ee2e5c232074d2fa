/** The leader's lease, on a real Redis. */
import { describe, expect } from "vitest";
import { FleetStore } from "#shared/redis/fleet-store";
import { keysOf } from "#shared/redis/keys";
import { LEASE_MS, LeaderLease } from "#shared/redis/leader-lease";
import { redisTest } from "#test/support/redis-test";

const facts = { host: "here", pid: 1, machine: "m" };

describe("the leader's lease", () => {
  redisTest("is held by one, and each term has a higher epoch", async ({ redis, prefix }) => {
    const keys = keysOf(prefix);
    await redis.set(keys.epoch, "0");
    const first = new LeaderLease(redis, keys, { id: "a", facts });
    const second = new LeaderLease(redis, keys, { id: "b", facts });
    expect(await first.acquire(0)).toEqual({ kind: "leading", epoch: 1 });
    expect(await second.acquire(0)).toMatchObject({ kind: "held" });
    expect(await first.renew(1)).toBe(true);
    expect(await second.renew(1)).toBe(false);
    const look = await second.look();
    expect(look.leader).toMatchObject({ id: "a", epoch: 1, host: "here" });
    expect(look.autoscalers.map((it) => it.id).sort()).toEqual(["a", "b"]);
    await second.release();
    expect((await second.look()).leader?.id).toBe("a");
    await first.release();
    expect(await second.acquire(0)).toEqual({ kind: "leading", epoch: 2 });
    // Our own again, after a reply that was lost: another term.
    expect(await second.acquire(0)).toEqual({ kind: "leading", epoch: 3 });
    expect(await second.renew(2)).toBe(false);
  });

  redisTest("begins above the epoch that is known elsewhere", async ({ redis, prefix }) => {
    const keys = keysOf(prefix);
    await redis.set(keys.epoch, "7");
    const lease = new LeaderLease(redis, keys, { id: "a", facts });
    expect(await lease.acquire(41)).toEqual({ kind: "leading", epoch: 42 });
  });

  redisTest("begins above all earlier terms when Redis has lost their count", async ({ redis, prefix }) => {
    const keys = keysOf(prefix);
    const lease = new LeaderLease(redis, keys, { id: "a", facts });
    const [seconds = 0] = (await redis.time()).map(Number);
    const acquired = await lease.acquire(0);
    const epoch = acquired.kind === "leading" ? acquired.epoch : 0;
    expect(epoch).toBeGreaterThan(seconds);
    expect(epoch).toBeLessThan(seconds + 60);
    expect(await lease.renew(epoch)).toBe(true);
    await redis.set(keys.epoch, "nonsense");
    expect(await lease.renew(epoch)).toBe(false);
    expect(await lease.acquire(epoch)).toEqual({ kind: "leading", epoch: epoch + 1 });
  });

  redisTest("is lost with its key, or the count of epochs", async ({ redis, prefix }) => {
    const keys = keysOf(prefix);
    await redis.set(keys.epoch, "0");
    const lease = new LeaderLease(redis, keys, { id: "a", facts });
    await lease.acquire(0);
    await redis.del(keys.leader);
    expect(await lease.renew(1)).toBe(false);
    expect(await lease.acquire(0)).toEqual({ kind: "leading", epoch: 2 });
    await redis.del(keys.epoch);
    expect(await lease.renew(2)).toBe(false);
  });

  redisTest(
    "is taken over what is no lease, and given an end where it has none",
    async ({ redis, prefix }) => {
      const keys = keysOf(prefix);
      await redis.set(keys.epoch, "0");
      const lease = new LeaderLease(redis, keys, { id: "a", facts });
      await redis.set(keys.leader, "nonsense");
      expect(await lease.renew(1)).toBe(false);
      expect(await lease.acquire(0)).toEqual({ kind: "leading", epoch: 1 });
      await redis.del(keys.leader);
      await redis.hset(keys.leader, { id: "x" });
      expect(await lease.acquire(0)).toEqual({ kind: "held", leftMs: LEASE_MS });
      expect(await redis.pttl(keys.leader)).toBeGreaterThan(0);
      expect((await lease.look()).leader).toBeNull();
    },
  );
});

describe("what a leader of the past asks for", () => {
  redisTest("is refused, and changes nothing", async ({ redis, prefix }) => {
    const keys = keysOf(prefix);
    await redis.set(keys.epoch, "0");
    const fleet = new FleetStore(redis, keys);
    const lease = new LeaderLease(redis, keys, { id: "a", facts });
    await lease.acquire(0);
    await fleet.order("w-1", { epoch: 1, order: "drain" });
    await lease.acquire(0);
    const stale = { code: "EPOCH_STALE", epoch: 1, newest: 2 };
    await expect(fleet.order("w-1", { epoch: 1, order: "run" })).rejects.toMatchObject(stale);
    await expect(fleet.forget("w-1", 1)).rejects.toMatchObject(stale);
    expect(await redis.hget(keys.fleetOrders, "w-1")).toContain("drain");
    await fleet.forget("w-1", 2);
    expect(await redis.hget(keys.fleetOrders, "w-1")).toBeNull();
  });
});
