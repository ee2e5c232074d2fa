import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FakeClock, settled } from "#test/support/fake-clock";
import { LaneSlots } from "#worker/lane-slots";
import type { LaneStanding } from "#worker/lane-trips";
import { FakeLaneWorker } from "./fake-lane-worker.ts";

async function workerOf(
  budget: number,
  lanes: number,
  tripped: readonly string[] = [],
): Promise<Readonly<Bench>> {
  const clock = new FakeClock();
  const standings = new Map<string, LaneStanding>(tripped.map((lane) => [lane, "tripped"]));
  const workers = Array.from({ length: lanes }, (_, index) => new FakeLaneWorker(`shop.r${index + 1}`));
  const slots = new LaneSlots({ budget, clock, standingOf: (lane) => standings.get(lane) ?? "clear" });
  await slots.start(workers);
  await settled();
  return {
    clock,
    slots,
    workers,
    shares: () => workers.map((worker) => worker.slots),
    async stands(lane, standing) {
      standings.set(`shop.r${lane}`, standing);
      slots.standingsChanged();
      await settled();
    },
    async take(lane, jobs) {
      workers[lane - 1]?.take(jobs);
      slots.taken(`shop.r${lane}`);
      await settled();
    },
    async settle(lane, jobs) {
      workers[lane - 1]?.settle(jobs);
      slots.settled(`shop.r${lane}`);
      await settled();
    },
  };
}

interface Bench {
  clock: FakeClock;
  slots: LaneSlots;
  workers: readonly FakeLaneWorker[];
  /** Slots by lane, oldest first. */
  shares(): number[];
  /** Lanes are counted from 1. */
  stands(lane: number, standing: LaneStanding): Promise<void>;
  take(lane: number, jobs?: number): Promise<void>;
  settle(lane: number, jobs?: number): Promise<void>;
}

describe("a tripped lane", () => {
  test("gets no slot, and the other lanes share the whole budget", async () => {
    const { shares, stands, slots } = await workerOf(10, 3);
    expect(shares()).toEqual([1, 1, 8]);
    await stands(1, "tripped");
    expect(shares()).toEqual([0, 1, 9]);
    await stands(3, "tripped");
    expect(shares()).toEqual([0, 10, 0]);
    await slots.stopTaking();
  });

  test("is not even begun with when the release tripped it before the worker came", async () => {
    const { shares, slots } = await workerOf(10, 2, ["shop.r1"]);
    expect(shares()).toEqual([0, 10]);
    await slots.stopTaking();
  });

  test("gets one slot for its trial, and its full share when the trip is closed", async () => {
    const { shares, stands, slots } = await workerOf(10, 2, ["shop.r2"]);
    await stands(2, "half-open");
    expect(shares()).toEqual([9, 1]);
    await stands(2, "clear");
    expect(shares()).toEqual([1, 9]);
    await slots.stopTaking();
  });

  test("may be the only one", async () => {
    const { shares, stands, slots } = await workerOf(4, 1);
    expect(shares()).toEqual([4]);
    await stands(1, "tripped");
    expect(shares()).toEqual([0]);
    await stands(1, "half-open");
    expect(shares()).toEqual([1]);
    await stands(1, "clear");
    expect(shares()).toEqual([4]);
    await slots.stopTaking();
  });

  test("keeps its jobs in flight, and their slots, until they end", async () => {
    const { shares, stands, take, settle, slots } = await workerOf(4, 2);
    await take(2, 3);
    await stands(2, "tripped");
    // 4 - 3 in flight.
    expect(shares()).toEqual([1, 0]);
    await settle(2, 2);
    expect(shares()).toEqual([3, 0]);
    // Its last job does not keep it from being tried again.
    await stands(2, "half-open");
    expect(shares()).toEqual([3, 1]);
    await slots.stopTaking();
  });

  test("that comes back waits for a slot while the others hold all, and is not forgotten", async () => {
    const { clock, shares, stands, take, workers, slots } = await workerOf(2, 2, ["shop.r1"]);
    await take(2, 2);
    await stands(1, "half-open");
    expect(shares()).toEqual([0, 1]);
    // Both jobs end and nobody says so: no job is left that could.
    workers[1]?.settle(2);
    await clock.advance(1_000);
    expect(shares()).toEqual([1, 1]);
    await slots.stopTaking();
  });

  test("stays paused while the worker takes nothing at all", async () => {
    const { shares, stands, slots } = await workerOf(4, 2);
    await slots.setTaking(false);
    expect(shares()).toEqual([0, 0]);
    await stands(1, "tripped");
    await slots.setTaking(true);
    expect(shares()).toEqual([0, 4]);
    await slots.stopTaking();
  });
});

describe("a lane that was found empty while it had all slots", () => {
  test("leaves them to the other for good, however many of its jobs are still to end", async () => {
    const { shares, take, settle, slots } = await workerOf(4, 2);
    await take(1);
    await take(1, 2);
    // Its one slot was full, so it is the older, hungry one.
    expect(shares()).toEqual([3, 1]);
    slots.emptied("shop.r1");
    // Three in flight, and one slot from here on: each that ends leaves more than that, and no job has come.
    for (const left of [2, 1]) {
      await settle(1);
      expect(shares()).toEqual([1, 4 - left]);
    }
    await settle(1);
    expect(shares()).toEqual([1, 3]);
    await slots.stopTaking();
  });

  test("is seen to be empty by taking nothing for a turn, when that was said before its last job was", async () => {
    const { clock, shares, take, settle, slots } = await workerOf(4, 2);
    slots.emptied("shop.r1");
    await take(1);
    expect(shares()).toEqual([3, 1]);
    await settle(1);
    await clock.advance(1_000);
    expect(shares()).toEqual([3, 1]);
    await clock.advance(1_000);
    expect(shares()).toEqual([1, 3]);
    await slots.stopTaking();
  });
});

