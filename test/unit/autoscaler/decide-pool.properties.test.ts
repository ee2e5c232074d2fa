import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type PoolLane, type PoolRelease, readsLane } from "#autoscaler/scaling/decide-lane-owners";
import {
  decidePool,
  type PoolDecision,
  type PoolObservation,
  type PoolPolicy,
} from "#autoscaler/scaling/decide-pool";
import { workersOf } from "#autoscaler/scaling/decide-recent-maximum";

const generations = [1, 2, 3];

/** The lane's slots agree with its work, as decide-lane-slots.ts promises: work needs at least one slot. */
function anyLane(generation: number, slots: fc.Arbitrary<number | null>): fc.Arbitrary<PoolLane> {
  return fc.tuple(slots, fc.boolean()).map(([needed, sawWork]) => ({
    lane: `shop.r${generation}`,
    generation,
    slots: needed !== null && sawWork ? Math.max(needed, 1) : needed,
    hasWork: sawWork,
    terms: null,
  }));
}

const anyRelease = fc.record({
  generation: fc.constantFrom(...generations),
  readsGenerations: fc.subarray(generations),
  trippedGenerations: fc.subarray(generations),
  publishedOrder: fc.nat(5),
  live: fc.boolean(),
  workers: fc.nat(15),
  draining: fc.nat(3),
});

function anyObservation(slots: fc.Arbitrary<number | null>): fc.Arbitrary<PoolObservation> {
  return fc.record({
    observedAtMs: fc.nat(),
    lanes: fc.tuple(...generations.map((generation) => anyLane(generation, slots))),
    releases: fc
      .array(anyRelease, { maxLength: 5 })
      .map((releases): PoolRelease[] => releases.map((any, index) => ({ ...any, release: `v${index}` }))),
    recent: fc.record({
      byRelease: fc.record({ v0: fc.nat(15), v1: fc.nat(15), v2: fc.nat(15) }, { requiredKeys: [] }),
      covered: fc.boolean(),
    }),
  });
}

const known = anyObservation(fc.nat(60));
const partlyKnown = anyObservation(fc.option(fc.nat(60), { nil: null }));
const anyPolicy = fc
  .record({ slotsPerWorker: fc.integer({ min: 1, max: 8 }), min: fc.nat(6), more: fc.nat(25) })
  .map(
    ({ slotsPerWorker, min, more }): PoolPolicy => ({
      slotsPerWorker,
      workersMin: min,
      workersMax: min + more,
    }),
  );

function presentTotal({ releases }: PoolObservation): number {
  return releases.reduce((sum, { workers }) => sum + workers, 0);
}

function hasReader({ desired }: PoolDecision, { releases }: PoolObservation, lane: PoolLane): boolean {
  return releases.some(
    (release) => release.live && readsLane(release, lane) && workersOf(desired, release.release) > 0,
  );
}

function isReadable(lane: PoolLane, { releases }: PoolObservation): boolean {
  return releases.some((release) => release.live && readsLane(release, lane));
}

