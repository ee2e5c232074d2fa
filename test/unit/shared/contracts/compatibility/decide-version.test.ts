import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { decideVersion, knownBefore, type Verdict } from "#shared/contracts/compatibility/decide-version";
import { verdictProblems } from "#shared/contracts/compatibility/verdict-problems";
import { toJsonSchema } from "#shared/contracts/json-schema";
import { openEnum } from "#shared/contracts/open-enum";

const loose = z.looseObject;

interface Said {
  readonly hasUpcast?: boolean;
  readonly declared?: number;
}

/** The verdict on `newest` after `lane`, which are versions 1 to n that share M = 1; no other history. */
function verdictOn(newest: z.ZodType, lane: readonly z.ZodType[], said: Said = {}): Verdict {
  const versions = lane.map((schema, index) => ({ version: index + 1, schema: toJsonSchema(schema) }));
  return decideVersion(
    {
      version: lane.length + 1,
      schema: toJsonSchema(newest),
      hasUpcast: said.hasUpcast ?? false,
      declared: said.declared,
    },
    { lane: versions, history: [] },
  );
}

/** "direction code path against" of each finding. */
function findingsOf({ findings }: Verdict): readonly string[] {
  return findings.map((it) => `${it.direction} ${it.code} ${it.path || "-"} ${it.againstVersion}`);
}

const text = loose({ a: z.string() });
const textMaybe = loose({ a: z.string().optional() });
const nothing = loose({});
const number = loose({ a: z.int() });
const numberMaybe = loose({ a: z.int().optional() });
const one = loose({ kind: z.enum(["a"]) });
const two = loose({ kind: z.enum(["a", "b"]) });
const card = loose({ kind: z.literal("card"), number: z.string() });
const cash = loose({ kind: z.literal("cash") });

describe("the verdict on version 2", () => {
  const table: [string, z.ZodType, z.ZodType, Verdict["kind"], string[]][] = [
    ["the same schema", text, text, "additive", []],
    ["a new optional field", nothing, textMaybe, "additive", []],
    ["a new field with a default", nothing, loose({ a: z.string().default("x") }), "additive", []],
    ["a required field becoming optional", text, textMaybe, "breaking", ["forward REQUIRED_ADDED /a 1"]],
    ["an optional field removed", textMaybe, nothing, "additive", []],
    ["a required field removed", text, nothing, "breaking", ["forward REQUIRED_ADDED /a 1"]],
    ["a new required field", nothing, text, "rejected", ["backward REQUIRED_ADDED /a 1"]],
    ["an optional field becoming required", textMaybe, text, "rejected", ["backward REQUIRED_ADDED /a 1"]],
    ["another type", text, number, "rejected", ["backward TYPE_NARROWED /a 1", "forward TYPE_NARROWED /a 1"]],
    ["a wider type", text, loose({ a: z.string().nullable() }), "breaking", ["forward TYPE_NARROWED /a 1"]],
    ["a narrower range", number, loose({ a: z.int().max(9) }), "rejected", ["backward RANGE_NARROWED /a 1"]],
    ["a value added to an enum", one, two, "breaking", ["forward ENUM_NARROWED /kind 1"]],
    ["a value removed from an enum", two, one, "rejected", ["backward ENUM_NARROWED /kind 1"]],
    [
      "a variant added to a union",
      loose({ by: z.discriminatedUnion("kind", [card]) }),
      loose({ by: z.discriminatedUnion("kind", [card, cash]) }),
      "breaking",
      [expect.stringMatching(/^forward \w+ \/by\S* 1$/)],
    ],
  ];

  test.each(table)("for %s", (_what, older, newer, kind, findings) => {
    const verdict = verdictOn(newer, [older]);
    expect(verdict.kind).toBe(kind);
    expect(verdict.minReaderVersion).toBe(kind === "additive" ? 1 : 2);
    expect(findingsOf(verdict)).toEqual(findings);
  });

  test.each(table.filter(([, , , kind]) => kind === "rejected"))(
    "for %s with an upcaster is breaking",
    (_what, older, newer, _kind, findings) => {
      const verdict = verdictOn(newer, [older], { hasUpcast: true });
      expect(verdict).toMatchObject({ kind: "breaking-with-upcaster", minReaderVersion: 2 });
      expect(findingsOf(verdict)).toEqual(findings);
      expect(verdictProblems(verdict)).toEqual([]);
    },
  );

  test.each(table.filter(([, , , kind]) => kind !== "rejected"))(
    "for %s is no problem",
    (_what, older, newer) => {
      expect(verdictProblems(verdictOn(newer, [older]))).toEqual([]);
    },
  );

  test("names places of the schemas, and says what is wrong", () => {
    const [finding] = verdictOn(text, [nothing]).findings;
    expect(finding).toMatchObject({
      writer: { pointer: expect.any(String) },
      reader: { fragment: expect.anything() },
    });
    expect(finding?.message.length).toBeGreaterThan(10);
  });
});

