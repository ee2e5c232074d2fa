/** The trips of lanes, shared by the workers of a release, on a real Redis. */
import { describe, expect } from "vitest";
import { keysOf } from "#shared/redis/keys";
import { LaneTripStore, tripField } from "#shared/redis/lane-trips";
import { redisTest } from "#test/support/redis-test";

const AT = { release: "probe-v2", lane: "probe.r1" };
const LANES = [AT.lane, "probe.r2"];

const defect = { type: "probe.task", targetVersion: 2, code: "UPCAST_FAILED", jobId: "probe~a" };

function tripFor(lengthMs: number, failures = 1) {
  return { ...defect, failures, lengthMs };
}

const HOUR_MS = 3_600_000;

/** A trip as it lies in Redis, ended `ms` ago. */
function endedAgo(nowMs: number, ms: number, failures = 1): string {
  return JSON.stringify({ ...defect, failures, atMs: nowMs - ms - 30_000, untilMs: nowMs - ms });
}

describe("a lane's trip", () => {
  redisTest(
    "is stamped by Redis' clock and read by every worker of the release",
    async ({ redis, prefix }) => {
      const mine = new LaneTripStore(redis, keysOf(prefix));
      const theirs = new LaneTripStore(redis, keysOf(prefix));
      const { set, trip } = await mine.trip(AT, null, tripFor(30_000));
      expect([set, trip]).toEqual([true, expect.objectContaining({ ...defect, failures: 1 })]);
      expect((trip?.untilMs ?? 0) - (trip?.atMs ?? 0)).toBe(30_000);
      const { redisNowMs, trips } = await theirs.read(AT.release, LANES);
      expect(Math.abs(redisNowMs - (trip?.atMs ?? 0))).toBeLessThan(5_000);
      expect([...trips]).toEqual([[AT.lane, trip]]);
      expect((await theirs.read("probe-v1", LANES)).trips.size).toBe(0);
    },
  );

  redisTest("of two workers that fail at once is the first one's", async ({ redis, prefix }) => {
    const store = new LaneTripStore(redis, keysOf(prefix));
    const first = await store.trip(AT, null, tripFor(30_000));
    const second = await store.trip(AT, null, tripFor(28_000));
    expect(second).toEqual({ set: false, trip: first.trip });
  });

  redisTest("is made longer only by who knows how long it was", async ({ redis, prefix }) => {
    const store = new LaneTripStore(redis, keysOf(prefix));
    const first = await store.trip(AT, null, tripFor(30_000));
    expect(await store.trip(AT, first.trip, tripFor(60_000, 2))).toMatchObject({
      set: true,
      trip: { failures: 2 },
    });
    expect(await store.trip(AT, first.trip, tripFor(60_000, 2))).toMatchObject({
      set: false,
      trip: { failures: 2 },
    });
  });

  redisTest("is ended by a success, unless it was made longer meanwhile", async ({ redis, prefix }) => {
    const store = new LaneTripStore(redis, keysOf(prefix));
    const first = await store.trip(AT, null, tripFor(30_000));
    await store.trip(AT, first.trip, tripFor(60_000, 2));
    await store.close(AT, { failures: 1 });
    expect((await store.read(AT.release, LANES)).trips.size).toBe(1);
    await store.close(AT, { failures: 2 });
    expect((await store.read(AT.release, LANES)).trips.size).toBe(0);
    await store.close(AT, { failures: 2 });
    expect(await store.trip(AT, first.trip, tripFor(60_000, 2))).toEqual({ set: false, trip: null });
  });

  redisTest("is half-open for an hour beyond its time and then forgotten", async ({ redis, prefix }) => {
    const keys = keysOf(prefix);
    const store = new LaneTripStore(redis, keys);
    const { redisNowMs } = await store.read(AT.release, LANES);
    await redis.hset(keys.fleetTrips, tripField(AT), endedAgo(redisNowMs, HOUR_MS - 60_000, 3));
    expect((await store.read(AT.release, LANES)).trips.get(AT.lane)).toMatchObject({ failures: 3 });
    expect(await store.observe([AT.release])).toHaveLength(1);

    await redis.hset(keys.fleetTrips, tripField(AT), endedAgo(redisNowMs, HOUR_MS, 3));
    expect((await store.read(AT.release, LANES)).trips.size).toBe(0);
    expect(await store.trip(AT, null, tripFor(30_000))).toMatchObject({ set: true, trip: { failures: 1 } });
  });

  redisTest("goes when its release is retired, and what is forgotten goes too", async ({ redis, prefix }) => {
    const keys = keysOf(prefix);
    const store = new LaneTripStore(redis, keys);
    const { redisNowMs } = await store.read(AT.release, LANES);
    await store.trip(AT, null, tripFor(30_000));
    await store.trip({ ...AT, release: "probe-v3" }, null, tripFor(30_000));
    await redis.hset(keys.fleetTrips, "probe-v3|probe.r2", endedAgo(redisNowMs, HOUR_MS));
    await redis.hset(keys.fleetTrips, "probe-v3|probe.r9", "{");
    expect(await store.observe(["probe-v1", "probe-v3"])).toEqual([
      expect.objectContaining({ ...defect, release: "probe-v3", lane: "probe.r1" }),
    ]);
    expect(await redis.hkeys(keys.fleetTrips)).toEqual(["probe-v3|probe.r1"]);
  });

  redisTest("of what is no trip is none", async ({ redis, prefix }) => {
    const keys = keysOf(prefix);
    const store = new LaneTripStore(redis, keys);
    for (const text of ["", "{", "7", "null", "[]", '{"untilMs":"soon"}', '{"untilMs":9e15}']) {
      await redis.hset(keys.fleetTrips, tripField(AT), text);
      expect((await store.read(AT.release, LANES)).trips.size).toBe(0);
    }
  });
});

describe("the trips of a fleet", () => {
  redisTest("are bounded: the one that ends first makes room", async ({ redis, prefix }) => {
    const keys = keysOf(prefix);
    const store = new LaneTripStore(redis, keys);
    for (let lane = 0; lane < 260; lane += 1) {
      const at = { release: "probe-v2", lane: `probe.r${lane}` };
      await store.trip(at, null, tripFor(30_000 + lane));
    }
    const fields = await redis.hkeys(keys.fleetTrips);
    expect(fields).toHaveLength(256);
    expect(fields).not.toContain("probe-v2|probe.r3");
    expect(fields).toContain("probe-v2|probe.r4");
  });

  redisTest("expire as a whole when nobody writes any more", async ({ redis, prefix }) => {
    const keys = keysOf(prefix);
    await new LaneTripStore(redis, keys).trip(AT, null, tripFor(600_000));
    const leftMs = await redis.pttl(keys.fleetTrips);
    // Not before the longest trip and its hour.
    expect(leftMs).toBeGreaterThan(600_000 + HOUR_MS);
    expect(leftMs).toBeLessThanOrEqual(2 * HOUR_MS);
  });
});
