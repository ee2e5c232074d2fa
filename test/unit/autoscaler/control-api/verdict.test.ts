import { describe, expect, test } from "vitest";
import { laneRows } from "#autoscaler/control-api/lane-state";
import { findingsOf } from "#autoscaler/control-api/verdict";
import { decisionRecord, laneView, lateLane, queueView, snapshotOf, workerView } from "./build-look.ts";

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

describe("lanes", () => {
  test("come worst first: unread, late, then by how much of the promise is used", () => {
    const shop = queueView({
      lanes: [
        laneView({ lane: "shop.r1" }),
        laneView({ lane: "shop.r2", waiting: 1, oldestDueAgeMs: 2_000 }),
        lateLane(6_000, { lane: "shop.r3" }),
        laneView({ lane: "shop.r4", orphaned: true, scheduled: 1, readers: [] }),
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
      "mail.r2 late",
      "shop.r3 late",
      "mail.r1 on-time",
      "shop.r2 on-time",
      "shop.r1 idle",
    ]);
  });
});
