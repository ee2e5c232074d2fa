import { describe, expect, test } from "vitest";
import type { StandingOrder } from "#shared/redis/fleet-store";
import { WorkerState } from "#worker/worker-state";

const now = {
  lanes: ["shop.r1"],
  trippedLanes: [],
  takes: "all" as const,
  heldLanes: [],
  firstRuns: null,
  busy: 2,
  eventLoopLagMs: 1.26,
  rssBytes: 100,
};

function order(what: StandingOrder["order"], epoch: number): StandingOrder {
  return { order: what, epoch };
}

describe("WorkerState", () => {
  test("takes jobs from the start and says that it is well", () => {
    const state = new WorkerState();
    expect(state.taking).toBe(true);
    expect(state.status(now)).toEqual({
      state: "ok",
      reason: null,
      lanes: ["shop.r1"],
      trippedLanes: [],
      takes: "all",
      heldLanes: [],
      firstRuns: null,
      busy: 2,
      lastStartedAtMs: null,
      lastFinishedAtMs: null,
      settled: {},
      // 1.26 to one place.
      eventLoopLagMs: 1.3,
      rssBytes: 100,
      clockOffsetMs: null,
    });
  });

  test("is well with a lane that its release has tripped, and says which", () => {
    const status = new WorkerState().status({ ...now, trippedLanes: ["shop.r1"] });
    expect(status).toMatchObject({ state: "ok", reason: null, trippedLanes: ["shop.r1"] });
  });

  test.each([
    ["drain", "ordered-to-drain", "draining"],
    ["quarantine", "quarantined", "quarantined"],
  ] as const)("takes nothing when ordered to %s, and again when ordered to run", (what, reason, shown) => {
    const state = new WorkerState();
    state.obey(order(what, 1));
    expect([state.taking, state.reason, state.status(now).state]).toEqual([false, reason, shown]);
    state.obey(order("run", 1));
    expect([state.taking, state.reason]).toEqual([true, null]);
  });

  test("ignores an order of a leader of the past", () => {
    const state = new WorkerState();
    state.obey(order("drain", 5));
    state.obey(order("run", 4));
    expect(state.reason).toBe("ordered-to-drain");
    state.obey(order("run", 6));
    state.obey(order("drain", 5));
    expect(state.reason).toBeNull();
  });

  test("keeps its order when a reply carries none", () => {
    const state = new WorkerState();
    state.obey(order("drain", 1));
    state.obey(null);
    expect(state.taking).toBe(false);
  });

  test.each([
    [1_000, null],
    [-1_000, null],
    // Rounded to whole milliseconds first.
    [1_000.4, null],
    [1_001, "clock-skew"],
    [-1_001, "clock-skew"],
  ])("with a clock that is %d ms off takes nothing for the reason %s", (offsetMs, reason) => {
    const state = new WorkerState();
    state.clockSeen(offsetMs);
    expect(state.reason).toBe(reason);
  });

  test("takes again once its clock is right", () => {
    const state = new WorkerState();
    state.clockSeen(5_000);
    expect(state.status(now)).toMatchObject({ state: "quarantined", clockOffsetMs: 5_000 });
    state.clockSeen(3);
    expect(state.taking).toBe(true);
  });

  test("stops for good, whatever is ordered afterwards", () => {
    const state = new WorkerState();
    state.stop();
    state.obey(order("run", 9));
    state.clockSeen(5_000);
    expect([state.reason, state.status(now).state]).toEqual(["stopping", "draining"]);
  });

  test("counts what was settled by its kind and remembers when", () => {
    const state = new WorkerState();
    state.started(10);
    state.settled("finished", 20);
    state.settled("retry", 30);
    state.settled("finished", 40);
    expect(state.status(now)).toMatchObject({
      lastStartedAtMs: 10,
      lastFinishedAtMs: 40,
      settled: { finished: 2, retry: 1 },
    });
  });
});
