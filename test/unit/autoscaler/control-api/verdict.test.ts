import { describe, expect, test } from "vitest";
import { laneRows } from "#autoscaler/control-api/lane-state";
import { findingsOf } from "#autoscaler/control-api/verdict";
import {
  decisionRecord,
  laneTrip,
  laneView,
  lateLane,
  queueView,
  snapshotOf,
  workerView,
} from "./build-look.ts";

const sentences = (...args: Parameters<typeof findingsOf>) =>
  findingsOf(...args).map(({ level, sentence }) => `${level}: ${sentence}`);

describe("the verdict", () => {
  test("is one sentence when all is well", () => {
    expect(sentences(snapshotOf(), [])).toEqual(["fine: Everything is on time."]);
  });

  test("is not known before a release is published", () => {
    const snapshot = snapshotOf({ queues: [], workers: [], releases: [] });
    expect(sentences(snapshot, [])).toEqual(["unknown: No release is published yet."]);
  });

  test("does not call on time what nothing is promised for", () => {
    const unpromised = queueView({ queue: "mail", pickupPromiseMs: null });
    expect(sentences(snapshotOf({ queues: [unpromised] }), [])).toEqual([
      "unknown: Nothing is wrong, but no pickup time is promised for mail.",
    ]);
    expect(sentences(snapshotOf({ queues: [queueView(), unpromised] }), [])).toEqual([
      "fine: Everything promised is on time; no pickup time is promised for mail.",
    ]);
  });

  test("tells of a late lane with its age and its promise", () => {
    const snapshot = snapshotOf({ queues: [queueView({ lanes: [lateLane(47_000)] })] });
    expect(sentences(snapshot, [])).toEqual(["alarm: shop.r1 is late: oldest job 47 s (promise 5 s)."]);
  });

  test("is not late at the promise itself", () => {
    const snapshot = snapshotOf({ queues: [queueView({ lanes: [lateLane(5_000)] })] });
    expect(sentences(snapshot, [])).toEqual(["fine: Everything is on time."]);
  });

  test("says of a late lane when nobody takes from it and when its pool is at its limit", () => {
    const snapshot = snapshotOf({ queues: [queueView({ lanes: [lateLane(47_000, { consumers: 0 })] })] });
    const decisions = [
      decisionRecord({ queue: "mail" }),
      decisionRecord({ limitedBy: "workers-max" }),
      decisionRecord({ limitedBy: null }),
    ];
    expect(sentences(snapshot, decisions)).toEqual([
      "alarm: shop.r1 is late: oldest job 47 s (promise 5 s). No worker takes from it. Its pool is at workersMax.",
    ]);
  });

  test("names three late lanes and counts the others", () => {
    const lanes = [9, 8, 7, 6].map((seconds) => lateLane(seconds * 1_000, { lane: `shop.r${seconds}` }));
    const found = sentences(snapshotOf({ queues: [queueView({ lanes })] }), []);
    expect(found).toHaveLength(4);
    expect(found.at(-1)).toBe("alarm: 1 more lane is late.");
  });

  test("tells a lane whose releases have no worker from one that no release reads", () => {
    const lanes = [
      laneView({ orphaned: true, scheduled: 1, readers: ["shop-1"], consumers: 0 }),
      laneView({ lane: "shop.r2", orphaned: true, scheduled: 1, readers: [], consumers: 0 }),
    ];
    expect(sentences(snapshotOf({ queues: [queueView({ lanes })] }), [])).toEqual([
      "alarm: 1 lane has jobs nobody reads: shop.r2.",
      "alarm: 1 lane has jobs whose releases have no worker and get none: shop.r1 (shop-1).",
    ]);
  });

  test("puts lanes that nobody reads first, and stored jobs last", () => {
    const lanes = [lateLane(47_000), laneView({ lane: "shop.r2", orphaned: true, waiting: 1, readers: [] })];
    const queues = [
      queueView({ lanes, quarantined: 3, parked: 12 }),
      queueView({ queue: "mail", parked: 1, lanes: [] }),
    ];
    const workers = [
      workerView({ worker: "w2", state: "suspect", reason: "no heartbeat for 7 s" }),
      workerView({ worker: "w3", state: "dead", reason: "its process has ended" }),
    ];
    expect(sentences(snapshotOf({ queues, workers }), [])).toEqual([
      "alarm: 1 lane has jobs nobody reads: shop.r2.",
      "alarm: shop.r1 is late: oldest job 47 s (promise 5 s).",
      "warning: 1 worker is dead: w3 (its process has ended).",
      "warning: 1 worker is suspect: w2 (no heartbeat for 7 s).",
      "warning: 3 jobs are quarantined, in shop.",
      "warning: 13 jobs are parked until a release reads them: 12 in shop, 1 in mail.",
    ]);
  });
});

