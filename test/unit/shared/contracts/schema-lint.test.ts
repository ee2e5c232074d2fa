import { describe, expect, test } from "vitest";
import { z } from "zod";
import { lintSentence } from "#shared/contracts/lint-finding";
import { openEnum } from "#shared/contracts/open-enum";
import { lintSchema } from "#shared/contracts/schema-lint";

const loose = z.looseObject;

/** What is found, each as one sentence. */
function sentencesOf(schema: z.ZodType): readonly string[] {
  return lintSchema(schema).map(lintSentence);
}

function codesOf(schema: z.ZodType): readonly string[] {
  return lintSchema(schema).map(({ code, path }) => `${code} ${path}`);
}

const TRANSFORM = "uses a transform or preprocess step, which readers of other builds do not share";
const REFINE = "uses refine(), which JSON Schema cannot express; other builds would not see it";
const LOOSE = "must be z.looseObject: anything else drops or refuses fields of newer versions";
const COERCE = "coerces; declare the type that is really sent";
const CATCH = "uses .catch(), which destroys the value it replaces";
const FLAGS = 'uses a regular expression with the flags "i", which JSON Schema does not have';
const URL_PART = "uses a URL's hostname or protocol, which JSON Schema cannot express; use a regex";
const CUSTOM = "uses a custom check, which JSON Schema cannot express";

/** Each construct that a wire schema may not hold, and what is said of it. */
const refused: [string, () => z.ZodType, string][] = [
  ["a transform", () => z.string().transform(Number), TRANSFORM],
  ["a transform alone", () => z.transform(String), TRANSFORM],
  ["preprocess", () => z.preprocess(String, z.string()), TRANSFORM],
  ["a pipe into a transform", () => z.string().pipe(z.transform(Number)), TRANSFORM],
  ["a codec", () => z.codec(z.string(), z.int(), { decode: Number, encode: String }), TRANSFORM],
  ["stringbool", () => z.stringbool(), TRANSFORM],
  ["trim", () => z.string().trim(), TRANSFORM],
  ["toLowerCase", () => z.string().toLowerCase(), TRANSFORM],
  ["overwrite", () => z.int().overwrite((n) => n + 1), TRANSFORM],
  ["refine", () => z.string().refine(() => true), REFINE],
  ["superRefine", () => z.string().superRefine(() => undefined), REFINE],
  ["check", () => z.string().check(() => undefined), REFINE],
  [
    "refine after other checks",
    () =>
      z
        .int()
        .min(1)
        .max(9)
        .refine(() => true),
    REFINE,
  ],
  ["refine on an object", () => loose({}).refine(() => true), REFINE],
  ["catch", () => z.string().catch("x"), CATCH],
  ["custom", () => z.custom<string>(() => true), CUSTOM],
  ["instanceof", () => z.instanceof(Uint8Array), CUSTOM],
  ["a coerced number", () => z.coerce.number(), COERCE],
  ["a coerced string", () => z.coerce.string(), COERCE],
  ["a coerced boolean", () => z.coerce.boolean(), COERCE],
  ["an object that strips", () => z.object({ a: z.string() }), LOOSE],
  ["an object that refuses", () => z.strictObject({ a: z.string() }), LOOSE],
  ["a regular expression that ignores case", () => z.string().regex(/^a$/i), FLAGS],
  ["a JWT", () => z.jwt(), "uses z.jwt(), which JSON Schema cannot express; use a regex"],
  ["a URL of one protocol", () => z.url({ protocol: /^https$/ }), URL_PART],
  ["a URL of one host", () => z.url({ hostname: /^a$/ }), URL_PART],
  ["a file", () => z.file(), "uses z.file(), which JSON does not have"],
  ["an object with a catch-all", () => z.object({}).catchall(z.string()), LOOSE],
];

