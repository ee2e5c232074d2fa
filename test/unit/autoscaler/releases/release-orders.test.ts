import { describe, expect, test } from "vitest";
import { decideReleaseOrders, type OrdersInput } from "#autoscaler/releases/decide-release-orders";

const DOCUMENT = { takes: "all" as const, lanes: [], probeAttempt: null, handBack: false, discounted: [] };

function orders(over: Partial<OrdersInput> = {}) {
  return decideReleaseOrders({
    orders: [
      { kind: "share", release: "v1", workers: 3, takes: "all" },
      { kind: "share", release: "v2", workers: 1, takes: "all" },
    ],
    pool: { incumbent: "v1", parts: new Set(["v1", "v2"]) },
    releases: ["v1", "v2", "v3"],
    present: { v1: 4, v2: 0, v3: 2 },
    quarantined: {},
    before: {},
    discounted: [],
    workersWanted: 4,
    ownLanes: () => ["mail.r2"],
    ...over,
  });
}

describe("decideReleaseOrders", () => {
  test("splits the pool as ordered, and gives nothing to who has no part", () => {
    const { desired, documents } = orders();
    expect(desired).toEqual({ v1: 3, v2: 1, v3: 0 });
    expect(documents).toEqual({ v1: DOCUMENT, v2: DOCUMENT, v3: { ...DOCUMENT, takes: "nothing" } });
  });

  test("counts warm workers as there and not as taking", () => {
    const { desired, taking } = orders({
      orders: [
        { kind: "share", release: "v1", workers: 4, takes: "nothing" },
        { kind: "share", release: "v2", workers: 4, takes: "all" },
      ],
    });
    expect(desired).toEqual({ v1: 4, v2: 4, v3: 0 });
    expect(taking).toEqual({ v1: 0, v2: 4, v3: 0 });
  });

  test("has another worker stand in for one that is quarantined, unless all are to leave", () => {
    expect(orders({ quarantined: { v1: 1, v2: 1 } }).desired).toEqual({ v1: 4, v2: 2, v3: 0 });
    const leaving = [{ kind: "share" as const, release: "v2", workers: 0, takes: "nothing" as const }];
    expect(orders({ orders: leaving, quarantined: { v2: 1 } }).desired.v2).toBe(0);
  });

  test("keeps what was told last of what is not ordered, and starts nothing new meanwhile", () => {
    const before = { v2: { ...DOCUMENT, takes: "probe" as const, probeAttempt: 4 } };
    const gate = { kind: "set-gate" as const, type: "t", version: 1, raise: false };
    const { desired, documents } = orders({ orders: [gate], before });
    expect(desired).toEqual({ v1: 4, v2: 0, v3: 0 });
    expect(documents.v1).toEqual(DOCUMENT);
    expect(documents.v2).toEqual(before.v2);
    // Of a release that was told nothing before, only who has the pool takes.
    expect(orders({ orders: [gate] }).documents.v2?.takes).toBe("nothing");
  });

  test("gives a pool without a rollout to the one that has it", () => {
    const { desired, documents } = orders({
      orders: [],
      pool: { incumbent: "v1", parts: new Set(["v1"]) },
    });
    expect(desired).toEqual({ v1: 4, v2: 0, v3: 0 });
    expect(documents.v1).toEqual(DOCUMENT);
  });

  test("names the lanes of who keeps its own, the probe and what is taken back", () => {
    const { documents } = orders({
      orders: [
        { kind: "share", release: "v1", workers: 1, takes: "own-lanes" },
        { kind: "hand-back", release: "v1" },
        { kind: "share", release: "v2", workers: 1, takes: "probe" },
        { kind: "start-probe", release: "v2", attempt: 7 },
      ],
    });
    expect(documents.v1).toEqual({ ...DOCUMENT, takes: "own-lanes", lanes: ["mail.r2"], handBack: true });
    expect(documents.v2).toEqual({ ...DOCUMENT, takes: "probe", probeAttempt: 7 });
  });

  test("discounts failed releases for every release, one of the past only while it has no part again", () => {
    const { documents } = orders({
      orders: [{ kind: "requeue-exhausted", release: "v2" }],
      discounted: ["v0", "v1"],
    });
    expect(documents.v1?.discounted).toEqual(["v0", "v2"]);
    expect(documents.v3?.discounted).toEqual(["v0", "v2"]);
  });
});
