import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { arbitraryOf } from "#shared/contracts/compatibility/arbitrary-of";
import { asDraft2020 } from "#shared/contracts/compatibility/documents/draft-2020";
import { linkSchema } from "#shared/contracts/compatibility/documents/linked-schema";
import { smallestOf } from "#shared/contracts/compatibility/documents/whole-documents";
import { compileCheck } from "#shared/contracts/strict-check";
import { closed, type JsonSchema } from "#shared/contracts/wire-schema";
import { exported, wireSchemas } from "#test/support/wire-schemas";

const loose = z.looseObject;

function documentsOf(schema: JsonSchema | boolean, count = 100): unknown[] {
  return fc.sample(arbitraryOf(schema), { numRuns: count, seed: 1 });
}

function refusedOf(schema: JsonSchema | boolean, documents: readonly unknown[]): unknown[] {
  const check = compileCheck(asDraft2020(schema), "");
  return documents.filter((document) => check(document).length > 0);
}

const tree = loose({
  name: z.string().max(3),
  get children() {
    return z.array(tree).max(3);
  },
});

describe("every document is one that the schema accepts", () => {
  test.each<[string, z.ZodType]>([
    ["of limited text", z.string().min(2).max(5)],
    ["of text with two patterns", z.string().startsWith("o-").endsWith("z")],
    ["of text with a look-ahead in its pattern", z.string().regex(/^(?!x)[a-z]{1,4}$/)],
    ["of text in formats", z.tuple([z.email(), z.uuid(), z.iso.datetime(), z.iso.date(), z.url()])],
    ["of text in formats of networks", z.tuple([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6(), z.hostname()])],
    [
      "of text in formats of time",
      z.tuple([z.iso.time(), z.iso.duration(), z.iso.datetime({ offset: true })]),
    ],
    ["of text in formats of ids", z.tuple([z.guid(), z.ulid(), z.cuid2(), z.nanoid(), z.ksuid(), z.xid()])],
    ["of text in other formats", z.tuple([z.base64(), z.base64url(), z.e164(), z.emoji(), z.hex(), z.mac()])],
    ["of limited numbers", z.tuple([z.int().min(3).max(5), z.number().gt(0).lt(1), z.int32()])],
    ["of decimals", z.tuple([z.number().multipleOf(0.05), z.number().multipleOf(0.1).min(1.05).max(1.35)])],
    ["of a number that must be two multiples", z.intersection(z.int().multipleOf(4), z.int().multipleOf(6))],
    ["of listed values", z.enum(["a", "b"]).or(z.literal([1, null]))],
    ["of an object", loose({ a: z.int(), b: z.string().optional(), c: z.null() })],
    [
      "of records",
      loose({ a: z.record(z.string().regex(/^x/), z.int()), b: z.record(z.enum(["p"]), z.int()) }),
    ],
    ["of arrays", z.tuple([z.array(z.int()).min(2).max(4), z.array(z.boolean()).length(3)])],
    ["of tuples", z.tuple([z.tuple([z.int()], z.string()), z.tuple([z.int(), z.string().optional()])])],
    ["of unions", z.union([z.int(), z.string(), loose({ a: z.int() })]).nullable()],
    [
      "of variants",
      z.discriminatedUnion("kind", [loose({ kind: z.literal("a") }), loose({ kind: z.literal("b") })]),
    ],
    [
      "of an intersection",
      z.intersection(loose({ a: z.int().min(3) }), loose({ a: z.int().max(5), b: z.int() })),
    ],
    ["of whatever JSON has", loose({ a: z.json(), b: z.unknown() })],
    ["of a schema within itself", tree],
  ])("%s", (_what, schema) => {
    const open = exported(schema);
    for (const given of [open, closed(open)]) {
      const documents = documentsOf(given);
      expect(refusedOf(given, documents)).toEqual([]);
      expect(JSON.parse(JSON.stringify(documents))).toEqual(documents);
    }
  });

  test.each<[string, JsonSchema | boolean]>([
    ["true", true],
    ["an older list of items", { items: [{ type: "integer" }, { type: "string" }], additionalItems: false }],
    ["older exclusive limits", { type: "number", minimum: 5, exclusiveMinimum: true, maximum: 6 }],
    ["older definitions", { $ref: "#/definitions/a", definitions: { a: { type: "integer" } } }],
    ["a place with a name", { $ref: "#a", definitions: { a: { $id: "#a", type: "integer" } } }],
    ["an exception", { type: "integer", minimum: 0, maximum: 3, not: { enum: [0, 1] } }],
    ["two branches of which one may hold", { oneOf: [{ type: "integer" }, { type: "number", minimum: 5 }] }],
    ["no repetition", { type: "array", items: { enum: [1, 2, 3] }, minItems: 2, uniqueItems: true }],
    ["a number of properties", { type: "object", minProperties: 2, maxProperties: 3 }],
    ["names by pattern", { type: "object", patternProperties: { "^i": { type: "integer" } } }],
    ["a list of types", { type: ["integer", "null"], minimum: 4 }],
    ["text longer than is made at random", { type: "string", minLength: 6_000 }],
  ])("also with %s", (_what, schema) => {
    expect(refusedOf(schema, documentsOf(schema))).toEqual([]);
  });

  test("whatever the wire schema", () => {
    let tried = 0;
    fc.assert(
      fc.property(wireSchemas(), (schema) => {
        const shut = closed(schema);
        // Some contradict themselves: at least 1 and below 1.
        fc.pre(smallestOf(linkSchema(shut).root) !== null);
        expect(refusedOf(shut, documentsOf(shut, 20))).toEqual([]);
        tried += 1;
      }),
      { numRuns: 150, maxSkipsPerRun: 1 },
    );
    expect(tried).toBeGreaterThan(100);
  });
});