/** Each way one schema can hold another. */
const nestings: [string, (inner: z.ZodType) => z.ZodType][] = [
  ["a field", (inner) => inner],
  ["a deeper field", (inner) => loose({ deeper: loose({ deepest: inner }) })],
  ["an array", (inner) => z.array(inner)],
  ["a union", (inner) => z.union([z.null(), inner])],
  [
    "a discriminated union",
    (inner) => z.discriminatedUnion("kind", [loose({ kind: z.literal("a"), inner })]),
  ],
  ["optional", (inner) => inner.optional()],
  ["nullable", (inner) => inner.nullable()],
  ["nullish in an array of arrays", (inner) => z.array(z.array(inner.nullish()))],
  ["a default", (inner) => inner.default("x" as never)],
  ["readonly", (inner) => inner.readonly()],
  ["a record's values", (inner) => z.record(z.string(), inner)],
  ["a tuple", (inner) => z.tuple([z.string(), inner])],
  ["a tuple's rest", (inner) => z.tuple([z.string()], inner)],
  ["an intersection", (inner) => z.intersection(loose({ a: z.string() }), loose({ inner }))],
  ["lazy", (inner) => z.lazy(() => inner)],
];

describe("lintSchema", () => {
  test("finds nothing wrong with what JSON Schema says in full", () => {
    interface Tree {
      [unknown: string]: unknown;
      readonly children: readonly Tree[];
    }
    const tree: z.ZodType<Tree> = loose({
      get children() {
        return z.array(tree);
      },
    });
    const schema = loose({
      text: z.string().min(1).max(9).regex(/^a/).startsWith("a"),
      email: z.email(),
      when: z.iso.datetime(),
      id: z.uuid().optional(),
      count: z.int().min(0).max(9).multipleOf(2).nullable(),
      share: z.number().gt(0).lt(1),
      flag: z.boolean().default(false),
      kind: z.enum(["a", "b"]),
      version: z.literal([1, 2]),
      list: z.array(loose({ a: z.unknown() })).max(3),
      pair: z.tuple([z.string(), z.int()]),
      byName: z.record(z.string(), loose({ n: z.int() })),
      either: z.union([z.string(), loose({ a: z.any() })]),
      tree,
      json: z.json(),
      nothing: z.null(),
      branded: z.string().brand("Order").readonly().meta({ title: "Order" }),
    });
    expect(sentencesOf(schema)).toEqual([]);
  });

  test.each(refused)("refuses %s", (_what, make, problem) => {
    expect(sentencesOf(loose({ field: make() }))).toContain(`data.field ${problem}`);
  });

  test.each(nestings)("refuses each of them inside %s", (_what, wrap) => {
    for (const [what, make, problem] of refused) {
      const problems = sentencesOf(loose({ field: wrap(make()) }));
      expect(problems, what).toContainEqual(
        expect.stringMatching(new RegExp(`^data\\.field\\S* ${problem.replace(/[().]/g, "\\$&")}$`)),
      );
    }
  });

  test.each([
    ["a date", z.date()],
    ["a bigint", z.bigint()],
    ["a symbol", z.symbol()],
    ["a map", z.map(z.string(), z.int())],
    ["a set", z.set(z.string())],
    ["undefined", z.undefined()],
    ["not-a-number", z.nan()],
    ["void", z.void()],
  ])("refuses %s, which JSON does not have", (_what, schema) => {
    expect(sentencesOf(loose({ list: z.array(schema) }))).toEqual([
      expect.stringMatching(/^data cannot be used as JSON Schema: /),
    ]);
  });

  test.each([
    ["a regular expression that is none as a Unicode one", z.string().regex(/^[\w-.]+$/)],
    ["a tuple of nothing", z.tuple([])],
  ])("refuses %s, which the door could not use", (_what, schema) => {
    expect(sentencesOf(loose({ field: schema }))).toEqual([
      expect.stringMatching(/^data cannot be used as JSON Schema: /),
    ]);
  });

  test("refuses a schema that is not of an object", () => {
    expect(sentencesOf(z.array(loose({})))).toEqual(["data must be an object (z.looseObject)"]);
    expect(sentencesOf(z.record(z.string(), z.int()))).toEqual(["data must be an object (z.looseObject)"]);
  });

  test.each([undefined, null, {}, { parse: () => 1 }, "z.string()"])(
    "says that %j is no zod schema",
    (value) => {
      expect(sentencesOf(value as unknown as z.ZodType)).toEqual(["schema is not a zod schema"]);
    },
  );

  test("lists all that is wrong, each with its place", () => {
    const schema = z.object({
      when: z.coerce.date(),
      lines: z.array(z.strictObject({ price: z.string().transform(Number) })),
      name: z.string().catch("?"),
    });
    expect(sentencesOf(schema)).toEqual([
      `data ${LOOSE}`,
      `data.when ${COERCE}`,
      `data.lines ${LOOSE}`,
      `data.lines.price ${TRANSFORM}`,
      `data.name ${CATCH}`,
    ]);
  });

  test("comes to an end with a schema that holds itself", () => {
    const self: z.ZodType = z.lazy(() => loose({ next: self.optional(), at: z.coerce.number() }));
    expect(sentencesOf(loose({ self }))).toEqual([`data.self.at ${COERCE}`]);
  });

  test("takes every wrapper and annotation that says nothing of what is valid", () => {
    const schema = loose({
      described: z.string().meta({ title: "T", description: "D", examples: ["x"], deprecated: true }),
      widget: z.string().meta({ "x-widget": "text" }),
      named: loose({ a: z.int() }).meta({ id: "LintTestNamed" }),
      method: openEnum(["card", "cash"], { fallback: "other" }),
    });
    expect(sentencesOf(schema)).toEqual([]);
  });
});

