import { describe, expect, test } from "vitest";
import {
  decideIdleRelease,
  type IdleAt,
  type IdlePolicy,
  idleWindowMs,
  rememberIdle,
} from "#autoscaler/scaling/decide-idle-release";
import type { PoolLane, PoolRelease } from "#autoscaler/scaling/decide-lane-owners";
import { decidePool, type PoolObservation, type PoolPolicy } from "#autoscaler/scaling/decide-pool";
import { type CeilingFacts, decidePoolCeilings } from "#autoscaler/scaling/decide-pool-ceilings";
import { decideUsefulSlots } from "#autoscaler/scaling/decide-useful-slots";

function release(changes: Partial<PoolRelease> = {}): PoolRelease {
  return {
    release: "a",
    generation: 1,
    readsGenerations: [1],
    trippedGenerations: [],
    publishedOrder: 1,
    live: true,
    workers: 4,
    draining: 0,
    ...changes,
  };
}

function lane(changes: Partial<PoolLane> = {}): PoolLane {
  return { lane: "shop.r1", generation: 1, slots: 40, hasWork: true, terms: null, ...changes };
}

function observe(changes: Partial<PoolObservation> = {}): PoolObservation {
  return {
    observedAtMs: 1_000_000,
    lanes: [lane()],
    releases: [release()],
    recent: { byRelease: { a: 4 }, covered: true },
    ...changes,
  };
}

/** 40 slots are 10 workers. */
const policy: PoolPolicy = { slotsPerWorker: 4, workersMin: 0, workersMax: 20 };

const noCeilings: CeilingFacts = {
  releases: [release()],
  slotsPerWorker: 4,
  stepMax: null,
  downstreamSlotsMax: null,
  roomForWorkers: null,
};

describe("the ceilings of a pool", () => {
  test("are none where nothing is bounded and nothing is known", () => {
    expect(decidePoolCeilings(noCeilings)).toEqual([]);
  });

  test("count what is there and what could be taken back before the step and the room", () => {
    // 4 workers and 1 that drains.
    const releases = [release({ draining: 1 })];
    const ceilings = decidePoolCeilings({ ...noCeilings, releases, stepMax: 2, roomForWorkers: 0 });
    expect(ceilings.map(({ by, workers }) => [by, workers])).toEqual([
      ["room-for-workers", 5],
      ["step-max", 7],
    ]);
  });

  test("never let the slots exceed what the jobs call can serve", () => {
    // 11 slots / 4: 2 workers, and those that are there beyond it go.
    const ceilings = decidePoolCeilings({ ...noCeilings, downstreamSlotsMax: 11 });
    const decision = decidePool(observe({ ceilings }), policy);
    expect(decision).toMatchObject({ desired: { a: 2 }, wantedTotal: 10, reason: "workers-max" });
    expect(decision.clamps).toMatchObject([{ by: "downstream-slots-max", from: 10, to: 2 }]);
    expect(decision.sentence).toContain("the promise may not be kept");
  });

  test("are told from the lowest on, each that cut", () => {
    const facts = { ...noCeilings, stepMax: 2, roomForWorkers: 3, downstreamSlotsMax: 400 };
    const decision = decidePool(observe({ ceilings: decidePoolCeilings(facts) }), {
      ...policy,
      workersMax: 9,
    });
    expect(decision.clamps.map(({ by, to }) => [by, to])).toEqual([
      ["step-max", 6],
      ["room-for-workers", 7],
      ["workers-max", 9],
    ]);
    expect(decision.sentence).toContain("limited to 6: at most 2 are started in one look (stepMax)");
  });

  test("say nothing when they do not cut", () => {
    const ceilings = decidePoolCeilings({ ...noCeilings, stepMax: 50 });
    expect(decidePool(observe({ ceilings }), policy)).toMatchObject({ clamps: [], reason: "as-wanted" });
  });
});

