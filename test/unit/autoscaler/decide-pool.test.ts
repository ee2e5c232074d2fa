import { describe, expect, test } from "vitest";
import type { PoolLane, PoolRelease } from "#autoscaler/scaling/decide-lane-owners";
import { decidePool, type PoolObservation, type PoolPolicy } from "#autoscaler/scaling/decide-pool";

const policy: PoolPolicy = { slotsPerWorker: 4, workersMin: 0, workersMax: 20 };

/** A lane of generation 1 that needs four slots: one worker. */
function lane(changes: Partial<PoolLane> = {}): PoolLane {
  const generation = changes.generation ?? 1;
  return { lane: `shop.r${generation}`, generation, slots: 4, hasWork: true, terms: null, ...changes };
}

/** A live release of generation 1 without workers. */
function release(id: string, changes: Partial<PoolRelease> = {}): PoolRelease {
  return {
    release: id,
    generation: 1,
    readsGenerations: [changes.generation ?? 1],
    trippedGenerations: [],
    publishedOrder: 1,
    live: true,
    workers: 0,
    draining: 0,
    ...changes,
  };
}

/** One lane, one release, and a hold window in which nothing was wanted. */
function observe(changes: Partial<PoolObservation> = {}): PoolObservation {
  return {
    observedAtMs: 1_000_000,
    lanes: [lane()],
    releases: [release("a")],
    recent: { byRelease: {}, covered: true },
    ...changes,
  };
}

