import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decideSlotShares, type LaneDemand } from "#worker/decide-slot-shares";

const idle: LaneDemand = { lane: "shop.r1", inFlight: 0, slots: 1, hungry: false, taking: "freely" };

function lanesOf(...changes: Partial<LaneDemand>[]): LaneDemand[] {
  return changes.map((change, index) => ({ ...idle, lane: `shop.r${index + 1}`, ...change }));
}

function slotsOf(lanes: readonly LaneDemand[], budget: number): number[] {
  const shares = decideSlotShares(lanes, budget);
  return lanes.map((lane) => shares.get(lane.lane) ?? Number.NaN);
}

/** What the lanes may have running at once. */
function held(lanes: readonly LaneDemand[]): number {
  return lanes.reduce((total, lane) => total + Math.max(lane.slots, lane.inFlight), 0);
}

/** Lanes as a worker has them: what is held stays within the budget. */
function workerOf(lane: fc.Arbitrary<Partial<LaneDemand>>) {
  return fc
    .record({ lanes: fc.array(lane, { minLength: 1, maxLength: 4 }), spare: fc.nat(6) })
    .map(({ lanes, spare }) => {
      const demands = lanesOf(...lanes);
      return { lanes: demands, budget: Math.max(held(demands), demands.length) + spare };
    });
}

const anyWorker = workerOf(
  fc.record({ slots: fc.integer({ min: 1, max: 8 }), inFlight: fc.nat(8), hungry: fc.boolean() }),
);

const anyTrippedWorker = workerOf(
  fc.record({
    slots: fc.nat(8),
    inFlight: fc.nat(8),
    hungry: fc.boolean(),
    taking: fc.constantFrom("freely", "on-trial", "paused"),
  }),
);