describe("with fewer slots than lanes", () => {
  test("the lanes take turns of a second", async () => {
    const { clock, shares, slots } = await workerOf(1, 2);
    expect(shares()).toEqual([1, 0]);
    await clock.advance(1_000);
    expect(shares()).toEqual([0, 1]);
    await clock.advance(1_000);
    expect(shares()).toEqual([1, 0]);
    await slots.stopTaking();
  });

  test("as many lanes are on turn as there are slots", async () => {
    const { clock, shares, slots } = await workerOf(2, 3);
    const turns = [shares()];
    for (let turn = 0; turn < 3; turn += 1) {
      await clock.advance(1_000);
      turns.push(shares());
    }
    expect(turns).toEqual([
      [1, 1, 0],
      [0, 1, 1],
      [1, 0, 1],
      [1, 1, 0],
    ]);
    await slots.stopTaking();
  });

  test("a turn goes on until what is in flight has ended", async () => {
    const { clock, shares, take, settle, slots } = await workerOf(1, 2);
    await take(1);
    await clock.advance(5_000);
    expect(shares()).toEqual([0, 0]);
    await settle(1);
    expect(shares()).toEqual([0, 1]);
    await slots.stopTaking();
  });

  test("a tripped lane has no turn, and the other need not share", async () => {
    const { clock, shares, stands, slots } = await workerOf(1, 2);
    await stands(1, "tripped");
    expect(shares()).toEqual([0, 1]);
    await clock.advance(1_500);
    expect(shares()).toEqual([0, 1]);
    await stands(1, "half-open");
    await clock.advance(1_000);
    expect(shares()).toEqual([1, 0]);
    await slots.stopTaking();
  });

  test("two lanes that are left of three share two slots and more", async () => {
    const { shares, stands, slots } = await workerOf(2, 4);
    await stands(1, "tripped");
    await stands(2, "tripped");
    expect(shares()).toEqual([0, 0, 1, 1]);
    await stands(3, "tripped");
    expect(shares()).toEqual([0, 0, 0, 2]);
    await slots.stopTaking();
  });

  test("no turn is taken while the worker takes nothing, and none is left out afterwards", async () => {
    const { clock, shares, slots } = await workerOf(1, 2);
    await slots.setTaking(false);
    await clock.advance(3_000);
    expect(shares()).toEqual([0, 0]);
    await slots.setTaking(true);
    expect(shares()).toEqual([1, 0]);
    await clock.advance(1_000);
    expect(shares()).toEqual([0, 1]);
    await slots.stopTaking();
  });
});

const anyStep = fc.record({
  act: fc.constantFrom("take", "settle", "empty", "trip", "half-open", "clear", "stop", "go", "wait"),
  lane: fc.integer({ min: 1, max: 3 }),
});

async function act(bench: Bench, step: { readonly act: string; readonly lane: number }): Promise<void> {
  const { clock, slots, take, settle, stands } = bench;
  const { lane } = step;
  const { inFlight, slots: given } = bench.workers[lane - 1] ?? { inFlight: 0, slots: 0 };
  const acts: Readonly<Record<string, () => unknown>> = {
    take: () => (inFlight < given ? take(lane) : null),
    settle: () => (inFlight > 0 ? settle(lane) : null),
    empty: () => slots.emptied(`shop.r${lane}`),
    trip: () => stands(lane, "tripped"),
    "half-open": () => stands(lane, "half-open"),
    clear: () => stands(lane, "clear"),
    stop: () => slots.setTaking(false),
    go: () => slots.setTaking(true),
    wait: () => clock.advance(1_000),
  };
  await acts[step.act]?.();
  await settled();
}

/** All jobs end, all trips are closed, the worker takes: every lane gets its slots. */
async function expectRecovery(bench: Bench, budget: number): Promise<void> {
  const { clock, slots, workers, shares, stands } = bench;
  for (const worker of workers) worker.settle(worker.inFlight);
  for (const lane of [1, 2, 3]) await stands(lane, "clear");
  await slots.setTaking(true);
  const seen = new Set<number>();
  for (let turn = 0; turn < 4; turn += 1) {
    await clock.advance(1_000);
    expect(sum(shares())).toBe(budget);
    for (const index of [0, 1, 2]) if ((shares()[index] ?? 0) > 0) seen.add(index);
  }
  expect([...seen].sort()).toEqual([0, 1, 2]);
}

describe("whatever happens", () => {
  test("slots and jobs in flight together stay within the budget, and nothing starves in the end", async () => {
    const steps = fc.array(anyStep, { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), steps, async (budget, taken) => {
        const bench = await workerOf(budget, 3);
        for (const step of taken) {
          await act(bench, step);
          expect(sum(bench.workers.map((it) => Math.max(it.slots, it.inFlight)))).toBeLessThanOrEqual(budget);
        }
        await expectRecovery(bench, budget);
        await bench.slots.stopTaking();
        await settled();
        expect(bench.clock.waiting).toBe(0);
        expect(bench.workers.map(({ faults }) => faults)).toEqual([0, 0, 0]);
      }),
      { numRuns: 300 },
    );
  });
});

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