describe("what is told of a decision", () => {
  test("names workersMin as a clamp", () => {
    const lanes = [lane({ slots: 4 })];
    const { clamps } = decidePool(observe({ lanes }), { ...policy, workersMin: 3 });
    expect(clamps).toEqual([{ by: "workers-min", from: 1, to: 3, sentence: "workersMin" }]);
  });

  test("names the hold, how many it keeps and until when", () => {
    const recent = { byRelease: { a: 4 }, covered: true, untilMs: 1_030_000 };
    const { holds } = decidePool(observe({ lanes: [lane({ slots: 4 })], recent }), policy);
    expect(holds).toMatchObject([{ because: "recently-wanted", workers: 3, untilMs: 1_030_000 }]);
  });

  test("names lanes that could not be observed as the hold", () => {
    const lanes = [lane({ slots: 4 }), lane({ lane: "shop.r2", generation: 2, slots: null })];
    const { holds } = decidePool(observe({ lanes, recent: { byRelease: {}, covered: true } }), policy);
    expect(holds).toMatchObject([{ because: "lanes-unknown", workers: 3 }]);
  });
});

describe("while Redis takes no more jobs", () => {
  const full = { lanes: [lane({ slots: 4 })], recent: { byRelease: {}, covered: true }, memoryClosed: true };

  test("nobody who could empty it is taken away", () => {
    const decision = decidePool(observe(full), policy);
    expect(decision).toMatchObject({ kind: "sized", desired: { a: 4 }, reason: "redis-memory-closed" });
    expect(decision.holds).toMatchObject([{ because: "redis-memory-closed", workers: 3 }]);
  });

  test("an empty pool goes home all the same", () => {
    const lanes = [lane({ slots: 0, hasWork: false })];
    expect(decidePool(observe({ ...full, lanes }), policy).desired).toEqual({ a: 0 });
  });
});

describe("a lane whose readers fail", () => {
  const facts = { lane: lane({ slots: 40 }), presentSlots: 8, breakersOpen: [] };
  const tripped = release({ trippedGenerations: [1] });

  test("gets nobody more when every release that reads it has tripped it", () => {
    expect(decideUsefulSlots({ ...facts, releases: [tripped] })).toMatchObject({ from: 40, to: 8 });
  });

  test("gets what it needs while one of them is sound", () => {
    const releases = [tripped, release({ release: "b" })];
    expect(decideUsefulSlots({ ...facts, releases })).toBeNull();
  });

  test("gets nobody more while what its jobs call is down, but keeps one to try", () => {
    const down = { ...facts, releases: [release()], breakersOpen: ["shop.r1"] };
    expect(decideUsefulSlots({ ...down, presentSlots: 0 })).toMatchObject({ from: 40, to: 1 });
  });

  test("loses nobody by it", () => {
    const releases = [tripped];
    expect(decideUsefulSlots({ ...facts, releases, presentSlots: 60 })).toBeNull();
    expect(decideUsefulSlots({ ...facts, releases, lane: lane({ slots: null }) })).toBeNull();
  });
});

describe("workers with nothing to do", () => {
  /** Half of 30 s: the last 15 s. */
  const idlePolicy: IdlePolicy = { startDelayMs: 30_000, tickMs: 5_000, slotsPerWorker: 4 };

  function looks(...freeSlots: readonly number[]): readonly IdleAt[] {
    const windowMs = idleWindowMs(idlePolicy);
    return freeSlots.reduce<readonly IdleAt[]>(
      (history, free, look) =>
        rememberIdle(history, { atMs: look * 5_000, freeSlots: { a: free } }, windowMs),
      [],
    );
  }

  test("are those whose slots were free at every look for half a start", () => {
    // The least of the last four looks is 9 free slots: two workers.
    expect(decideIdleRelease(looks(0, 12, 9, 16, 10), 20_000, idlePolicy)).toEqual({ a: 2 });
  });

  test("are none before they were watched for so long, nor with less than a worker's slots free", () => {
    expect(decideIdleRelease(looks(40, 40), 5_000, idlePolicy)).toEqual({});
    expect(decideIdleRelease(looks(3, 3, 3, 3), 15_000, idlePolicy)).toEqual({});
    expect(decideIdleRelease([], 15_000, idlePolicy)).toEqual({});
  });

  test("are not held, although they were wanted lately", () => {
    const lanes = [lane({ slots: 4 })];
    expect(decidePool(observe({ lanes, idle: { a: 2 } }), policy).desired).toEqual({ a: 2 });
    expect(decidePool(observe({ lanes }), policy).desired).toEqual({ a: 4 });
  });

  test("are held while the hold window was not observed", () => {
    const recent = { byRelease: {}, covered: false };
    const lanes = [lane({ slots: 4 })];
    expect(decidePool(observe({ lanes, recent, idle: { a: 2 } }), policy).desired).toEqual({ a: 4 });
  });
});