interface Sample {
  readonly text: string;
  readonly kind: string;
  readonly some: unknown;
  readonly list: readonly number[];
  readonly names: Readonly<Record<string, number>>;
}

describe("the documents differ in all that the schema leaves open", () => {
  const schema = exported(
    loose({
      text: z.string(),
      kind: z.enum(["a", "b", "c"]),
      may: z.int().optional(),
      some: z.union([z.int(), z.string(), z.null()]),
      list: z.array(z.int()),
      names: z.record(z.string(), z.int()),
    }),
  );
  const documents = documentsOf(closed(schema), 200) as Sample[];

  test.each<[string, (document: Sample) => unknown, number]>([
    ["each listed value", (it) => it.kind, 3],
    ["a field there and not there", (it) => Object.hasOwn(it, "may"), 2],
    ["each branch of a union", (it) => typeof it.some, 3],
    // Up to four items above the smallest number, which is 0 here.
    ["arrays from none to four items", (it) => it.list.length, 5],
    ["records with and without names", (it) => Object.keys(it.names).length > 0, 2],
  ])("%s", (_what, aspect, count) => {
    expect(new Set(documents.map(aspect)).size).toBe(count);
  });

  test("text with characters of one and of two half pairs", () => {
    const texts = documents.map((it) => it.text);
    expect(texts.some((text) => /[^\0-\u{ffff}]/u.test(text))).toBe(true);
    expect(texts.every((text) => text.isWellFormed())).toBe(true);
  });

  test("undeclared fields, where the schema is open", () => {
    const declared = Object.keys(schema.properties as object);
    const undeclared = documentsOf(schema).flatMap((document) =>
      Object.keys(document as object).filter((name) => !declared.includes(name)),
    );
    expect(undeclared.length).toBeGreaterThan(0);
  });
});

test("the same seed makes the same documents", () => {
  const schema = exported(loose({ a: z.json(), b: z.email() }));
  expect(documentsOf(schema)).toEqual(documentsOf(schema));
});

test.each<[string, JsonSchema | boolean]>([
  ["false", false],
  ["limits that contradict", { type: "integer", minimum: 3, maximum: 2 }],
  ["types that contradict", { allOf: [{ type: "string" }, { type: "integer" }] }],
  ["an exception of everything", { type: "string", not: {} }],
  ["an endless document", { type: "object", properties: { a: { $ref: "#" } }, required: ["a"] }],
])("a schema that nothing obeys is an error, not a search without end: %s", (_what, schema) => {
  expect(() => arbitraryOf(schema)).toThrow("no document was found");
});

test.each<[string, string, string]>([
  ["out of the schema", "https://example.com/a.json", "leads out of the schema"],
  ["nowhere", "#/$defs/missing", "leads nowhere"],
  ["in a circle", "#/$defs/a", "leads in a circle"],
])("a reference %s is an error", (_what, $ref, message) => {
  expect(() => arbitraryOf({ $ref, $defs: { a: { $ref: "#/$defs/a" } } })).toThrow(message);
});

test("a schema that needs itself for the same value is an error", () => {
  expect(() => arbitraryOf({ anyOf: [{ type: "null" }, { $ref: "#" }] })).toThrow("leads in a circle");
});

test("a document shrinks towards a small one", () => {
  const schema = exported(loose({ n: z.int().min(0), list: z.array(z.string()) }));
  const result = fc.check(
    fc.property(arbitraryOf(closed(schema)), (document) => (document as { n: number }).n < 10),
    { seed: 1, numRuns: 500 },
  );
  expect(result.counterexample).toMatchObject([{ n: 10 }]);
});
