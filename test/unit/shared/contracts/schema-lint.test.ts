import { describe, expect, test } from "vitest";
import { z } from "zod";
import { shapeProblems } from "#shared/contracts/schema-lint";

const loose = z.looseObject;

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

describe("shapeProblems", () => {
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
    expect(shapeProblems(schema)).toEqual([]);
  });

  test.each(refused)("refuses %s", (_what, make, problem) => {
    expect(shapeProblems(loose({ field: make() }))).toContain(`data.field ${problem}`);
  });

  test.each(nestings)("refuses each of them inside %s", (_what, wrap) => {
    for (const [what, make, problem] of refused) {
      const problems = shapeProblems(loose({ field: wrap(make()) }));
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
    expect(shapeProblems(loose({ list: z.array(schema) }))).toEqual([
      expect.stringMatching(/^cannot be used as JSON Schema: /),
    ]);
  });

  test.each([
    ["a regular expression that is none as a Unicode one", z.string().regex(/^[\w-.]+$/)],
    ["a tuple of nothing", z.tuple([])],
  ])("refuses %s, which the door could not use", (_what, schema) => {
    expect(shapeProblems(loose({ field: schema }))).toEqual([
      expect.stringMatching(/^cannot be used as JSON Schema: /),
    ]);
  });

  test("refuses a schema that is not of an object", () => {
    expect(shapeProblems(z.array(loose({})))).toEqual(["the data must be an object (z.looseObject)"]);
    expect(shapeProblems(z.record(z.string(), z.int()))).toEqual([
      "the data must be an object (z.looseObject)",
    ]);
  });

  test.each([undefined, null, {}, { parse: () => 1 }, "z.string()"])(
    "says that %j is no zod schema",
    (value) => {
      expect(shapeProblems(value as unknown as z.ZodType)).toEqual(["schema is not a zod schema"]);
    },
  );

  test("lists all that is wrong, each with its place", () => {
    const schema = z.object({
      when: z.coerce.date(),
      lines: z.array(z.strictObject({ price: z.string().transform(Number) })),
      name: z.string().catch("?"),
    });
    expect(shapeProblems(schema)).toEqual([
      `data ${LOOSE}`,
      `data.when ${COERCE}`,
      `data.lines ${LOOSE}`,
      `data.lines.price ${TRANSFORM}`,
      `data.name ${CATCH}`,
    ]);
  });

  test("comes to an end with a schema that holds itself", () => {
    const self: z.ZodType = z.lazy(() => loose({ next: self.optional(), at: z.coerce.number() }));
    expect(shapeProblems(loose({ self }))).toEqual([`data.self.at ${COERCE}`]);
  });
});