describe("a lane that every release which takes it fails to read", () => {
  const trips = [laneTrip()];
  const tripped = laneView({ tripped: true, trips, waiting: 3, scheduled: 2, inFlight: 1, consumers: 0 });

  test("is an alarm that says who fails, at what, that nothing is lost, and what to do", () => {
    expect(sentences(snapshotOf({ queues: [queueView({ lanes: [tripped] })] }), [])).toEqual([
      "alarm: shop.r1 stands still with 6 jobs: release shop-2 fails at its own step of receipt.render to version 2. " +
        "No job is lost and no attempt is used up. Deploy a fixed build, or bring back a release that reads the lane.",
    ]);
  });

  test("is told before late lanes and once, however late it is", () => {
    const late = { ...tripped, oldestDueAgeMs: 60_000 };
    const lanes = [lateLane(47_000, { lane: "shop.r2" }), late];
    const found = sentences(snapshotOf({ queues: [queueView({ lanes })] }), []);
    expect(found.map((it) => it.slice(0, 22))).toEqual(["alarm: shop.r1 stands ", "alarm: shop.r2 is late"]);
  });

  test("names every release that fails, and three such lanes", () => {
    const two = [laneTrip(), laneTrip({ release: "shop-3", type: "csv.summarise", targetVersion: 4 })];
    const lanes = [1, 2, 3, 4, 5].map((k) => ({ ...tripped, lane: `shop.r${k}`, trips: two }));
    const found = sentences(snapshotOf({ queues: [queueView({ lanes })] }), []);
    expect(found).toHaveLength(4);
    expect(found[0]).toContain(
      "version 2, release shop-3 fails at its own step of csv.summarise to version 4.",
    );
    expect(found[3]).toBe("alarm: 2 more lanes are tripped.");
  });

  test("is a warning while another release still takes from it", () => {
    const lane = laneView({ trips, waiting: 3, readers: ["shop-1", "shop-2"] });
    expect(sentences(snapshotOf({ queues: [queueView({ lanes: [lane] })] }), [])).toEqual([
      "warning: In shop.r1 release shop-2 fails at its own step of receipt.render to version 2. Other releases still take from it.",
    ]);
    const empty = laneView({ trips, consumers: 0 });
    expect(sentences(snapshotOf({ queues: [queueView({ lanes: [empty] })] }), [])).toEqual([
      "warning: In shop.r1 release shop-2 fails at its own step of receipt.render to version 2.",
    ]);
  });
});

describe("memory", () => {
  const ofMemory = (usedBytes: number) =>
    sentences(snapshotOf({ memory: { usedBytes, maxBytes: 1_000 } }), []);

  test("is told from 70 % on, and alarms from 85 % on, where jobs are refused", () => {
    expect(ofMemory(699)).toEqual(["fine: Everything is on time."]);
    expect(ofMemory(700)).toEqual([
      "warning: Redis' memory is 70 % full: finished jobs are cleaned away early; at 85 % new jobs are refused.",
    ]);
    expect(ofMemory(850)).toEqual([
      "alarm: Redis' memory is 85 % full: new jobs are refused. What is queued goes on, and the door opens again " +
        "when it is worked off.",
    ]);
  });

  test("without a limit is no finding", () => {
    const memory = { usedBytes: 1_000, maxBytes: 0 };
    expect(sentences(snapshotOf({ memory }), [])).toEqual(["fine: Everything is on time."]);
  });
});

describe("lanes", () => {
  test("come worst first: unread, tripped, late, then by how much of the promise is used", () => {
    const shop = queueView({
      lanes: [
        laneView({ lane: "shop.r1" }),
        laneView({ lane: "shop.r2", waiting: 1, oldestDueAgeMs: 2_000 }),
        lateLane(6_000, { lane: "shop.r3" }),
        laneView({ lane: "shop.r4", orphaned: true, scheduled: 1, readers: [] }),
        lateLane(9_000, { lane: "shop.r5", tripped: true }),
      ],
    });
    // 9 s of 10 s is more of a promise than 2 s of 5 s; 100 s of 10 s is more than 6 s of 5 s.
    const mail = queueView({
      queue: "mail",
      pickupPromiseMs: 10_000,
      lanes: [lateLane(9_000, { lane: "mail.r1" }), lateLane(100_000, { lane: "mail.r2" })],
    });
    expect(laneRows([shop, mail]).map(({ lane, state }) => `${lane.lane} ${state}`)).toEqual([
      "shop.r4 orphaned",
      "shop.r5 tripped",
      "mail.r2 late",
      "shop.r3 late",
      "mail.r1 on-time",
      "shop.r2 on-time",
      "shop.r1 idle",
    ]);
  });
});
