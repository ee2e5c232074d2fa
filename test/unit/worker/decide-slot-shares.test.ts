import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decideSlotShares, type LaneDemand } from "#worker/decide-slot-shares";

const idle: LaneDemand = { lane: "shop.r1", inFlight: 0, slots: 1, hungry: false };

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
const anyWorker = fc
  .record({
    lanes: fc.array(
      fc.record({
        slots: fc.integer({ min: 1, max: 8 }),
        inFlight: fc.nat(8),
        hungry: fc.boolean(),
      }),
      { minLength: 1, maxLength: 4 },
    ),
    spare: fc.nat(6),
  })
  .map(({ lanes, spare }) => {
    const demands = lanesOf(...lanes);
    return { lanes: demands, budget: held(demands) + spare };
  });

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

  test("never lets lanes hold more than the budget when they did not before", () => {
    fc.assert(
      fc.property(anyWorker, ({ lanes, budget }) => {
        const shares = slotsOf(lanes, budget);
        const after = lanes.map((lane, index) => ({ ...lane, slots: shares[index] ?? Number.NaN }));
        expect(held(after)).toBeLessThanOrEqual(budget);
      }),
      { numRuns: 2_000 },
    );
  });

  test("never lets lanes hold more in between, when what is lowered is lowered first", () => {
    fc.assert(
      fc.property(anyWorker, ({ lanes, budget }) => {
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