describe("a version that reads its neighbour and not the neighbour's neighbour", () => {
  // Version 2 says nothing of `a`, so it goes with both.
  test("is not additive, because the lane still holds data of the first", () => {
    expect(verdictOn(nothing, [textMaybe]).kind).toBe("additive");
    expect(verdictOn(numberMaybe, [nothing]).kind).toBe("additive");
    const verdict = verdictOn(numberMaybe, [textMaybe, nothing]);
    expect(verdict.kind).toBe("rejected");
    expect(findingsOf(verdict)).toEqual(["backward TYPE_NARROWED /a 1", "forward TYPE_NARROWED /a 1"]);
    expect(verdictOn(numberMaybe, [textMaybe, nothing], { hasUpcast: true })).toMatchObject({
      kind: "breaking-with-upcaster",
      minReaderVersion: 3,
    });
  });
});

describe("a default", () => {
  const at = (value: number) => loose({ n: z.int().default(value) });

  test("that changes keeps older readers away, and needs no upcaster: older data gets its own default first", () => {
    const verdict = verdictOn(at(4), [at(3)]);
    expect(verdict).toMatchObject({ kind: "breaking", minReaderVersion: 2 });
    expect(findingsOf(verdict)).toEqual(["backward DEFAULT_CHANGED /n 1", "forward DEFAULT_CHANGED /n 1"]);
  });

  test("that is the same changes nothing", () => {
    expect(verdictOn(at(3), [at(3)]).kind).toBe("additive");
  });
});

describe("an open enum", () => {
  const of = (values: string[], fallback = "other") => loose({ method: openEnum(values, { fallback }) });
  const closedEnum = loose({ method: z.enum(["card", "cash"]) });

  test("takes a new value as an additive change", () => {
    expect(verdictOn(of(["card", "cash"]), [of(["card"])]).kind).toBe("additive");
    expect(verdictOn(of(["card", "cash", "sepa"]), [of(["card"]), of(["card", "cash"])]).kind).toBe(
      "additive",
    );
  });

  test("of a closed one with the same values is additive, and with one more keeps the closed readers away", () => {
    expect(verdictOn(of(["card", "cash"]), [closedEnum]).kind).toBe("additive");
    const verdict = verdictOn(of(["card", "cash", "sepa"]), [closedEnum, of(["card", "cash"])]);
    expect(verdict.kind).toBe("breaking");
    expect(findingsOf(verdict)).toEqual(["forward ENUM_NARROWED /method 1"]);
  });

  test("of a text is read by the text's readers", () => {
    expect(verdictOn(of(["card"]), [loose({ method: z.string() })]).kind).toBe("additive");
  });

  test("that loses a value needs an upcaster that says what becomes of stored jobs", () => {
    const verdict = verdictOn(of(["card"]), [of(["card", "cash"])]);
    expect(verdict).toMatchObject({ kind: "rejected", minReaderVersion: 2 });
    expect(findingsOf(verdict)).toEqual(["backward VALUE_REMOVED /method 1"]);
    expect(verdictProblems(verdict)).toEqual([expect.stringContaining('"cash", which stored jobs may hold')]);
    expect(verdictOn(of(["card"]), [of(["card", "cash"])], { hasUpcast: true }).kind).toBe(
      "breaking-with-upcaster",
    );
  });

  test("with another fallback keeps older readers away", () => {
    const verdict = verdictOn(of(["card"], "unknown"), [of(["card"])]);
    expect(verdict).toMatchObject({ kind: "breaking", minReaderVersion: 2 });
    expect(findingsOf(verdict)).toEqual(["backward FALLBACK_CHANGED /method 1"]);
  });

  test("in a list, a record and a union is one as well", () => {
    const nested = (values: string[]) => {
      const method = openEnum(values, { fallback: "other" });
      return loose({
        all: z.array(method),
        by: z.record(z.string(), method),
        may: method.nullable().optional(),
      });
    };
    expect(verdictOn(nested(["card", "cash"]), [nested(["card"])]).kind).toBe("additive");
    expect(findingsOf(verdictOn(nested(["card"]), [nested(["card", "cash"])]))).toEqual([
      "backward VALUE_REMOVED /all/* 1",
      "backward VALUE_REMOVED /by/* 1",
      "backward VALUE_REMOVED /may 1",
    ]);
  });
});

