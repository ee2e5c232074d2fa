import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { asDraft2020 } from "#shared/contracts/compatibility/documents/draft-2020";
import { findCounterexample } from "#shared/contracts/compatibility/find-counterexample";
import { compileCheck } from "#shared/contracts/strict-check";
import { closed, type JsonSchema } from "#shared/contracts/wire-schema";
import { schemaPairs } from "#test/support/schema-pairs";
import { exported } from "#test/support/wire-schemas";

const loose = z.looseObject;

function isValid(schema: JsonSchema | boolean, document: unknown): boolean {
  return compileCheck(asDraft2020(schema), "")(document).length === 0;
}

/** What a writer of `writer`, which the door holds to it, may send that `reader` refuses. */
function found(reader: z.ZodType, writer: z.ZodType): unknown {
  return findCounterexample(exported(reader), closed(exported(writer)))?.document;
}

const base = { id: z.string(), n: z.int() };

describe("shows the smallest document that a reader refuses", () => {
  const a = (field: z.ZodType) => loose({ ...base, a: field });

  test.each<[string, z.ZodType, z.ZodType, unknown]>([
    ["a new required field", loose({ ...base, more: z.int() }), loose(base), { id: "", n: 0 }],
    ["a field required now", a(z.int()), a(z.int().optional()), { id: "", n: 0 }],
    ["a field retyped", a(z.int()), a(z.boolean()), { id: "", n: 0, a: false }],
    ["an optional field retyped", a(z.int().optional()), a(z.null().optional()), { id: "", n: 0, a: null }],
    ["null", a(z.int()), a(z.int().nullable()), { id: "", n: 0, a: null }],
    ["a value of an enum", a(z.enum(["x"])), a(z.enum(["x", "y"])), { id: "", n: 0, a: "y" }],
    ["any text where values are listed", a(z.enum(["x"])), a(z.string()), { id: "", n: 0, a: "" }],
    ["a longer text", a(z.string().max(3)), a(z.string().max(9)), { id: "", n: 0, a: "aaaa" }],
    ["a shorter text", a(z.string().min(3)), a(z.string().min(2)), { id: "", n: 0, a: "aa" }],
    ["a larger number", a(z.int().max(3)), a(z.int()), { id: "", n: 0, a: 4 }],
    ["a fraction", a(z.int()), a(z.number().min(0)), { id: "", n: 0, a: 0.5 }],
    ["the limit itself", a(z.number().gt(5)), a(z.number().min(5)), { id: "", n: 0, a: 5 }],
    ["a multiple", a(z.int().multipleOf(6)), a(z.int().multipleOf(4)), { id: "", n: 0, a: 4 }],
    ["an item more", a(z.array(z.int()).max(2)), a(z.array(z.int())), { id: "", n: 0, a: [0, 0, 0] }],
    ["an item's type", a(z.array(z.int())), a(z.array(z.string())), { id: "", n: 0, a: [""] }],
    ["a tuple's item", a(z.tuple([z.int()])), a(z.tuple([z.string()])), { id: "", n: 0, a: [""] }],
    ["a tuple's rest", a(z.tuple([z.int()])), a(z.tuple([z.int()], z.int())), { id: "", n: 0, a: [0, 0] }],
    [
      "a record's value",
      a(z.record(z.string(), z.int())),
      a(z.record(z.string(), z.null())),
      { id: "", n: 0, a: { k1: null } },
    ],
    [
      "a record's name",
      a(z.record(z.string().max(2), z.int())),
      a(z.record(z.string(), z.int())),
      { id: "", n: 0, a: { "a b": 0 } },
    ],
    [
      "a branch of a union",
      a(z.union([z.int(), z.null()])),
      a(z.union([z.int(), z.string()])),
      { id: "", n: 0, a: "" },
    ],
    [
      "a new variant",
      a(z.discriminatedUnion("k", [loose({ k: z.literal("x") })])),
      a(z.discriminatedUnion("k", [loose({ k: z.literal("x") }), loose({ k: z.literal("y") })])),
      { id: "", n: 0, a: { k: "y" } },
    ],
    [
      "a field deep inside",
      a(z.array(loose({ b: z.record(z.string(), loose({ c: z.int() })) }))),
      a(z.array(loose({ b: z.record(z.string(), loose({ c: z.int().optional() })) }))),
      { id: "", n: 0, a: [{ b: { k1: {} } }] },
    ],
  ])("%s", (_what, reader, writer, expected) => {
    expect(found(reader, writer)).toEqual(expected);
  });

  test.each<[string, RegExp, RegExp]>([
    ["one letter fewer", /^[a-y]+$/, /^[a-z]+$/],
    ["another length", /^[a-z]{2,4}$/, /^[a-z]{2,5}$/],
    ["an ending", /^a.*z$/, /^a/],
    ["one case", /^[A-F0-9]{8}$/, /^[a-fA-F0-9]{8}$/],
  ])("patterns that differ in %s", (_what, reader, writer) => {
    const [of, by] = [loose({ a: z.string().regex(reader) }), loose({ a: z.string().regex(writer) })];
    const document = found(of, by) as { a: string };
    expect(document.a).toMatch(writer);
    expect(document.a).not.toMatch(reader);
  });

  test.each<[string, z.ZodType, z.ZodType]>([
    ["mail addresses and web addresses", z.url(), z.email()],
    ["times with and without offset", z.iso.datetime(), z.iso.datetime({ offset: true })],
    ["days and times", z.iso.datetime(), z.iso.date()],
    ["versions of UUIDs", z.uuid({ version: "v7" }), z.uuid()],
    ["all UUIDs and their shape alone", z.uuid(), z.guid()],
    ["networks of both kinds", z.cidrv4(), z.cidrv6()],
  ])("formats: %s", (_what, reader, writer) => {
    expect(found(loose({ a: reader }), loose({ a: writer }))).toBeDefined();
  });

  test("where only several fields together show it", () => {
    const reader = { anyOf: [{ properties: { a: { const: 1 } } }, { properties: { b: { const: 1 } } }] };
    const writer = exported(loose({ a: z.int(), b: z.int() }));
    expect(findCounterexample(reader, closed(writer))?.document).toEqual({ a: 0, b: 0 });
  });

  test("what the writer's open objects let through, when they are not closed", () => {
    const [reader, writer] = [exported(loose({ a: z.int().optional() })), exported(loose({}))];
    expect(findCounterexample(reader, writer)?.document).toEqual({ a: null });
    expect(findCounterexample(reader, closed(writer))).toBeNull();
  });
});

