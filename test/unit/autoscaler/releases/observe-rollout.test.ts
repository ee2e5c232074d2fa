import { describe, expect, test } from "vitest";
import { observeRollout, type RolloutSight, tallyOf } from "#autoscaler/releases/observe-rollout";
import type { LaneView, WorkerView } from "#autoscaler/snapshot";
import { decidePublish } from "#shared/registry/decide-publish";
import { EMPTY_REGISTRY } from "#shared/registry/registry-document";
import { PUBLICATION, releaseOf, typeOf } from "../../shared/registry/registry-builder.ts";
import { laneTrip, laneView, queueView, snapshotOf, workerView } from "../control-api/build-look.ts";
import { aRollout } from "../rollout/rollout-builder.ts";

const ROLLOUT = aRollout({ pool: "shop", from: "v1", to: "v2", gates: [] });

function registry() {
  let document = EMPTY_REGISTRY;
  const types = [
    typeOf("receipt.render", [[1, 1]]),
    typeOf("receipt.render", [
      [1, 1],
      [2, 2],
    ]),
  ] as const;
  for (const [index, type] of types.entries()) {
    const decision = decidePublish(document, releaseOf(`v${index + 1}`, type), PUBLICATION);
    if (decision.kind === "published") document = decision.document;
  }
  return document;
}

const BOTH: Partial<LaneView> = { readers: ["v1", "v2"] };
const NEWER: Partial<LaneView> = { lane: "shop.r2", generation: 2, readers: ["v2"] };

function observe({
  workers = [],
  lanes = [laneView(BOTH), laneView(NEWER)],
  ...over
}: Partial<RolloutSight> & {
  workers?: readonly WorkerView[];
  lanes?: readonly LaneView[];
} = {}) {
  return observeRollout({
    observation: {
      snapshot: snapshotOf({ workers, queues: [queueView({ lanes })] }),
      document: registry(),
      redisNowMs: 5_000,
    },
    rollout: ROLLOUT,
    workersWanted: 4,
    counters: { v1: {}, v2: {} },
    probe: null,
    partsBefore: {},
    parts: new Set(["v1", "v2"]),
    ...over,
  });
}

const worker = (changes: Partial<WorkerView>) =>
  workerView({ queue: "shop", release: "v1", busy: 0, ...changes });

describe("observeRollout", () => {
  test("counts who takes by what each worker says itself, and what the others still hold", () => {
    const { from } = observe({
      workers: [
        worker({ worker: "a", busy: 3 }),
        worker({ worker: "b", takes: "own-lanes", busy: 1 }),
        worker({ worker: "c", takes: "nothing", busy: 2 }),
        worker({ worker: "d", state: "draining", busy: 4 }),
        worker({ worker: "e", takes: "probe" }),
        worker({ worker: "f", state: "starting" }),
        worker({ worker: "g", queue: "other", busy: 9 }),
      ],
    });
    expect(from).toMatchObject({ taking: 2, workers: 6, inFlight: 10, leavingInFlight: 6, unheard: 0 });
  });

  test("takes who is not heard of for one that may hold jobs, until the leases have run out", () => {
    const silent = (changes: Partial<WorkerView>) => observe({ workers: [worker(changes)] }).from.unheard;
    expect(silent({ state: "suspect", heartbeatAgeMs: 7_000 })).toBe(1);
    expect(silent({ state: "dead", heartbeatAgeMs: 21_000 })).toBe(1);
    expect(silent({ state: "dead", heartbeatAgeMs: 21_001 })).toBe(0);
    // It took nothing and held nothing when it was heard of last.
    expect(silent({ state: "dead", heartbeatAgeMs: 12_000, takes: "nothing" })).toBe(0);
    expect(silent({ state: "dead", heartbeatAgeMs: 12_000, takes: "nothing", busy: 1 })).toBe(1);
  });

  test("counts what only one release reads now: not where another with a part in the pool does", () => {
    const held = { waiting: 2, inFlight: 1, scheduled: 3 };
    const lanes = [laneView({ ...BOTH, ...held }), laneView({ ...NEWER, ...held })];
    expect([observe({ lanes }).from.onlyItReads, observe({ lanes }).to.onlyItReads]).toEqual([0, 6]);
    // v2 fails to read the shared lane, so v1 is alone there.
    const tripped = [laneView({ ...BOTH, ...held, trips: [laneTrip({ release: "v2" })] })];
    expect(observe({ lanes: tripped }).from.onlyItReads).toBe(6);
    // Nobody would be started of a release without a part.
    const third = [laneView({ ...NEWER, ...held, readers: ["v2", "v3"] })];
    expect(observe({ lanes: third }).to.onlyItReads).toBe(6);
  });

  test("knows nothing of lanes that were not seen, and nothing of counters that were not read", () => {
    const { from, contract } = observe({
      observation: { snapshot: snapshotOf({ queues: [] }), document: registry(), redisNowMs: 1 },
      counters: {},
    });
    expect(from).toMatchObject({ onlyItReads: null, tally: null });
    expect(contract).toBeNull();
  });

  test("ends a row of failures with any worker whose last job went well", () => {
    const runs = { finished: 9, failed: 3, failedElsewhere: 0, stalls: 0 };
    const rowOf = (...rows: readonly number[]) =>
      observe({
        workers: rows.map((inRow, index) => worker({ worker: `w${index}`, firstRuns: { ...runs, inRow } })),
      }).from.failuresInRow;
    expect([rowOf(3, 4), rowOf(3, 0), rowOf()]).toEqual([7, 0, 0]);
  });

  test("takes a probe of which nothing was said for one under way, and an older word for nothing", () => {
    const rollout = aRollout({ ...ROLLOUT, state: "verifying", probe: { attempt: 7, sinceMs: 1 } });
    const said = { attempt: 6, worker: "w", outcome: "succeeded" as const, detail: "" };
    expect(observe({ rollout }).probe).toMatchObject({ attempt: 7, outcome: "pending" });
    expect(observe({ rollout, probe: said }).probe).toMatchObject({ attempt: 7, outcome: "pending" });
    expect(observe({ rollout, probe: { ...said, attempt: 7 } }).probe?.outcome).toBe("succeeded");
  });

  test("tells parts of what ran since the stage opened", () => {
    const counters = { "type|a|b|finished": 9, "type|a|b|failed": 4, "tenant|acme|finished": 2, finished: 9 };
    const observed = observe({ counters: { v1: {}, v2: counters }, partsBefore: { "type|a|b|finished": 5 } });
    expect(observed.components).toEqual([
      { kind: "type", name: "a|b", finished: 4, failed: 4 },
      { kind: "tenant", name: "acme", finished: 2, failed: 0 },
    ]);
  });

  test("reads a tally by the names that workers count by", () => {
    const tally = tallyOf({ finished: 3, stalls: 1, "run|0": 2, "run|21": 1, "pickup|4": 3 });
    expect(tally).toMatchObject({ finished: 3, stalls: 1, failed: 0 });
    expect([tally.run[0], tally.run[21], tally.pickup[4], tally.run.length]).toEqual([2, 1, 3, 22]);
  });
});
