import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type AcceptFacts, decideAccept, type ReadRange } from "#shared/contracts/decide-accept";

const facts: AcceptFacts = {
  specversion: "1.0",
  type: "receipt.render",
  minReaderVersion: 3,
  criticalNames: [],
};
const range: ReadRange = { native: 4, oldest: 2 };

function decide(changed: Partial<AcceptFacts>, understood: readonly string[] = []) {
  return decideAccept({ ...facts, ...changed }, new Map([["receipt.render", range]]), new Set(understood));
}

describe("decideAccept", () => {
  test.each([2, 3, 4])("accepts a minimum reader of %i when the build reads 2 to 4", (minReaderVersion) => {
    expect(decide({ minReaderVersion })).toEqual({ kind: "accept" });
  });

  test("finds what is written for newer readers too new", () => {
    expect(decide({ minReaderVersion: 5 })).toEqual({ kind: "too-new" });
  });

  test("finds what is older than the oldest group it reads too old", () => {
    expect(decide({ minReaderVersion: 1 })).toEqual({ kind: "too-old" });
  });

  test("finds an unknown type and an envelope of another major foreign", () => {
    expect(decide({ type: "csv.summarise" })).toEqual({ kind: "foreign" });
    expect(decide({ specversion: "2.0" })).toEqual({ kind: "foreign" });
  });

  test("names the first critical attribute that it does not understand", () => {
    expect(decide({ criticalNames: ["subject", "lockkey", "other"] }, ["subject"])).toEqual({
      kind: "unknown-crit",
      attribute: "lockkey",
    });
    expect(decide({ criticalNames: ["subject"] }, ["subject"])).toEqual({ kind: "accept" });
  });

  const version = fc.integer({ min: 1, max: 12 });
  const anyRange = fc
    .tuple(version, version)
    .map(([a, b]) => ({ oldest: Math.min(a, b), native: Math.max(a, b) }));
  const anyFacts = fc.record({
    specversion: fc.constantFrom("1.0", "2.0"),
    type: fc.constantFrom("receipt.render", "csv.summarise"),
    minReaderVersion: version,
    criticalNames: fc.subarray(["subject", "lockkey"]),
  });
  const understood = new Set(["subject"]);

  test("a build with a newer own version never rejects more", () => {
    fc.assert(
      fc.property(anyFacts, anyRange, fc.nat(5), (any, { oldest, native }, more) => {
        const older = decideAccept(any, new Map([["receipt.render", { oldest, native }]]), understood);
        const newer = decideAccept(
          any,
          new Map([["receipt.render", { oldest, native: native + more }]]),
          understood,
        );
        if (older.kind === "accept") expect(newer.kind).toBe("accept");
      }),
    );
  });

  test("a build that reads older groups never rejects more", () => {
    fc.assert(
      fc.property(anyFacts, anyRange, fc.nat(5), (any, { oldest, native }, more) => {
        const narrow = decideAccept(any, new Map([["receipt.render", { oldest, native }]]), understood);
        const wide = decideAccept(
          any,
          new Map([["receipt.render", { oldest: oldest - more, native }]]),
          understood,
        );
        if (narrow.kind === "accept") expect(wide.kind).toBe("accept");
      }),
    );
  });

  test("accepts nothing without a handler", () => {
    fc.assert(fc.property(anyFacts, (any) => decideAccept(any, new Map(), understood).kind === "foreign"));
  });
});