describe("what the author says of M", () => {
  test("may be what is computed", () => {
    expect(verdictOn(text, [text], { declared: 1 })).toMatchObject({
      kind: "additive",
      raisedByAuthor: false,
    });
    expect(verdictOn(two, [one], { declared: 2 })).toMatchObject({ kind: "breaking", raisedByAuthor: false });
  });

  test("may raise an additive version, and with an upcaster older data goes through it", () => {
    expect(verdictOn(text, [text], { declared: 2 })).toMatchObject({
      kind: "breaking",
      minReaderVersion: 2,
      raisedByAuthor: true,
      findings: [],
    });
    expect(verdictOn(text, [text], { declared: 2, hasUpcast: true }).kind).toBe("breaking-with-upcaster");
  });

  test("may never promise too much", () => {
    const verdict = verdictOn(two, [one], { declared: 1 });
    expect(verdict).toMatchObject({ kind: "rejected", minReaderVersion: 2 });
    expect(findingsOf(verdict)).toEqual(["forward ENUM_NARROWED /kind 1", "declared MIN_READER_LOWERED - 2"]);
    expect(verdictProblems(verdict)).toEqual([
      expect.stringMatching(
        /^minReaderVersion 1 is too low, because it cannot be read as version 1: \/kind \(ENUM_NARROWED\)/,
      ),
    ]);
  });

  test("of a lane whose first version this build has dropped is the lane's", () => {
    const lane = [{ version: 4, schema: toJsonSchema(text) }];
    const known = { lane, history: lane, laneMinReaderVersion: 3 };
    const candidate = { version: 5, schema: toJsonSchema(text), hasUpcast: false };
    expect(decideVersion(candidate, known)).toMatchObject({ kind: "additive", minReaderVersion: 3 });
    expect(decideVersion({ ...candidate, declared: 3 }, known).kind).toBe("additive");
    expect(decideVersion({ ...candidate, declared: 4 }, known).kind).toBe("rejected");
  });
});

describe("the first version", () => {
  const schema = toJsonSchema(text);
  const decide = (version: number, declared?: number) =>
    decideVersion({ version, schema, declared, hasUpcast: false }, { lane: [], history: [] });

  test("is read by its own reader and by no other", () => {
    expect(decide(1)).toMatchObject({ kind: "first", minReaderVersion: 1, findings: [] });
    expect(decide(1, 1).kind).toBe("first");
  });

  test("with a later number must say what it was published with", () => {
    expect(findingsOf(decide(3))).toEqual(["declared MIN_READER_MISSING - 3"]);
    expect(decide(3, 2)).toMatchObject({ kind: "first", minReaderVersion: 2 });
    expect(findingsOf(decide(3, 4))).toEqual(["declared MIN_READER_INVALID - 3"]);
  });
});

describe("knownBefore", () => {
  const schema = toJsonSchema(text);
  const versions = [5, 1, 2, 3, 4].map((version) => ({
    version,
    minReaderVersion: version < 3 ? 1 : 3,
    schema,
  }));

  test("is the read group of the version before, and everything earlier", () => {
    const numbersOf = (list: readonly { readonly version: number }[]) => list.map((it) => it.version);
    const before5 = knownBefore(versions, 5);
    expect([numbersOf(before5.lane), numbersOf(before5.history)]).toEqual([
      [3, 4],
      [1, 2, 3, 4],
    ]);
    const before3 = knownBefore(versions, 3);
    expect([numbersOf(before3.lane), before3.laneMinReaderVersion]).toEqual([[1, 2], 1]);
    expect(knownBefore(versions, 1)).toEqual({ lane: [], laneMinReaderVersion: undefined, history: [] });
  });
});

const field = fc.constantFrom<z.ZodType>(
  z.string(),
  z.string().optional(),
  z.int().optional(),
  z.int().min(0).optional(),
  z.enum(["a", "b"]).optional(),
  z.int().default(1),
);
const objects = fc
  .dictionary(fc.constantFrom("a", "b", "c"), field, { maxKeys: 3 })
  .map((shape): z.ZodType => loose(shape));

test("an additive version accepts and is accepted by whatever the lane may hold", () => {
  fc.assert(
    fc.property(
      objects,
      fc.array(objects, { minLength: 1, maxLength: 3 }),
      fc.boolean(),
      (newer, lane, hasUpcast) => {
        const verdict = verdictOn(newer, lane, { hasUpcast });
        const apart = lane.map((older) => verdictOn(newer, [older]).findings.length === 0);
        // Additive to the lane is additive to each of its versions, and an upcaster changes nothing of that.
        expect(verdict.kind === "additive").toBe(apart.every(Boolean));
        expect(verdict.kind === "rejected" && hasUpcast).toBe(false);
        expect(verdict.minReaderVersion).toBe(verdict.kind === "additive" ? 1 : lane.length + 1);
      },
    ),
    { numRuns: 200 },
  );
});
