import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decideLaneSlots,
  type LaneObservation,
  type LanePolicy,
  SERVICE_TIME_ASSUMED_MS,
  type SizedLane,
} from "#autoscaler/scaling/decide-lane-slots";

/** Jobs are picked up within 20 s. With 200 ms a job, a slot may have 1 + 0.5 x 20,000/200 = 51 in the system. */
const policy: LanePolicy = { pickupPromiseMs: 20_000 };

/** An empty lane of a fleet at zero; jobs take 200 ms and workers start in 2 s. */
function observe(changes: Partial<LaneObservation> = {}): LaneObservation {
  return {
    observedAtMs: 1_000_000,
    waiting: 0,
    active: 0,
    dueSoon: 0,
    oldestDueAgeMs: null,
    arrivalRatePerSec: 0,
    serviceTimeMs: 200,
    readySlots: 0,
    startDelayMs: 2_000,
    ...changes,
  };
}

function size(changes: Partial<LaneObservation> = {}, changedPolicy: Partial<LanePolicy> = {}): SizedLane {
  const decision = decideLaneSlots(observe(changes), { ...policy, ...changedPolicy });
  if (decision.kind !== "sized") throw new Error(`expected a sized lane, got ${decision.reason}`);
  return decision;
}

describe("decideLaneSlots", () => {
  test("needs nothing for an empty lane without arrivals", () => {
    expect(size()).toMatchObject({
      kind: "sized",
      slots: 0,
      terms: { fromInSystem: 0, fromDeadline: 0, fromArrivals: 0, fromBursts: 0 },
      ruledBy: "none",
      hasWork: false,
      reachable: true,
      serviceTimeAssumed: false,
      oldestAgeAssumed: false,
    });
  });

  test("spreads what waits and what runs over half the promise", () => {
    // (500 + 10) / 51 = 10.
    const { terms } = size({ waiting: 500, active: 10, oldestDueAgeMs: 0, readySlots: 50 });
    expect(terms.fromInSystem).toBe(10);
  });

  test("sizes the flash sale for the stated number of workers", () => {
    // 15 jobs/s a slot is 66.7 ms a job; 1 + 0.5 x 300,000/66.7 = 2251; 510,000/2251 = 226.6, so 227
    // slots: 23 workers of 10 slots and 150 jobs/s.
    const { terms } = size(
      { waiting: 510_000, oldestDueAgeMs: 0, serviceTimeMs: 1000 / 15 },
      { pickupPromiseMs: 300_000 },
    );
    expect(terms.fromInSystem).toBe(227);
  });

  test("gives old jobs more slots than young ones, part by part", () => {
    // Half of the backlog (500 jobs, the youngest of them 10 s old) has 0.8 x 20 - 10 = 6 s left, and new slots are
    // there for 4 of them: 1 + 4 / 0.2 = 21 starts each, 500 / 21 = 23.8. The parts 10, 25, 75, 100 % need 7.4, 18.5,
    // 16.3, 14.1.
    expect(size({ waiting: 1_000, oldestDueAgeMs: 20_000 }).terms.fromDeadline).toBe(24);
  });

  test("asks by deadline for as many standard deviations more as safety demands", () => {
    // As above: (500 + 3 sqrt(500)) / 21 = 27.004.
    const { terms } = size({ waiting: 1_000, oldestDueAgeMs: 20_000 }, { safetyZ: 3 });
    expect(terms.fromDeadline).toBe(28);
  });

  test("counts on slots that are on their way from the moment they come up", () => {
    // As above with 10 that come up in 1 s: 10 x (1 + 5 / 0.2) = 260 of the 500 in time; 10 + 240 / 21 = 21.4.
    const startingSlots = [{ readyInMs: 1_000, slots: 10 }];
    expect(size({ waiting: 1_000, oldestDueAgeMs: 20_000, startingSlots }).terms.fromDeadline).toBe(22);
  });

  test("knows by what came lately that a backlog is young", () => {
    // 990 came 1 s ago, 10 are 20 s old: those 10 need 10 / 13.5 = 0.7 slots in the 2.5 s after a start, all of them
    // 1,000 / (1 + (15 - 2) / 0.2) = 15.2. Spread evenly over 20 s they would need 24.
    const recentArrivals = [
      { ageMs: 1_000, jobs: 990 },
      { ageMs: 20_000, jobs: 10 },
    ];
    expect(size({ waiting: 1_000, oldestDueAgeMs: 20_000, recentArrivals }).terms.fromDeadline).toBe(16);
  });

  test("does not trust what came lately when it does not account for the oldest", () => {
    // Jobs that were scheduled or retried: 1,000 came just now, but somebody has waited for 20 s.
    const recentArrivals = [{ ageMs: 1_000, jobs: 2_000 }];
    expect(size({ waiting: 1_000, oldestDueAgeMs: 20_000, recentArrivals }).terms.fromDeadline).toBe(24);
  });

  test("tells the term that ruled, and at how many jobs the number would change", () => {
    // 510 / 51 = 10: one slot more at 511, one fewer at 9 x 51 = 459.
    expect(size({ waiting: 510, oldestDueAgeMs: 0, readySlots: 50 })).toMatchObject({
      slots: 10,
      ruledBy: "in-system",
      wouldChange: { moreAtJobsInSystem: 511, lessAtJobsInSystem: 459 },
    });
    expect(size({ arrivalRatePerSec: 210 })).toMatchObject({ ruledBy: "arrivals" });
    expect(size({ waiting: 1_000, oldestDueAgeMs: 20_000 })).toMatchObject({
      ruledBy: "deadline",
      wouldChange: { lessAtJobsInSystem: null },
    });
  });

  test("counts on the slots that are there", () => {
    // As above with 10 ready and free: 10 + 10 x 6 / 0.2 = 310 of the 500 in time; 10 + 190 / 21 = 19.05.
    const { terms } = size({ waiting: 1_000, oldestDueAgeMs: 20_000, readySlots: 10 });
    expect(terms.fromDeadline).toBe(20);
  });

  test("asks for nothing by deadline when the ready slots make it", () => {
    // 100 ready slots do 100 x 4.5 / 0.2 = 2250 jobs in the least time a start can help in.
    expect(size({ waiting: 1_000, oldestDueAgeMs: 60_000, readySlots: 100 }).terms.fromDeadline).toBe(0);
  });

  test("never asks for more slots by deadline than there are jobs", () => {
    // 60 s a job, 14 s with new slots: (10 + 3 sqrt(10)) / (1 + 14 / 60) = 15.8, but a job fills one slot.
    const { terms } = size({ waiting: 10, oldestDueAgeMs: 0, serviceTimeMs: 60_000 }, { safetyZ: 3 });
    expect(terms.fromDeadline).toBe(10);
  });

  test("keeps up with arrivals by Little's law", () => {
    // 210 jobs/s x 0.2 s = 42.
    expect(size({ arrivalRatePerSec: 210 })).toMatchObject({ slots: 42, terms: { fromArrivals: 42 } });
  });

  test("adds headroom in proportion to the square root of the load", () => {
    // 180 x 0.2 = 36; 36 + 1.5 x 6 = 45; 36 - 0.5 x 6 = 33.
    expect(size({ arrivalRatePerSec: 180 }, { headroomB: 1.5 }).terms.fromArrivals).toBe(45);
    expect(size({ arrivalRatePerSec: 180 }, { headroomB: -0.5 }).terms.fromArrivals).toBe(33);
  });

  test("lets an empty lane go when it would keep less than half a slot busy", () => {
    // 2.4 x 0.2 = 0.48; 2.6 x 0.2 = 0.52.
    expect(size({ arrivalRatePerSec: 2.4 }).slots).toBe(0);
    expect(size({ arrivalRatePerSec: 2.6 }).slots).toBe(1);
  });

  test("does not add a slot for the dust of binary fractions", () => {
    // 105 jobs/s at 15 jobs/s a slot are 7 slots; in floating point they come to 7.000000000000001.
    expect(size({ arrivalRatePerSec: 105, serviceTimeMs: 1000 / 15 }).slots).toBe(7);
  });

  test("keeps the headroom of a small load while there is work", () => {
    // 2.4 x 0.2 = 0.48; 0.48 + 1.5 x 0.69 = 1.52.
    expect(size({ active: 1, arrivalRatePerSec: 2.4 }, { headroomB: 1.5 }).slots).toBe(2);
  });

  test("keeps one slot for a single short job however long the promise", () => {
    // 1 / (1 + 0.5 x 30 d / 0.1 ms) is a ten-thousand-millionth of a slot.
    const month = { pickupPromiseMs: 30 * 86_400_000 };
    expect(size({ active: 1, serviceTimeMs: 0.1 }, month).slots).toBe(1);
  });

  test("reads an age from two disagreeing clocks as none", () => {
    const { terms } = size({ waiting: 1_000, oldestDueAgeMs: -60_000 });
    expect(terms).toEqual(size({ waiting: 1_000, oldestDueAgeMs: 0 }).terms);
  });

  test.for(["waiting", "active", "dueSoon"] as const)("keeps one slot while one job is %s", (count) => {
    expect(size({ [count]: 1, serviceTimeMs: 1 })).toMatchObject({ slots: 1, hasWork: true });
  });

  test("treats jobs that fall due soon as waiting", () => {
    const { terms } = size({ dueSoon: 1_000 });
    expect(terms).toEqual(size({ waiting: 1_000, oldestDueAgeMs: 0 }).terms);
  });

  test.for([
    ["waiting", "waiting-unknown"],
    ["active", "active-unknown"],
    ["dueSoon", "due-soon-unknown"],
  ] as const)("gives no number when %s is not known", ([count, reason]) => {
    const decision = decideLaneSlots(observe({ [count]: null }), policy);
    expect(decision).toEqual({ kind: "unknown", slots: null, terms: null, hasWork: false, reason });
  });

  test("still tells of the work it saw when another count is not known", () => {
    const decision = decideLaneSlots(observe({ waiting: 5, active: null }), policy);
    expect(decision).toMatchObject({ kind: "unknown", hasWork: true });
  });

  test("assumes a service time until a job has finished, and says so", () => {
    const unmeasured = size({ waiting: 1_000, oldestDueAgeMs: 0, serviceTimeMs: null });
    const measured = size({ waiting: 1_000, oldestDueAgeMs: 0, serviceTimeMs: SERVICE_TIME_ASSUMED_MS });
    expect(unmeasured).toEqual({ ...measured, serviceTimeAssumed: true });
  });

  test("takes jobs of untold age to be new, and says so", () => {
    const untold = size({ waiting: 1_000, oldestDueAgeMs: null });
    expect(untold).toEqual({ ...size({ waiting: 1_000, oldestDueAgeMs: 0 }), oldestAgeAssumed: true });
  });

  test("leaves the arrivals out when their rate is not known", () => {
    const decision = size({ waiting: 510, oldestDueAgeMs: 0, arrivalRatePerSec: null });
    expect(decision.terms.fromArrivals).toBeNull();
    expect(decision.slots).toBe(10);
  });

  describe("when starting a worker comes too late for the promise", () => {
    const hasty = { pickupPromiseMs: 2_000 };

    test("says so from start delay + service time on", () => {
      // 2,000 + 200 = 2,200.
      expect(size({}, { pickupPromiseMs: 2_199 }).reachable).toBe(false);
      expect(size({}, { pickupPromiseMs: 2_200 }).reachable).toBe(true);
    });

    test("holds slots for what comes before an order of the next look could help", () => {
      // An order of the look after next is up 2 + 10 s from now: 20 x (12 - 0.8 x 2) = 208 jobs come too early for it, and
      // a slot that is ordered now starts 1 + 10 / 0.2 = 51 of them: 4.08.
      expect(size({ arrivalRatePerSec: 20 }, hasty).terms).toMatchObject({ fromArrivals: 4, fromBursts: 5 });
    });

    test("holds more for arrivals that come unevenly, and for a surge", () => {
      // In 1.3 s come 6.5 + 2 sqrt(6.5 I) jobs, to be started within 2.9 s: 0.8 slots at I = 1 and 2.9 at I = 50.
      const poisson = size({ arrivalRatePerSec: 5 }, { ...hasty, safetyZ: 2 }).terms.fromBursts ?? 0;
      const uneven = size({ arrivalRatePerSec: 5, dispersion: 50 }, { ...hasty, safetyZ: 2 });
      const surge = size({ arrivalRatePerSec: 5, surgePerSec: 50 }, { ...hasty, safetyZ: 2 });
      expect(uneven.terms.fromBursts).toBeGreaterThan(poisson);
      expect(surge.terms.fromBursts).toBeGreaterThan(poisson);
    });

    test("keeps a slot for a trickle and lets go when jobs are ten minutes apart", () => {
      expect(size({ arrivalRatePerSec: 0.1 }, hasty).slots).toBe(1);
      expect(size({ arrivalRatePerSec: 1 / 601 }, hasty).slots).toBe(0);
    });

    test("lets go when the last crowd was one occasion, however many came in it", () => {
      const afterCrowd = { arrivalRatePerSec: 2 };
      expect(size({ ...afterCrowd, occasionsPerSec: 1 / 601 }, hasty).slots).toBe(0);
      expect(size({ ...afterCrowd, occasionsPerSec: 1 / 599 }, hasty).slots).toBeGreaterThan(0);
      expect(size({ ...afterCrowd, occasionsPerSec: null }, hasty).slots).toBeGreaterThan(0);
      // More occasions than jobs come of a look's edges: the rate is right then.
      expect(size({ arrivalRatePerSec: 1 / 601, occasionsPerSec: 1 }, hasty).slots).toBe(0);
    });

    test("lets go sooner where a start keeps the promise: when occasions are a minute apart", () => {
      // Two a second of a second each: two slots, by the average.
      const afterCrowd = { arrivalRatePerSec: 2, serviceTimeMs: 1_000 };
      const patient = { pickupPromiseMs: 60_000 };
      expect(size({ ...afterCrowd, occasionsPerSec: 1 / 61 }, patient).slots).toBe(0);
      expect(size({ ...afterCrowd, occasionsPerSec: 1 / 59 }, patient).slots).toBe(2);
      expect(size({ ...afterCrowd, occasionsPerSec: 1 / 61, active: 1 }, patient).slots).toBe(2);
    });
  });

  test.for([0, 0.1, 1e-9])("gives a finite whole number for a service time of %d ms", (serviceTimeMs) => {
    const { slots } = size({ waiting: 1_000_000, oldestDueAgeMs: 0, arrivalRatePerSec: 1e5, serviceTimeMs });
    expect(Number.isSafeInteger(slots)).toBe(true);
    // Even at 0.1 ms a job: 1e6 / (1 + 0.5 x 20,000 / 0.1) = 9.99 and 1e5 x 0.0001 = 10.
    expect(slots).toBe(10);
  });

  describe("for any lane", () => {
    const anyObservation = fc.record<LaneObservation>({
      observedAtMs: fc.nat(),
      waiting: fc.nat(1_000_000),
      active: fc.nat(10_000),
      dueSoon: fc.nat(100_000),
      oldestDueAgeMs: fc.option(fc.integer({ min: -1_000, max: 86_400_000 }), { nil: null }),
      arrivalRatePerSec: fc.option(fc.double({ min: 0, max: 1e5, noNaN: true }), { nil: null }),
      serviceTimeMs: fc.option(fc.double({ min: 0, max: 3_600_000, noNaN: true }), { nil: null }),
      readySlots: fc.nat(10_000),
      startDelayMs: fc.nat(600_000),
      occasionsPerSec: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: null }),
    });
    const anyPolicy = fc.record<LanePolicy>({
      pickupPromiseMs: fc.integer({ min: 1, max: 86_400_000 }),
      headroomB: fc.double({ min: -3, max: 3, noNaN: true }),
      safetyZ: fc.double({ min: 0, max: 6, noNaN: true }),
      promiseShare: fc.double({ min: 0.01, max: 1, noNaN: true }),
    });

    test("the slots are a whole number and no fewer than any term", () => {
      fc.assert(
        fc.property(anyObservation, anyPolicy, (observation, any) => {
          const { slots, terms } = size(observation, any);
          expect(Number.isSafeInteger(slots)).toBe(true);
          const { fromInSystem, fromDeadline, fromArrivals, fromBursts } = terms;
          for (const term of [fromInSystem, fromDeadline, fromArrivals ?? 0, fromBursts ?? 0]) {
            expect(term).toBeGreaterThanOrEqual(0);
            expect(slots).toBeGreaterThanOrEqual(term);
          }
        }),
      );
    });

    test("there is a slot if and only if there is work or a load", () => {
      fc.assert(
        fc.property(anyObservation, anyPolicy, (observation, any) => {
          const { slots, hasWork, terms } = size(observation, any);
          expect(slots > 0).toBe(hasWork || (terms.fromArrivals ?? 0) > 0);
        }),
      );
    });

    test("the wouldChange numbers do change the number", () => {
      fc.assert(
        fc.property(anyObservation, anyPolicy, (observation, any) => {
          const now = size(observation, any);
          const more = now.wouldChange.moreAtJobsInSystem ?? 0;
          const waiting = more - (observation.active ?? 0) - (observation.dueSoon ?? 0);
          expect(size({ ...observation, waiting }, any).slots).toBeGreaterThan(now.slots);
        }),
      );
    });

    test("the backlog never asks for more slots than there are jobs", () => {
      fc.assert(
        fc.property(anyObservation, anyPolicy, (observation, any) => {
          const { terms } = size(observation, any);
          const jobs = (observation.waiting ?? 0) + (observation.active ?? 0) + (observation.dueSoon ?? 0);
          expect(Math.max(terms.fromInSystem, terms.fromDeadline)).toBeLessThanOrEqual(jobs);
        }),
      );
    });

    test.for(["waiting", "active", "dueSoon", "oldestDueAgeMs", "arrivalRatePerSec"] as const)(
      "more %s never needs fewer slots",
      (measure) => {
        fc.assert(
          fc.property(anyObservation, anyPolicy, fc.nat(1_000_000), (observation, any, more) => {
            const less = { ...observation, [measure]: observation[measure] ?? 0 };
            const greater = { ...less, [measure]: (less[measure] ?? 0) + more };
            expect(size(greater, any).slots).toBeGreaterThanOrEqual(size(less, any).slots);
          }),
        );
      },
    );
  });
});