describe("the code of a finding", () => {
  test.each([
    ["OPAQUE_TRANSFORM", z.string().trim()],
    ["OPAQUE_REFINEMENT", z.string().refine(() => true)],
    ["OPAQUE_REFINEMENT", z.custom<string>(() => true)],
    ["OPAQUE_TEXT_RULE", z.string().regex(/a/i)],
    ["LOSSY_CATCH", z.string().catch("x")],
    ["COERCION", z.coerce.number()],
    ["STRIPPING_OBJECT", z.object({})],
    ["CLOSED_READER", z.strictObject({})],
    ["CLOSED_READER", z.object({}).catchall(z.int())],
    ["UNREPRESENTABLE", z.file()],
    ["UNSUPPORTED_KEYWORD", z.string().meta({ minLength: 3 })],
    ["UNSUPPORTED_KEYWORD", z.string().meta({ type: "integer" })],
    ["UNSUPPORTED_KEYWORD", z.int().meta({ "x-open-enum": { values: ["a"], fallback: "b" } })],
    ["UNSUPPORTED_KEYWORD", z.string().meta({ "x-open-enum": { values: [], fallback: "b" } })],
  ])("is %s", (code, schema) => {
    expect(codesOf(loose({ field: schema }))).toEqual([`${code} data.field`]);
  });

  test.each([
    ["ROOT_NOT_OBJECT", z.array(loose({}))],
    ["UNREPRESENTABLE", loose({ at: z.date() })],
    ["UNUSABLE_SCHEMA", loose({ text: z.string().regex(/^[\w-.]+$/) })],
  ])("is %s for the data as a whole", (code, schema) => {
    expect(codesOf(schema)).toEqual([`${code} data`]);
  });

  test("is NOT_A_SCHEMA for anything else", () => {
    expect(lintSchema({} as z.ZodType)).toEqual([
      { code: "NOT_A_SCHEMA", path: "schema", message: "is not a zod schema" },
    ]);
  });
});