describe("decideSlotShares", () => {
  test.each([
    ["hungry", true, 1],
    ["not hungry", false, 1],
    ["busy", true, 10],
  ])("gives a sole lane all, when it is %s", (_what, hungry, slots) => {
    expect(slotsOf(lanesOf({ hungry, slots, inFlight: slots }), 10)).toEqual([10]);
  });

  test("gives all but one to the oldest hungry lane", () => {
    expect(slotsOf(lanesOf({ hungry: true }, { hungry: true }), 10)).toEqual([9, 1]);
    expect(slotsOf(lanesOf({}, { hungry: true }), 10)).toEqual([1, 9]);
    expect(slotsOf(lanesOf({}, { hungry: true }, { hungry: true }), 10)).toEqual([1, 8, 1]);
  });

  test("gives all but one to the newest lane when none is hungry", () => {
    expect(slotsOf(lanesOf({}, {}), 10)).toEqual([1, 9]);
  });

  test("raises a lane only by what the other has really freed", () => {
    // The newer lane is lowered to 1 but 6 of its jobs still run: 10 - 6 = 4 are left.
    expect(slotsOf(lanesOf({ hungry: true }, { slots: 9, inFlight: 6, hungry: true }), 10)).toEqual([4, 1]);
    // Nothing is free: 10 - 9 = 1.
    expect(slotsOf(lanesOf({ hungry: true }, { slots: 9, inFlight: 9, hungry: true }), 10)).toEqual([1, 1]);
  });

  test("lowers an old lane that is no longer hungry", () => {
    expect(slotsOf(lanesOf({ slots: 9, inFlight: 2 }, { hungry: true }), 10)).toEqual([1, 8]);
  });

  test("gives each lane its one slot when there are as many slots as lanes", () => {
    expect(slotsOf(lanesOf({ hungry: true }, { hungry: true }), 2)).toEqual([1, 1]);
  });

  test("gives a paused lane nothing and its slots to the others", () => {
    expect(slotsOf(lanesOf({ taking: "paused", slots: 9 }, {}), 10)).toEqual([0, 10]);
    expect(slotsOf(lanesOf({}, { taking: "paused", slots: 9, hungry: true }, {}), 10)).toEqual([1, 0, 9]);
    expect(slotsOf(lanesOf({ taking: "paused" }, { taking: "paused" }), 10)).toEqual([0, 0]);
  });

  test("gives a lane on trial one slot, however hungry it is", () => {
    expect(slotsOf(lanesOf({ taking: "on-trial", hungry: true }, {}), 10)).toEqual([1, 9]);
    expect(slotsOf(lanesOf({ taking: "on-trial", slots: 9 }), 10)).toEqual([1]);
  });

  test("keeps what a paused lane still runs out of the others' shares", () => {
    // 10 - 3 in flight = 7 are free.
    expect(slotsOf(lanesOf({ taking: "paused", slots: 9, inFlight: 3 }, {}), 10)).toEqual([0, 7]);
  });

  test("lets a lane that comes back wait for a slot while all are held", () => {
    const back = { slots: 0 };
    expect(slotsOf(lanesOf(back, { slots: 10, inFlight: 10, hungry: true }), 10)).toEqual([0, 9]);
    expect(slotsOf(lanesOf(back, { slots: 9, inFlight: 9, hungry: true }), 10)).toEqual([1, 9]);
  });

  test("keeps a slot free for a lane that comes back, before another gets more than one", () => {
    // 10 - 7 in flight = 3 are free: two for the hungry lane, one for the one that comes back.
    const paused = { taking: "paused", slots: 0, inFlight: 7 } as const;
    expect(slotsOf(lanesOf({ hungry: true }, { slots: 0 }, paused), 10)).toEqual([2, 1, 0]);
  });

  test("gives all that may take their full shares once nothing is in flight, whoever is tripped", () => {
    fc.assert(
      fc.property(anyTrippedWorker, ({ lanes, budget }) => {
        const quiet = lanes.map((lane) => ({ ...lane, inFlight: 0 }));
        const shares = slotsOf(quiet, budget);
        const sharesOf = (taking: LaneDemand["taking"]) =>
          shares.filter((_, index) => quiet[index]?.taking === taking);
        const [free, trials] = [sharesOf("freely"), sharesOf("on-trial")];
        expect(sharesOf("paused").every((slots) => slots === 0)).toBe(true);
        expect(trials.every((slots) => slots === 1)).toBe(true);
        expect(free.every((slots) => slots >= 1)).toBe(true);
        // Lanes on trial alone take no more than their trial.
        const total = shares.reduce((sum, slots) => sum + slots, 0);
        expect(total).toBe(free.length > 0 ? budget : trials.length);
      }),
    );
  });

  test("never lets lanes hold more than the budget when they did not before", () => {
    fc.assert(
      fc.property(fc.oneof(anyWorker, anyTrippedWorker), ({ lanes, budget }) => {
        const shares = slotsOf(lanes, budget);
        const after = lanes.map((lane, index) => ({ ...lane, slots: shares[index] ?? Number.NaN }));
        expect(held(after)).toBeLessThanOrEqual(budget);
      }),
      { numRuns: 2_000 },
    );
  });

  test("never lets lanes hold more in between, when what is lowered is lowered first", () => {
    fc.assert(
      fc.property(fc.oneof(anyWorker, anyTrippedWorker), ({ lanes, budget }) => {
        const shares = decideSlotShares(lanes, budget);
        const changes = lanes
          .map((lane) => ({ ...lane, to: shares.get(lane.lane) ?? Number.NaN }))
          .sort((a, b) => a.to - a.slots - (b.to - b.slots));
        const now = new Map(lanes.map((lane) => [lane.lane, lane]));
        for (const { to, ...lane } of changes) {
          now.set(lane.lane, { ...lane, slots: to });
          expect(held([...now.values()])).toBeLessThanOrEqual(budget);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("leaves each lane at least one slot", () => {
    fc.assert(
      fc.property(anyWorker, ({ lanes, budget }) => {
        expect(Math.min(...slotsOf(lanes, budget))).toBeGreaterThanOrEqual(1);
      }),
    );
  });

  test("comes to rest with the oldest hungry lane at its full share once nothing is in flight", () => {
    fc.assert(
      fc.property(anyWorker, ({ lanes, budget }) => {
        const quiet = lanes.map((lane) => ({ ...lane, inFlight: 0 }));
        const shares = slotsOf(quiet, budget);
        const rested = quiet.map((lane, index) => ({ ...lane, slots: shares[index] ?? Number.NaN }));
        const favoured = Math.max(
          0,
          quiet.some((it) => it.hungry) ? quiet.findIndex((it) => it.hungry) : quiet.length - 1,
        );
        expect(shares).toEqual(quiet.map((_, index) => (index === favoured ? budget - quiet.length + 1 : 1)));
        expect(slotsOf(rested, budget)).toEqual(shares);
      }),
    );
  });
});