describe("decidePool", () => {
  test("turns slots into workers, rounded up", () => {
    // 42 slots / 4 = 10.5.
    const decision = decidePool(observe({ lanes: [lane({ slots: 42 })] }), policy);
    expect(decision).toMatchObject({
      kind: "sized",
      desired: { a: 11 },
      reason: "as-wanted",
      limitedBy: null,
    });
  });

  test("rounds the lanes of one release up together, since they share its slots", () => {
    // 5 + 3 = 8 slots: 2 workers, not 2 + 1.
    const lanes = [lane({ generation: 1, slots: 5 }), lane({ generation: 2, slots: 3 })];
    const releases = [release("a", { generation: 2, readsGenerations: [1, 2] })];
    expect(decidePool(observe({ lanes, releases }), policy).desired).toEqual({ a: 2 });
  });

  test("goes to zero when nothing is needed", () => {
    const decision = decidePool(observe({ lanes: [lane({ slots: 0, hasWork: false })] }), policy);
    expect(decision).toMatchObject({ desired: { a: 0 }, reason: "no-work" });
    expect(decision.sentence).toBe("wanted 0 workers: no lane is known to need a slot");
  });

  test("explains a number that the ceiling cut", () => {
    const terms = { fromInSystem: 42, fromDeadline: 17, fromArrivals: 28, fromBursts: 0 };
    const lanes = [lane({ slots: 42, terms })];
    const decision = decidePool(observe({ lanes }), { ...policy, workersMax: 9 });
    expect(decision).toMatchObject({
      wantedTotal: 11,
      appliedTotal: 9,
      limitedBy: "workers-max",
      reason: "workers-max",
    });
    expect(decision.sentence).toBe(
      "wanted 11 workers: lane shop.r1 needs 42 slots (in-system 42, deadline 17, arrivals 28), " +
        "4 slots a worker; limited to 9 by workersMax",
    );
  });

  describe("which release gets a lane", () => {
    test("the newest of the lane's own generation", () => {
      const releases = [
        release("older", { publishedOrder: 1 }),
        release("newer", { publishedOrder: 3 }),
        release("next", { publishedOrder: 5, generation: 2, readsGenerations: [1, 2] }),
      ];
      expect(decidePool(observe({ releases }), policy).desired).toEqual({ older: 0, newer: 1, next: 0 });
    });

    test("the nearest generation that reads it when its own is gone", () => {
      const releases = [
        release("own", { live: false }),
        release("near", { generation: 2, readsGenerations: [1, 2], publishedOrder: 2 }),
        release("far", { generation: 3, readsGenerations: [1, 2, 3], publishedOrder: 3 }),
      ];
      expect(decidePool(observe({ releases }), policy).desired).toEqual({ own: 0, near: 1, far: 0 });
    });

    test("the newest release that reads it, when a newer one has tripped it", () => {
      const good = release("good", { generation: 2, readsGenerations: [1, 2], publishedOrder: 2 });
      const broken = { ...good, release: "broken", publishedOrder: 3, trippedGenerations: [1] };
      expect(decidePool(observe({ releases: [good, broken] }), policy).desired).toEqual({
        good: 1,
        broken: 0,
      });
      // Nobody else reads it: somebody must be there to try again.
      expect(decidePool(observe({ releases: [broken] }), policy).desired).toEqual({ broken: 1 });
    });

    test("a release of its own generation before a lower one that claims to read it", () => {
      const releases = [
        release("lower", { readsGenerations: [1, 2], publishedOrder: 9 }),
        release("own", { generation: 2 }),
      ];
      const lanes = [lane({ generation: 2 })];
      expect(decidePool(observe({ lanes, releases }), policy).desired).toEqual({ lower: 0, own: 1 });
    });

    test("nobody when no live release reads it, and that is an alarm", () => {
      const lanes = [lane(), lane({ generation: 2, slots: 4 })];
      const decision = decidePool(observe({ lanes }), policy);
      expect(decision).toMatchObject({ desired: { a: 1 }, orphanLanes: ["shop.r2"] });
      expect(decision.sentence).toContain("no live release reads lane shop.r2, which has work");
    });

    test("an empty lane without a reader is no alarm", () => {
      const lanes = [lane({ generation: 2, slots: 0, hasWork: false })];
      expect(decidePool(observe({ lanes }), policy).orphanLanes).toEqual([]);
    });
  });

  describe("workersMin", () => {
    test("is made up by the newest release of the highest generation", () => {
      const releases = [
        release("a", { publishedOrder: 9 }),
        release("b", { generation: 2, publishedOrder: 2 }),
        release("c", { generation: 2, publishedOrder: 3 }),
      ];
      const decision = decidePool(observe({ releases }), { ...policy, workersMin: 3 });
      // Lane r1 wants one worker of a; two more are missing.
      expect(decision).toMatchObject({
        desired: { a: 1, b: 0, c: 2 },
        limitedBy: "workers-min",
        reason: "workers-min",
      });
      expect(decision.sentence).toContain("raised to 3 by workersMin");
    });

    test("is never made up by a retired release", () => {
      const releases = [release("a"), release("retired", { generation: 2, live: false })];
      const decision = decidePool(observe({ releases }), { ...policy, workersMin: 3 });
      expect(decision.desired).toEqual({ a: 3, retired: 0 });
    });

    test("starts the new release's workers while those of the old one are still held", () => {
      const releases = [release("old", { workers: 2 }), release("new", { publishedOrder: 2 })];
      const recent = { byRelease: { old: 2 }, covered: true };
      const lanes = [lane({ slots: 0, hasWork: false })];
      const decision = decidePool(observe({ lanes, releases, recent }), { ...policy, workersMin: 2 });
      expect(decision.desired).toEqual({ old: 2, new: 2 });
    });
  });

  describe("workersMax", () => {
    const two = [
      release("r1", { generation: 1 }),
      release("r2", { generation: 2, readsGenerations: [1, 2], publishedOrder: 2 }),
    ];

    test("cuts the largest first", () => {
      // 10 and 3 workers wanted, 8 allowed: 5 and 3.
      const lanes = [lane({ generation: 1, slots: 40 }), lane({ generation: 2, slots: 12 })];
      const decision = decidePool(observe({ lanes, releases: two }), { ...policy, workersMax: 8 });
      expect(decision).toMatchObject({ wantedTotal: 13, desired: { r1: 5, r2: 3 } });
    });

    test("leaves the release that reads the most lanes when there is room for one", () => {
      const lanes = [lane({ generation: 1, slots: 80 }), lane({ generation: 2, slots: 1 })];
      const decision = decidePool(observe({ lanes, releases: two }), { ...policy, workersMax: 1 });
      expect(decision).toMatchObject({ desired: { r1: 0, r2: 1 }, uncoveredLanes: [] });
    });

    test("tells which lanes it leaves without a reader", () => {
      const apart = [release("r1", { generation: 1 }), release("r2", { generation: 2 })];
      const lanes = [lane({ generation: 1 }), lane({ generation: 2 })];
      const decision = decidePool(observe({ lanes, releases: apart }), { ...policy, workersMax: 1 });
      expect(decision).toMatchObject({ desired: { r1: 0, r2: 1 }, uncoveredLanes: ["shop.r1"] });
      expect(decision.sentence).toContain("no room for a reader of lane shop.r1");
    });

    test("turns to a release that nothing wanted when only that reads every lane", () => {
      // `thin` is newer and owns lane r2, but dropped the reader of r1; `wide` is the older build that has both.
      const releases = [
        release("r1", { generation: 1 }),
        release("wide", { generation: 2, readsGenerations: [1, 2], publishedOrder: 2 }),
        release("thin", { generation: 2, publishedOrder: 3 }),
      ];
      const lanes = [lane({ generation: 1 }), lane({ generation: 2 })];
      const decision = decidePool(observe({ lanes, releases }), { ...policy, workersMax: 1 });
      expect(decision).toMatchObject({ desired: { r1: 0, wide: 1, thin: 0 }, uncoveredLanes: [] });
    });

    test("gives way to what is needed now before what was needed lately", () => {
      const releases = [release("old", { workers: 9 }), release("new", { publishedOrder: 2 })];
      const recent = { byRelease: { old: 9 }, covered: true };
      const lanes = [lane({ slots: 28 })];
      // 7 workers of the new release, and 2 of the old one fit below 9.
      const decision = decidePool(observe({ lanes, releases, recent }), { ...policy, workersMax: 9 });
      expect(decision.desired).toEqual({ old: 2, new: 7 });
    });
  });

  describe("holding", () => {
    test("keeps workers that were wanted within the window", () => {
      const observation = observe({
        releases: [release("a", { workers: 9 })],
        recent: { byRelease: { a: 6 }, covered: true },
      });
      const decision = decidePool(observation, policy);
      expect(decision).toMatchObject({ desired: { a: 6 }, wantedTotal: 1, reason: "holding-recent-maximum" });
      expect(decision.sentence).toContain("holding 5 more, 6 in all: wanted within the hold window");
    });

    test("starts no worker for what is no longer wanted", () => {
      const observation = observe({
        releases: [release("a", { workers: 2 })],
        recent: { byRelease: { a: 6 }, covered: true },
      });
      expect(decidePool(observation, policy).desired).toEqual({ a: 2 });
    });

    test("takes nothing away before the window has been observed", () => {
      const observation = observe({
        releases: [release("a", { workers: 9 })],
        recent: { byRelease: { a: 1 }, covered: false },
      });
      expect(decidePool(observation, policy)).toMatchObject({
        desired: { a: 9 },
        reason: "holding-until-observed",
      });
    });

    test("lets a retired release go after the window", () => {
      const releases = [release("retired", { live: false, workers: 3 }), release("a", { publishedOrder: 2 })];
      const held = { byRelease: { retired: 3 }, covered: true };
      expect(decidePool(observe({ releases, recent: held }), policy).desired).toEqual({ retired: 3, a: 1 });
      expect(decidePool(observe({ releases }), policy).desired).toEqual({ retired: 0, a: 1 });
    });
  });

  describe("when a lane could not be observed", () => {
    const unknown = lane({ generation: 1, slots: null, hasWork: false });

    test("takes no worker away", () => {
      const releases = [release("a", { workers: 9 })];
      const decision = decidePool(observe({ lanes: [unknown], releases }), policy);
      expect(decision).toMatchObject({ kind: "hold", desired: { a: 9 }, reason: "lanes-unknown" });
      expect(decision.sentence).toContain("lane shop.r1 could not be observed, so no worker is taken away");
    });

    test("still adds workers for another lane", () => {
      const releases = [release("a", { workers: 9 }), release("b", { generation: 2, workers: 1 })];
      const lanes = [unknown, lane({ generation: 2, slots: 12 })];
      expect(decidePool(observe({ lanes, releases }), policy).desired).toEqual({ a: 9, b: 3 });
    });

    test("starts one worker for work that was seen in it", () => {
      const releases = [release("a"), release("next", { generation: 2, readsGenerations: [1, 2] })];
      const decision = decidePool(observe({ lanes: [{ ...unknown, hasWork: true }], releases }), policy);
      expect(decision).toMatchObject({ wanted: { a: 1, next: 0 }, desired: { a: 1, next: 0 } });
    });

    test("starts nothing when no work was seen in it", () => {
      expect(decidePool(observe({ lanes: [unknown] }), policy).desired).toEqual({ a: 0 });
    });

    test("keeps what is there even above workersMax, and adds nothing to it", () => {
      const releases = [release("a", { workers: 9 }), release("b", { generation: 2 })];
      const lanes = [unknown, lane({ generation: 2 })];
      const decision = decidePool(observe({ lanes, releases }), { ...policy, workersMax: 5 });
      expect(decision).toMatchObject({
        desired: { a: 9, b: 0 },
        limitedBy: "workers-max",
        uncoveredLanes: ["shop.r2"],
      });
    });

    test("gives the last place to a reader of lanes that what is there does not read", () => {
      // `kept` reads r3 and r4; of the two places one is left, and only `wide` reads both r1 and r2.
      const releases = [
        release("x", { generation: 1 }),
        release("wide", { generation: 2, readsGenerations: [1, 2] }),
        release("y", { generation: 2, publishedOrder: 2 }),
        release("kept", { generation: 4, readsGenerations: [3, 4], workers: 1 }),
      ];
      const lanes = [1, 2, 3, 4].map((generation) =>
        lane({ generation, slots: generation === 4 ? null : 4 }),
      );
      const decision = decidePool(observe({ lanes, releases }), { ...policy, workersMax: 2 });
      expect(decision).toMatchObject({ desired: { x: 0, wide: 1, y: 0, kept: 1 }, uncoveredLanes: [] });
    });

    test("remembers what is there, so that the hold window starts when it can see again", () => {
      const releases = [release("a", { workers: 9 })];
      expect(decidePool(observe({ lanes: [unknown], releases }), policy).toRemember).toEqual({ a: 9 });
      expect(decidePool(observe({ releases }), policy).toRemember).toEqual({ a: 1 });
    });
  });

  test("mentions workers that drain beside the number", () => {
    const releases = [release("a", { workers: 1, draining: 2 })];
    expect(decidePool(observe({ releases }), policy).sentence).toMatch(/; 2 more draining$/);
  });
});
