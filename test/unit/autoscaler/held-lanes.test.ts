/** How a worker is shown whose release takes nothing, or not from all its lanes. */
import { describe, expect, test } from "vitest";
import { FleetIndex } from "#autoscaler/fleet-index";
import { workerViews } from "#autoscaler/worker-views";
import type { ObservedWorker } from "#shared/redis/fleet-store";
import { type WorkerStatus, workerStatus } from "#shared/redis/worker-words";

const NOBODY = { workers: () => [], hasEnded: () => false };

/** What a worker of before this was known says. */
const said = {
  state: "ok",
  reason: null,
  lanes: ["shop.r1", "shop.r2", "shop.r3"],
  trippedLanes: ["shop.r3"],
  busy: 0,
  lastStartedAtMs: null,
  lastFinishedAtMs: null,
  settled: {},
  eventLoopLagMs: 0,
  rssBytes: 1,
  clockOffsetMs: 0,
};

function viewOf(changes: Partial<WorkerStatus>) {
  const facts = { release: "v2", queue: "shop", slots: 4, bootId: "b", pid: 1, host: "h" };
  const observed: ObservedWorker = {
    workerId: "w-1",
    facts: { ...facts, bullmqMajor: "6", nodeVersion: "20.0.0" },
    status: workerStatus.parse({ ...said, ...changes }),
    registeredAtMs: 0,
    seenAtMs: 1_000,
  };
  const [view] = workerViews([observed], 1_000, NOBODY);
  if (view === undefined) throw new Error("the worker is not shown");
  return view;
}

describe("a worker", () => {
  test("that says nothing of its release's orders takes all it reads, and counts nothing", () => {
    expect(viewOf({})).toMatchObject({ takes: "all", firstRuns: null, lanes: ["shop.r1", "shop.r2"] });
  });

  test("is no consumer of a lane that is held, and is well", () => {
    const view = viewOf({ takes: "own-lanes", heldLanes: ["shop.r1"] });
    expect(view).toMatchObject({ state: "ok", takes: "own-lanes", lanes: ["shop.r2"] });
    const index = new FleetIndex([view, viewOf({ takes: "nothing", heldLanes: said.lanes })]);
    expect(["shop.r1", "shop.r2"].map((lane) => index.consumers(lane))).toEqual([0, 1]);
    expect(index.holding("shop", "v2")).toBe(2);
  });

  test("shows what it has run of first attempts", () => {
    const firstRuns = { finished: 9, failed: 2, failedElsewhere: 0, stalls: 0, inRow: 1 };
    expect(viewOf({ firstRuns }).firstRuns).toEqual(firstRuns);
  });
});
