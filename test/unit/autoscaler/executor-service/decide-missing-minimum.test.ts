/** What is started while nobody leads. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { decideMissingMinimum } from "#autoscaler/executor-service/decide-missing-minimum";

const release = fc.constantFrom("v1", "v2");
const sight = fc.record({
  desired: fc.dictionary(release, fc.nat(6)),
  there: fc.array(release, { maxLength: 8 }),
  workersMin: fc.nat(6),
  workersMax: fc.integer({ min: 1, max: 6 }),
});

test("the minimum is filled with what the last leader had run", () => {
  const missing = { desired: { v1: 1, v2: 2 }, there: ["v1"], workersMin: 2, workersMax: 4 };
  expect(decideMissingMinimum(missing)).toEqual(["v2"]);
});

test("neither the minimum, nor the maximum, nor what was told of a release is exceeded", () => {
  fc.assert(
    fc.property(sight, (it) => {
      const missing = decideMissingMinimum(it);
      if (missing.length > 0)
        expect(it.there.length + missing.length).toBeLessThanOrEqual(Math.min(it.workersMin, it.workersMax));
      for (const id of new Set(missing)) {
        const count = [...it.there, ...missing].filter((other) => other === id).length;
        expect(count).toBeLessThanOrEqual(it.desired[id] ?? 0);
      }
    }),
  );
});

test("the minimum is reached when enough was told", () => {
  fc.assert(
    fc.property(fc.nat(6), fc.nat(6), (workersMin, there) => {
      const here = Array.from({ length: there }, () => "v1");
      const missing = decideMissingMinimum({ desired: { v1: 6 }, there: here, workersMin, workersMax: 6 });
      expect(missing.length).toBe(Math.max(0, workersMin - there));
    }),
  );
});
