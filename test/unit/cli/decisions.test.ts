import { describe, expect, test } from "vitest";
import { decideTypeVersion } from "#cli/commands/decide-type-version";
import { decideVerdict, type VerdictQueue } from "#cli/commands/decide-verdict";
import { describeChange } from "#cli/describe-change";
import { decideRedisServer } from "#cli/dev/decide-redis-server";
import { longestDrainMs } from "#cli/dev/stop-plan";

const lane = {
  lane: "shop.r1",
  oldestDueAgeMs: 4_000,
  readers: ["shop-1"],
  orphaned: false,
  tripped: false,
  trips: [],
};

function queue(changes: Partial<VerdictQueue> = {}): VerdictQueue {
  const lanes = [lane];
  return { queue: "shop", pickupPromiseMs: 5_000, lanes, quarantined: 0, parked: 0, ...changes };
}

const well = { queues: [queue()], workers: [{ worker: "w-1", state: "ok", reason: null }], apiProblem: null };

describe("the verdict", () => {
  test("is ok while every promise is kept", () => {
    expect(decideVerdict(well)).toEqual({ kind: "ok", reasons: [] });
  });

  test("is late when the oldest job has waited longer than promised", () => {
    const lanes = [{ ...lane, oldestDueAgeMs: 5_001 }];
    const verdict = decideVerdict({ ...well, queues: [queue({ lanes })] });
    expect(verdict.kind).toBe("late");
    expect(verdict.reasons).toEqual(["the oldest job of shop.r1 waits 5 s, promised are 5 s"]);
    const unpromised = queue({ lanes, pickupPromiseMs: null });
    expect(decideVerdict({ ...well, queues: [unpromised] }).kind).toBe("ok");
  });

  test("is unhealthy when waiting will not mend it, with the gravest reason first", () => {
    const lanes = [{ ...lane, oldestDueAgeMs: 9_000, orphaned: true, readers: [] }];
    const verdict = decideVerdict({
      queues: [queue({ lanes, quarantined: 2, parked: 1 })],
      workers: [{ worker: "w-1", state: "suspect", reason: "no heartbeat" }],
      apiProblem: "the API is not ready",
    });
    expect(verdict.kind).toBe("unhealthy");
    expect(verdict.reasons[0]).toBe("the API is not ready");
    expect(verdict.reasons).toHaveLength(6);
  });

  test("is unhealthy while a lane stands still, and says who fails at what and that nothing is lost", () => {
    const trips = [{ release: "shop-2", type: "receipt.render", targetVersion: 2 }];
    const verdict = decideVerdict({
      ...well,
      queues: [queue({ lanes: [{ ...lane, tripped: true, trips }] })],
    });
    expect(verdict).toEqual({
      kind: "unhealthy",
      reasons: [
        "the lane shop.r1 stands still: release shop-2 fails at its own step of receipt.render to version 2; " +
          "no job is lost and no attempt is used up: deploy a fixed build, or bring back a release that reads the lane",
      ],
    });
  });

  test("is ok, with a reason, while another release goes on with a lane that one fails to read", () => {
    const trips = [{ release: "shop-2", type: "receipt.render", targetVersion: 2 }];
    expect(decideVerdict({ ...well, queues: [queue({ lanes: [{ ...lane, trips }] })] })).toEqual({
      kind: "ok",
      reasons: ["in the lane shop.r1 release shop-2 fails at its own step of receipt.render to version 2"],
    });
  });

  test("tells a lane whose releases have no worker from one that no release reads", () => {
    const orphaned = { ...lane, orphaned: true };
    expect(decideVerdict({ ...well, queues: [queue({ lanes: [orphaned] })] }).reasons).toEqual([
      "the lane shop.r1 has jobs, and shop-1 that reads it has no worker and gets none",
    ]);
    const unread = { ...orphaned, readers: [] };
    expect(decideVerdict({ ...well, queues: [queue({ lanes: [unread] })] }).reasons).toEqual([
      "the lane shop.r1 has jobs and no live release reads it",
    ]);
  });

  test("does not call parked jobs unhealthy: they wait for a release on purpose", () => {
    expect(decideVerdict({ ...well, queues: [queue({ parked: 3 })] })).toEqual({
      kind: "ok",
      reasons: ["3 jobs of shop wait for a release that reads them"],
    });
  });
});

describe("the schema version of a job that names none", () => {
  const types = [
    {
      type: "a.b",
      versions: [9, 10, 11].map((version) => ({ schemaversion: version, accepted: version < 11 })),
    },
    { type: "c.d", versions: [{ schemaversion: 1, accepted: false }] },
  ];

  test("is the highest that is accepted", () => {
    expect(decideTypeVersion(types, "a.b")).toEqual({ kind: "version", version: 10 });
  });

  test("is none when none is accepted, or the type is not known", () => {
    expect(decideTypeVersion(types, "c.d")).toEqual({ kind: "none-accepted" });
    expect(decideTypeVersion(types, "x.y")).toEqual({ kind: "type-unknown", knownTypes: ["a.b", "c.d"] });
  });
});

describe("what a scaling decision changed", () => {
  const start = { act: "start", release: "v2" };

  test("is said for each release whose number changes", () => {
    const decision = {
      queue: "shop",
      present: { v1: 2, v3: 1 },
      desired: { v2: 1, v3: 1 },
      actions: [start],
    };
    expect(describeChange(decision)).toBe("shop v1 2 -> 0, v2 0 -> 1");
  });

  test("is what was done when the numbers stay", () => {
    const decision = { queue: "shop", present: { v2: 1 }, desired: { v2: 1 }, actions: [start, start] };
    expect(describeChange(decision)).toBe("shop v2 start");
  });

  test("is nothing when nothing was done", () => {
    expect(describeChange({ queue: "shop", present: {}, desired: { v2: 1 }, actions: [] })).toBeNull();
  });
});

describe("the Redis server to run", () => {
  const old = { path: "/usr/bin/redis-server", answer: "Redis server v=6.2.14 sha=0" };
  const valkey = { path: "/usr/bin/valkey-server", answer: "Valkey server v=8.0.1 sha=0" };

  test("is the first that is new enough", () => {
    expect(decideRedisServer([old, valkey])).toEqual({ kind: "run", path: valkey.path, version: "8.0.1" });
    const just = { path: "/r", answer: "Redis server v=7.0.8 sha=0" };
    expect(decideRedisServer([just])).toMatchObject({ kind: "run" });
  });

  test("is none when there is none, or all are too old, and the reason says which", () => {
    expect(decideRedisServer([])).toMatchObject({ kind: "none" });
    expect(decideRedisServer([old, { path: "/odd", answer: "" }])).toMatchObject({
      kind: "none",
      reason: expect.stringMatching(/7\.0\.8.*redis-server is 6\.2\.14, \/odd is unknown/),
    });
  });
});

test("the stop waits for the longest drain of any pool", () => {
  const pool = {
    slotsPerWorker: 1,
    workersMin: 0,
    workersMax: 1,
    scaleInHoldMs: 60_000,
    executor: "local" as const,
  };
  expect(longestDrainMs({ pools: {} }, 30_000)).toBe(30_000);
  expect(longestDrainMs({ pools: { a: pool, b: { ...pool, drainDeadlineMs: 90_000 } } }, 30_000)).toBe(
    90_000,
  );
});