describe("decidePool, for any pool", () => {
  test("stays below workersMax, but for what an unknown lane forbids to take away", () => {
    fc.assert(
      fc.property(partlyKnown, anyPolicy, (observation, policy) => {
        const { kind, appliedTotal } = decidePool(observation, policy);
        const allowed =
          kind === "hold" ? Math.max(policy.workersMax, presentTotal(observation)) : policy.workersMax;
        expect(appliedTotal).toBeLessThanOrEqual(allowed);
      }),
    );
  });

  test("reaches workersMin whenever a release is live", () => {
    fc.assert(
      fc.property(partlyKnown, anyPolicy, (observation, policy) => {
        fc.pre(observation.releases.some(({ live }) => live));
        expect(decidePool(observation, policy).appliedTotal).toBeGreaterThanOrEqual(policy.workersMin);
      }),
    );
  });

  test("names every release, and the totals are the sums", () => {
    fc.assert(
      fc.property(partlyKnown, anyPolicy, (observation, policy) => {
        const decision = decidePool(observation, policy);
        expect(Object.keys(decision.desired).toSorted()).toEqual(
          observation.releases.map(({ release }) => release).toSorted(),
        );
        const sum = (counts: Readonly<Record<string, number>>) =>
          Object.values(counts).reduce((total, count) => total + count, 0);
        expect(decision.appliedTotal).toBe(sum(decision.desired));
        expect(decision.wantedTotal).toBe(sum(decision.wanted));
      }),
    );
  });

  test("gives all that is wanted or fills workersMax", () => {
    fc.assert(
      fc.property(known, anyPolicy, (observation, policy) => {
        const { wantedTotal, appliedTotal } = decidePool(observation, policy);
        expect(appliedTotal).toBeGreaterThanOrEqual(Math.min(wantedTotal, policy.workersMax));
      }),
    );
  });

  test("gives no release more than it wants, holds or has to make up for workersMin", () => {
    fc.assert(
      fc.property(known, anyPolicy, (observation, policy) => {
        // A build that steps in as the one reader of several lanes may have one that it did not want.
        const { desired, wanted } = decidePool(observation, { ...policy, workersMin: 0 });
        for (const { release, workers } of observation.releases) {
          const most = Math.max(workersOf(wanted, release), workers, 1);
          expect(workersOf(desired, release)).toBeLessThanOrEqual(most);
        }
      }),
    );
  });

  test("a lane with work keeps a reader while workersMax has room for one a lane", () => {
    fc.assert(
      fc.property(known, anyPolicy, (observation, policy) => {
        const working = observation.lanes.filter((lane) => lane.hasWork && isReadable(lane, observation));
        fc.pre(policy.workersMax >= working.length);
        const decision = decidePool(observation, policy);
        expect(decision.uncoveredLanes).toEqual([]);
        for (const lane of working) expect(hasReader(decision, observation, lane)).toBe(true);
      }),
    );
  });

  test("a lane with work has a reader or is reported, one or the other", () => {
    fc.assert(
      fc.property(partlyKnown, anyPolicy, (observation, policy) => {
        const decision = decidePool(observation, policy);
        const reported = [...decision.orphanLanes, ...decision.uncoveredLanes];
        const left = observation.lanes.filter(
          (lane) => lane.hasWork && !hasReader(decision, observation, lane),
        );
        expect(reported.toSorted()).toEqual(left.map(({ lane }) => lane).toSorted());
      }),
    );
  });

  test("an unknown lane takes no worker from any release", () => {
    fc.assert(
      fc.property(partlyKnown, anyPolicy, (observation, policy) => {
        const decision = decidePool(observation, policy);
        fc.pre(decision.kind === "hold");
        for (const { release, workers } of observation.releases) {
          expect(workersOf(decision.desired, release)).toBeGreaterThanOrEqual(workers);
          expect(workersOf(decision.toRemember, release)).toBeGreaterThanOrEqual(workers);
        }
      }),
    );
  });

  test("holding never lowers a number", () => {
    fc.assert(
      fc.property(partlyKnown, anyPolicy, (observation, policy) => {
        const free = decidePool({ ...observation, recent: { byRelease: {}, covered: true } }, policy);
        const held = decidePool(observation, policy);
        for (const { release } of observation.releases) {
          expect(workersOf(held.desired, release)).toBeGreaterThanOrEqual(workersOf(free.desired, release));
        }
      }),
    );
  });

  test("holding starts no worker", () => {
    fc.assert(
      fc.property(known, anyPolicy, (observation, policy) => {
        const free = decidePool({ ...observation, recent: { byRelease: {}, covered: true } }, policy);
        const held = decidePool(observation, policy);
        for (const { release, workers } of observation.releases) {
          const most = Math.max(workersOf(free.desired, release), workers);
          expect(workersOf(held.desired, release)).toBeLessThanOrEqual(most);
        }
      }),
    );
  });

  test("a lane that needs more slots never makes the pool smaller", () => {
    fc.assert(
      fc.property(known, anyPolicy, fc.nat(2), fc.nat(40), (observation, policy, which, more) => {
        const lanes = observation.lanes.map((lane, index) =>
          index === which ? { ...lane, slots: (lane.slots ?? 0) + more } : lane,
        );
        const before = decidePool({ ...observation, recent: { byRelease: {}, covered: true } }, policy);
        const after = decidePool({ ...observation, lanes, recent: { byRelease: {}, covered: true } }, policy);
        expect(after.appliedTotal).toBeGreaterThanOrEqual(before.appliedTotal);
      }),
    );
  });

  test("the order in which lanes and releases are listed does not matter", () => {
    fc.assert(
      fc.property(known, anyPolicy, (observation, policy) => {
        const { desired } = decidePool(observation, policy);
        const reversed = {
          ...observation,
          lanes: observation.lanes.toReversed(),
          releases: observation.releases.toReversed(),
        };
        expect(decidePool(reversed, policy).desired).toEqual(desired);
      }),
    );
  });
});
