import fc from "fast-check";
import { expect, test } from "vitest";
import { type AcceptFacts, decideAccept, type ReadRange } from "#shared/contracts/decide-accept";

const version = fc.integer({ min: 1, max: 9 });

const anyFacts: fc.Arbitrary<AcceptFacts> = fc.record({
  specversion: fc.constantFrom("1.0", "1.0", "1.0", "2.0"),
  type: fc.constantFrom("receipt.render", "csv.summarise"),
  minReaderVersion: version,
  criticalNames: fc.subarray(["expirytime", "geo"]),
});

const anyRange: fc.Arbitrary<ReadRange> = fc
  .tuple(version, version)
  .map(([one, other]) => ({ oldest: Math.min(one, other), native: Math.max(one, other) }));

function accepts(facts: AcceptFacts, range: ReadRange): boolean {
  const ranges = new Map([["receipt.render", range]]);
  return decideAccept(facts, ranges, new Set(["expirytime"])).kind === "accept";
}

test("a build that reads further up or further down takes every job that it took before", () => {
  fc.assert(
    fc.property(anyFacts, anyRange, fc.nat(4), fc.nat(4), (facts, range, up, down) => {
      fc.pre(accepts(facts, range));
      const wider = { native: range.native + up, oldest: Math.max(1, range.oldest - down) };
      expect(accepts(facts, wider)).toBe(true);
    }),
  );
});

test("a job is taken exactly when its minimum reader lies in the range and nothing else is in the way", () => {
  fc.assert(
    fc.property(anyFacts, anyRange, (facts, range) => {
      const isKnown = facts.specversion === "1.0" && facts.type === "receipt.render";
      const isRead = range.oldest <= facts.minReaderVersion && facts.minReaderVersion <= range.native;
      const isUnderstood = !facts.criticalNames.includes("geo");
      expect(accepts(facts, range)).toBe(isKnown && isRead && isUnderstood);
    }),
  );
});
