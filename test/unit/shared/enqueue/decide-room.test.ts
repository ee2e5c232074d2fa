import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type BacklogBounds, decideRoom, type QueueLoad } from "#shared/enqueue/decide-room";
import { PRIORITIES, type Priority } from "#shared/envelope";

const bounds: BacklogBounds = { depthMax: 1_000, bytesMax: 1_000_000, waitMaxMs: 60_000 };
const unknown: QueueLoad = { drainPerSec: null, meanBytes: null };

const anyBounds = fc.record({
  depthMax: fc.nat(1_000_000),
  bytesMax: fc.nat(1_000_000_000),
  waitMaxMs: fc.integer({ min: 1_000, max: 604_800_000 }),
});
const anyLoad = fc.record({
  drainPerSec: fc.option(fc.double({ min: 0.001, max: 10_000, noNaN: true })),
  meanBytes: fc.option(fc.double({ min: 1, max: 262_144, noNaN: true })),
});
const anyPriority = fc.constantFrom(...PRIORITIES);

function depthOf(of: BacklogBounds, load: QueueLoad, priority: Priority): number {
  return decideRoom(of, load, priority).depthMax;
}

describe("the room of a queue", () => {
  test.each([
    ["jobs, while nothing is measured", bounds, unknown, { depthMax: 1_000, limitedBy: "depth" }],
    // 1,000,000 bytes / 2,000 a job.
    ["bytes", bounds, { drainPerSec: null, meanBytes: 2_000 }, { depthMax: 500, limitedBy: "bytes" }],
    // 5 a second for 60 s.
    ["the longest wait", bounds, { drainPerSec: 5, meanBytes: 2_000 }, { depthMax: 300, limitedBy: "wait" }],
    [
      "jobs, where bytes allow the same",
      bounds,
      { drainPerSec: null, meanBytes: 1_000 },
      { depthMax: 1_000, limitedBy: "depth" },
    ],
  ])("is bounded by %s", (_what, of, load, room) => {
    expect(decideRoom(of, load, "critical")).toEqual(room);
  });

  test("is 100, 95, 90 and 60 % of it for each priority", () => {
    expect(PRIORITIES.map((priority) => depthOf(bounds, unknown, priority))).toEqual([1_000, 950, 900, 600]);
  });

  test("is never larger for less important jobs", () => {
    fc.assert(
      fc.property(anyBounds, anyLoad, (of, load) => {
        const depths = PRIORITIES.map((priority) => depthOf(of, load, priority));
        expect(depths).toEqual(depths.toSorted((a, b) => b - a));
      }),
    );
  });

  test("never shrinks when a bound is raised, the queue drains faster or its jobs get smaller", () => {
    const more = fc.record({
      depthMax: fc.nat(1_000),
      bytesMax: fc.nat(1_000_000),
      waitMaxMs: fc.nat(100_000),
      drainPerSec: fc.double({ min: 0, max: 100, noNaN: true }),
      smaller: fc.double({ min: 0.01, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(anyBounds, anyLoad, anyPriority, more, (of, load, priority, by) => {
        const raised = {
          depthMax: of.depthMax + by.depthMax,
          bytesMax: of.bytesMax + by.bytesMax,
          waitMaxMs: of.waitMaxMs + by.waitMaxMs,
        };
        const eased = {
          drainPerSec: load.drainPerSec === null ? null : load.drainPerSec + by.drainPerSec,
          meanBytes: load.meanBytes === null ? null : load.meanBytes * by.smaller,
        };
        expect(depthOf(raised, eased, priority)).toBeGreaterThanOrEqual(depthOf(of, load, priority));
      }),
    );
  });

  test("is not bounded by what is not known", () => {
    fc.assert(
      fc.property(anyBounds, anyLoad, anyPriority, (of, load, priority) => {
        for (const less of [{ ...load, drainPerSec: null }, { ...load, meanBytes: null }, unknown]) {
          expect(depthOf(of, less, priority)).toBeGreaterThanOrEqual(depthOf(of, load, priority));
        }
      }),
    );
  });

  test("is closed by a bound of 0, and has a place for one under any other", () => {
    fc.assert(
      fc.property(anyBounds, anyLoad, anyPriority, (of, load, priority) => {
        expect(depthOf({ ...of, depthMax: 0 }, load, priority)).toBe(0);
        const open = { ...of, depthMax: of.depthMax + 1, bytesMax: of.bytesMax + 1 };
        expect(depthOf(open, load, priority)).toBeGreaterThanOrEqual(1);
      }),
    );
  });

  test("is closed by 0 bytes, too, as soon as a job's size is known", () => {
    const closed = { ...bounds, bytesMax: 0 };
    expect(depthOf(closed, { drainPerSec: null, meanBytes: 1 }, "critical")).toBe(0);
  });
});