test("says where and why the reader refuses", () => {
  const [reader, writer] = [loose({ a: z.array(z.int().max(3)) }), loose({ a: z.array(z.int()) })];
  expect(findCounterexample(exported(reader), closed(exported(writer)))).toEqual({
    document: { a: [4] },
    rejectedBecause: "/a/0 must be <= 3",
  });
  expect(findCounterexample(false, true)?.rejectedBecause).toMatch(/^the document /);
});

test.each<[string, z.ZodType, z.ZodType]>([
  ["the same schema", loose(base), loose(base)],
  ["a new optional field", loose({ ...base, a: z.int().optional() }), loose(base)],
  ["a field less", loose({ id: z.string() }), loose(base)],
  ["a value more", loose({ a: z.enum(["x", "y"]) }), loose({ a: z.enum(["x"]) })],
  ["wider limits", loose({ a: z.string().max(9) }), loose({ a: z.string().min(1).max(8) })],
  ["a union of what was one", loose({ a: z.union([z.int(), z.string()]) }), loose({ a: z.string() })],
])("finds nothing where there is nothing: %s", (_what, reader, writer) => {
  expect(found(reader, writer)).toBeUndefined();
});

describe("keywords that only the validator knows", () => {
  test("are searched all the same", () => {
    const reader = { properties: { a: {} }, dependentRequired: { a: ["b"] } };
    const writer = { type: "object", properties: { a: { type: "integer" }, b: {} } };
    expect(findCounterexample(reader, writer)?.document).toEqual({ a: 0 });
  });

  test("never make it show a document that is none", () => {
    const writer = { type: "array", contains: { type: "string" }, maxItems: 1 };
    expect(findCounterexample({ type: "array", minItems: 1 }, writer)).toBeNull();
  });
});

test("the same seed finds the same, and another may find another", () => {
  fc.assert(
    fc.property(schemaPairs(), fc.nat(), ({ before, after }, seed) => {
      const options = { seed, runs: 40 };
      const first = findCounterexample(after, before, options);
      expect(findCounterexample(after, before, options)).toEqual(first);
    }),
    { numRuns: 30 },
  );
});

test("whatever it shows, the writer's validator accepts and the reader's refuses", () => {
  let shown = 0;
  fc.assert(
    fc.property(schemaPairs(), ({ before, after }) => {
      for (const [reader, writer] of [
        [after, closed(before)],
        [before, after],
      ] as const) {
        const counterexample = findCounterexample(reader, writer, { runs: 60 });
        if (counterexample === null) continue;
        shown += 1;
        const { document } = counterexample;
        expect(JSON.parse(JSON.stringify(document))).toEqual(document);
        expect([isValid(writer, document), isValid(reader, document)]).toEqual([true, false]);
      }
    }),
    { numRuns: 60 },
  );
  expect(shown).toBeGreaterThan(20);
});

describe("hints", () => {
  const [reader, writer] = [exported(loose({ a: z.int().max(7) })), closed(exported(loose({ a: z.int() })))];

  test("are tried before anything else", () => {
    expect(findCounterexample(reader, writer, { hints: [{ a: 8 }], runs: 2 })?.document).toEqual({ a: 8 });
  });

  test("that the writer would not send, or the reader takes, are no counterexample", () => {
    const hints = [{ a: "text" }, { a: 1 }, { b: 8 }, null];
    expect(findCounterexample(reader, writer, { hints })?.document).toEqual({ a: 8 });
  });
});

describe("a schema of 200 fields", () => {
  const fields = Object.fromEntries(
    Array.from({ length: 200 }, (_, at) => [`f${at}`, at % 2 === 0 ? z.string() : z.int().optional()]),
  );

  test("with a difference in one of them is seen through", () => {
    const writer = loose({ ...fields, f151: z.number().optional() });
    expect(found(loose(fields), writer)).toMatchObject({ f151: 0.5 });
  });

  test("that differ everywhere and fit all the same end the search within its bound", () => {
    const wider = Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.nullable()]));
    expect(found(loose(wider), loose(fields))).toBeUndefined();
  });
});

test("a schema that cannot be used is an error", () => {
  expect(() => findCounterexample({ $ref: "#/$defs/a" }, true)).toThrow("leads nowhere");
  expect(() => findCounterexample({ pattern: "(" }, true)).toThrow(SyntaxError);
});