const card = loose({ kind: z.literal("card"), number: z.string() });
const cash = loose({ kind: z.literal("cash"), till: z.int() });
const tree: z.ZodType = z.lazy(() => z.union([z.null(), loose({ next: tree })]));

describe("a union", () => {
  test.each([
    ["of texts and numbers", z.union([z.string(), z.int(), z.null()])],
    ["of one object and others", z.union([z.string(), card, z.array(cash)])],
    ["of one record and others", z.union([z.record(z.string(), z.int()), z.boolean()])],
    ["that a literal tells apart", z.discriminatedUnion("kind", [card, cash])],
    ["that a literal tells apart without saying so", z.union([card, cash.nullable()])],
    ["that several literals tell apart", z.union([card, loose({ kind: z.enum(["cash", "voucher"]) })])],
    ["in a union", z.union([z.discriminatedUnion("kind", [card, cash]), loose({ kind: z.literal("none") })])],
    ["of intersections", z.union([card.and(loose({ a: z.int() })), cash.and(loose({ a: z.int() }))])],
    ["that holds itself", tree],
  ])("%s is taken", (_what, union) => {
    expect(codesOf(loose({ field: union }))).toEqual([]);
  });

  test.each([
    ["of objects without a common field", z.union([loose({ a: z.string() }), loose({ b: z.string() })])],
    ["whose literals are the same", z.union([card, loose({ kind: z.literal("card") })])],
    ["whose literals overlap", z.union([card, loose({ kind: z.enum(["card", "cash"]) })])],
    ["whose literal may be missing", z.union([card, loose({ kind: z.literal("cash").optional() })])],
    ["whose literal has a default", z.union([card, loose({ kind: z.literal("cash").default("cash") })])],
    ["that any text tells apart", z.union([card, loose({ kind: z.string() })])],
    ["of an object and a record", z.union([card, z.record(z.string(), z.string())])],
    ["behind wrappers", z.union([z.lazy(() => card).optional(), loose({ b: z.int() }).nullable()])],
    ["discriminated by what may be missing", discriminatedByMissing()],
    ["in a union", z.union([z.string(), z.union([loose({ a: z.int() }), loose({ b: z.int() })])])],
  ])("%s is refused", (_what, union) => {
    expect(codesOf(loose({ field: union }))).toContain("AMBIGUOUS_UNION data.field");
  });

  function discriminatedByMissing() {
    return z.discriminatedUnion("kind", [card, loose({ kind: z.literal("cash").optional() })]);
  }
});

describe("an intersection", () => {
  test.each([
    ["of objects", card.and(loose({ a: z.int() }))],
    ["of three objects", card.and(loose({ a: z.int() })).and(loose({ b: z.int() }))],
    ["of a union and an object", z.discriminatedUnion("kind", [card, cash]).and(loose({ a: z.int() }))],
    ["of texts", z.string().and(z.string().min(2))],
  ])("%s is taken, and can be written", (_what, schema) => {
    expect(codesOf(loose({ field: schema }))).toEqual([]);
  });

  test("of texts and of two patterns is not taken for one of objects", () => {
    expect(codesOf(loose({ field: z.string().regex(/a/).regex(/b/) }))).toEqual([]);
  });

  test.each([
    ["of a named object", card.meta({ id: "LintTestCard" }).and(loose({ a: z.int() }))],
    ["of a titled object", card.meta({ title: "Card" }).and(loose({ a: z.int() }))],
    ["of objects that may be null", card.nullable().and(loose({ a: z.int() }).nullable())],
    ["of an object and a record", card.and(z.record(z.string(), z.unknown()))],
  ])("%s is refused, because each part would refuse the other's fields", (_what, schema) => {
    const found = lintSchema(loose({ field: schema }));
    expect(found.map(({ code }) => code)).toEqual(["CLOSED_INTERSECTION"]);
    expect(found[0]?.message).toContain("/properties/field");
    expect(found[0]?.message).toContain("use .extend()");
  });
});
