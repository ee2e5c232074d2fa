import { describe, expect, test } from "vitest";
import { carryOut } from "#autoscaler/fleet/carry-out";
import { decideWorkerHolds, type HeldWorker } from "#autoscaler/fleet/decide-worker-holds";
import { WorkerHolds } from "#autoscaler/fleet/worker-holds";
import type { StandingOrder } from "#shared/redis/fleet-store";
import type { WorkerHold } from "#shared/redis/worker-holds-store";
import { OBSERVED_AT, workerView } from "../control-api/build-look.ts";

function aHold(changes: Partial<WorkerHold> = {}): WorkerHold {
  const at = "2026-03-01T02:59:00.000Z";
  return { worker: "w1", order: "drain", by: "ada", why: "its disk is full", at, ...changes };
}

function decide(hold: WorkerHold, ...workers: HeldWorker[]) {
  const { give, done } = decideWorkerHolds([hold], { workers, observedAt: OBSERVED_AT });
  return { gives: give.length > 0, isDone: done.length > 0 };
}

const kept = { gives: false, isDone: false };
const given = { gives: true, isDone: false };

describe("a person's hold of a worker", () => {
  test.each<[WorkerHold["order"], Partial<HeldWorker>, object]>([
    ["drain", { state: "ok" }, given],
    ["drain", { state: "quarantined", reason: "quarantined" }, given],
    ["drain", { state: "draining", reason: "ordered-to-drain" }, kept],
    ["drain", { state: "draining", reason: "stopping" }, kept],
    ["quarantine", { state: "ok" }, given],
    ["quarantine", { state: "draining", reason: "ordered-to-drain" }, given],
    ["quarantine", { state: "quarantined", reason: "quarantined" }, kept],
    ["quarantine", { state: "quarantined", reason: "clock-skew" }, given],
    ["run", { state: "draining", reason: "ordered-to-drain" }, given],
    ["run", { state: "quarantined", reason: "quarantined" }, given],
    ["run", { state: "ok" }, { gives: false, isDone: true }],
    ["run", { state: "quarantined", reason: "clock-skew" }, { gives: false, isDone: true }],
    ["drain", { state: "dead", reason: "its process has ended" }, kept],
  ])("%s of one that is %j is ordered until it is obeyed", (order, said, expected) => {
    expect(decide(aHold({ order }), workerView(said))).toEqual(expected);
  });

  test("ends with its worker, and not with a look from before it was made", () => {
    expect(decide(aHold())).toEqual({ gives: false, isDone: true });
    expect(decide(aHold({ at: "2026-03-01T03:00:01.000Z" }))).toEqual(kept);
  });
});

describe("the leader's round", () => {
  test("gives each order in its term, and drops what is done", async () => {
    const ordered: (readonly [string, StandingOrder])[] = [];
    const dropped: WorkerHold[] = [];
    const holds = [aHold(), aHold({ worker: "w2", order: "run" })];
    const workers = new WorkerHolds({
      store: { read: async () => holds, drop: async (hold) => void dropped.push(hold) },
      fleet: { order: async (worker, order) => void ordered.push([worker, order]) },
    });
    const seen = [workerView(), workerView({ worker: "w2" })];
    await workers.heed({ workers: seen, observedAt: OBSERVED_AT }, { epoch: 7, require: () => undefined });
    expect(ordered).toEqual([["w1", { epoch: 7, order: "drain" }]]);
    expect(dropped).toEqual([holds[1]]);
    expect([workers.of("w1"), workers.of("w2"), workers.of("w3")]).toEqual(["drain", "run", null]);
  });
});

/** What is ordered and commanded for two wanted workers of one release. */
async function carriedOut(held: Readonly<Record<string, WorkerHold["order"]>>, changes = {}) {
  const orders: string[] = [];
  const commands: { readonly desired: number; readonly leaving: readonly string[] }[] = [];
  const stopped: string[] = [];
  const workers = [workerView(), workerView({ worker: "w2", ...changes })];
  await carryOut({ "shop-1": 2 }, workers, {
    queue: "shop",
    fleet: {
      order: async (worker, { order }) => void orders.push(`${order} ${worker}`),
      forget: async () => undefined,
    },
    executor: {
      desired: async ({ desired, leaving }) => {
        commands.push({ desired, leaving });
        return { started: [], limitedBy: null };
      },
      stop: async ({ workers: its }) => void stopped.push(...its),
    },
    term: { epoch: 1, require: () => undefined },
    holds: { of: (worker) => held[worker] ?? null },
    nextSequence: () => 1,
  });
  return { orders, commands, stopped };
}

describe("carrying a decision out", () => {
  test("does not call a worker back that a person drains: another takes its place", async () => {
    const draining = { state: "draining", reason: "ordered-to-drain", busy: 1 };
    expect((await carriedOut({}, draining)).orders).toEqual(["run w2"]);
    expect(await carriedOut({ w2: "drain" }, draining)).toEqual({
      orders: [],
      commands: [{ desired: 2, leaving: ["w2"] }],
      stopped: [],
    });
  });

  test("counts a worker that is about to drain as leaving already", async () => {
    expect((await carriedOut({ w2: "drain" })).commands).toEqual([{ desired: 2, leaving: ["w2"] }]);
  });

  test("stops it once it is drained", async () => {
    const drained = { state: "draining", reason: "ordered-to-drain", busy: 0 };
    expect((await carriedOut({ w2: "drain" }, drained)).stopped).toEqual(["w2"]);
  });

  test("leaves a worker alone that a person quarantines: it keeps its place and is not stopped", async () => {
    const drained = { state: "draining", reason: "ordered-to-drain", busy: 0 };
    const { orders, stopped } = await carriedOut({ w2: "quarantine" }, drained);
    expect([orders, stopped]).toEqual([[], []]);
  });
});
