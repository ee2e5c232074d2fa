import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { closed, compileStrictCheck, type JsonSchema } from "#shared/contracts/strict-check";

const loose = z.looseObject;

/** As the registry keeps a version's schema. */
function published(schema: z.ZodType): JsonSchema {
  const { $schema: _dialect, ...body } = z.toJSONSchema(schema, { io: "input" });
  return JSON.parse(JSON.stringify(body));
}

function issuesOf(schema: z.ZodType, data: unknown) {
  return compileStrictCheck(
    published(schema),
    "/data",
  )(data).map(({ pointer, rule }) => `${rule} ${pointer}`);
}

describe("an unknown field", () => {
  test.each([
    ["at the top", loose({}), { extra: 1 }, "/data/extra"],
    ["in an object", loose({ a: loose({}) }), { a: { extra: 1 } }, "/data/a/extra"],
    ["in an array", loose({ a: z.array(loose({})) }), { a: [{}, { extra: 1 }] }, "/data/a/1/extra"],
    ["in a tuple", loose({ a: z.tuple([loose({})]) }), { a: [{ extra: 1 }] }, "/data/a/0/extra"],
    [
      "in a tuple's rest",
      loose({ a: z.tuple([z.int()], loose({})) }),
      { a: [1, { extra: 1 }] },
      "/data/a/1/extra",
    ],
    [
      "in a record's value",
      loose({ a: z.record(z.string(), loose({})) }),
      { a: { x: { extra: 1 } } },
      "/data/a/x/extra",
    ],
    [
      "in what may be missing or null",
      loose({ a: loose({}).nullish() }),
      { a: { extra: 1 } },
      "/data/a/extra",
    ],
    ["in one of a union", loose({ a: z.union([z.int(), loose({})]) }), { a: { extra: 1 } }, "/data/a/extra"],
    ["with a slash and a tilde", loose({}), { "a/b~c": 1 }, "/data/a~1b~0c"],
    [
      "named like a keyword",
      loose({ properties: loose({}) }),
      { properties: { items: 1 } },
      "/data/properties/items",
    ],
    [
      "below a field named like a keyword",
      loose({ default: loose({ enum: loose({}) }) }),
      { default: { enum: { extra: 1 } } },
      "/data/default/enum/extra",
    ],
  ])("is refused %s", (_what, schema, data, pointer) => {
    expect(issuesOf(schema, data)).toContain(`unknown-field ${pointer}`);
  });

  test("is refused where a schema refers to itself", () => {
    const tree = loose({
      get children() {
        return z.array(tree);
      },
    });
    expect(issuesOf(tree, { children: [{ children: [] }] })).toEqual([]);
    expect(issuesOf(tree, { children: [{ children: [{ children: [], extra: 1 }] }] })).toEqual([
      "unknown-field /data/children/0/children/0/extra",
    ]);
  });

  test("is refused in both parts of an intersection, and what either part declares is not", () => {
    const both = loose({ a: z.intersection(loose({ b: z.int() }), loose({ c: z.int() })) });
    expect(issuesOf(both, { a: { b: 1, c: 2 } })).toEqual([]);
    expect(issuesOf(both, { a: { b: 1, c: 2, d: 3 } })).toContain("unknown-field /data/a/d");
  });

  test("that only a prototype has is refused too", () => {
    expect(issuesOf(loose({}), { toString: 1 })).toEqual(["unknown-field /data/toString"]);
    expect(issuesOf(loose({ toString: z.int() }), {})).toEqual(["required /data/toString"]);
  });
});

describe("a record", () => {
  test.each([
    ["of numbers", z.record(z.string(), z.int()), { any: 1, name: 2 }],
    ["of anything", z.record(z.string(), z.unknown()), { any: 1, name: { deep: true } }],
    ["of any JSON", z.record(z.string(), z.json()), { any: 1, name: { deep: [true] } }],
    ["with a rule for names", z.record(z.string().regex(/^x/), z.unknown()), { x1: 1 }],
    ["of some names", z.partialRecord(z.enum(["a", "b"]), z.unknown()), { a: 1 }],
  ])("%s keeps its names", (_what, record, value) => {
    const schema = loose({ record });
    expect(schema.safeParse({ record: value }).success).toBe(true);
    expect(issuesOf(schema, { record: value })).toEqual([]);
  });

  test("refuses a name or value that its rule refuses", () => {
    const schema = loose({ record: z.record(z.string().regex(/^x/), z.int()) });
    expect(issuesOf(schema, { record: { y: 1 } })).not.toEqual([]);
    expect(issuesOf(schema, { record: { x: "1" } })).toEqual(["type /data/record/x"]);
  });
});

describe("closed", () => {
  test("leaves values alone that only look like schemas", () => {
    const value = { type: "object", properties: { a: { type: "object" } } };
    const schema = { type: "string", const: value, enum: [value], default: value, examples: [value] };
    expect(closed(schema)).toEqual(schema);
  });

  test("closes every open object and nothing else", () => {
    const inner = { type: "object", properties: {}, additionalProperties: {} };
    const numbers = {
      type: "object",
      propertyNames: { type: "string" },
      additionalProperties: { type: "number" },
    };
    const schema = { type: "object", properties: { const: inner, numbers }, $defs: { enum: inner } };
    const shut = { ...inner, additionalProperties: false };
    expect(closed(schema)).toEqual({
      type: "object",
      properties: { const: shut, numbers },
      $defs: { enum: shut },
      additionalProperties: false,
    });
  });

  test("leaves the schema it was given as it was, and closing twice is closing once", () => {
    const schema = published(loose({ a: z.array(loose({})) }));
    const before = structuredClone(schema);
    const once = closed(schema);
    expect(schema).toEqual(before);
    expect(closed(once)).toEqual(once);
  });
});

describe("the strict check", () => {
  test.each([
    ["required", "/data/orderId", {}],
    ["type", "/data/orderId", { orderId: 7 }],
    ["minLength", "/data/orderId", { orderId: "" }],
    ["enum", "/data/kind", { orderId: "o", kind: "c" }],
    ["format", "/data/email", { orderId: "o", email: "nobody" }],
    ["maximum", "/data/count", { orderId: "o", count: 10 }],
    ["type", "/data/count", { orderId: "o", count: 1.5 }],
    ["type", "/data", []],
    ["type", "/data", null],
  ])("names the rule %s and the place %s", (rule, pointer, data) => {
    const schema = loose({
      orderId: z.string().min(1),
      kind: z.enum(["a", "b"]).optional(),
      email: z.email().optional(),
      count: z.int().max(9).optional(),
    });
    expect(issuesOf(schema, data)).toContain(`${rule} ${pointer}`);
  });

  test("takes the multiples of a decimal for what they are", () => {
    const schema = loose({ price: z.number().multipleOf(0.01) });
    // 19.99 / 0.01 is 1998.9999999999998 as doubles.
    for (const price of [19.99, 0.07, 123456.78, 0]) expect(issuesOf(schema, { price })).toEqual([]);
    expect(issuesOf(schema, { price: 19.999 })).toEqual(["multipleOf /data/price"]);
  });

  test("says what would be right, and never the value", () => {
    const schema = published(loose({ kind: z.enum(["a", "b"]), n: z.int() }));
    const issues = compileStrictCheck(schema, "/data")({ kind: "hunter2", n: "hunter2" });
    expect(issues.map((it) => it.message)).toEqual(['must be one of "a", "b"', "must be integer"]);
  });

  test("shows at most 20 issues of one document", () => {
    const hostile = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`x${index}`, 1]));
    expect(issuesOf(loose({}), hostile)).toHaveLength(20);
  });

  test("shows each issue once", () => {
    const issues = issuesOf(loose({ a: z.union([z.int(), loose({})]) }), { a: { extra: 1 } });
    expect(new Set(issues).size).toBe(issues.length);
  });

  test("changes nothing in the data and fills in no default", () => {
    const data = Object.freeze({});
    expect(issuesOf(loose({ n: z.int().default(3) }), data)).toEqual([]);
    expect(data).toEqual({});
  });
});

/** A schema together with data that it accepts, made of declared fields only. */
interface Sample {
  readonly schema: z.ZodType;
  readonly data: unknown;
}

const names = ["a", "b", "properties", "const", "a/b", "type"];

const { sample, objectSample } = fc.letrec<{ sample: Sample; objectSample: Sample }>((again) => ({
  sample: fc.oneof(
    { maxDepth: 3 },
    fc.string().map((data): Sample => ({ schema: z.string(), data })),
    fc.maxSafeInteger().map((data): Sample => ({ schema: z.int(), data })),
    fc.boolean().map((data): Sample => ({ schema: z.boolean(), data })),
    fc.constantFrom("x", "y").map((data): Sample => ({ schema: z.enum(["x", "y"]), data })),
    fc.jsonValue({ maxDepth: 1 }).map((data): Sample => ({ schema: z.unknown(), data })),
    fc.tuple(again("sample"), fc.nat(2)).map(
      ([{ schema, data }, length]): Sample => ({
        schema: z.array(schema),
        data: Array.from({ length }, () => data),
      }),
    ),
    fc.tuple(again("sample"), again("sample")).map(
      ([one, two]): Sample => ({
        schema: z.tuple([one.schema, two.schema]),
        data: [one.data, two.data],
      }),
    ),
    fc.tuple(again("sample"), fc.subarray(names)).map(
      ([{ schema, data }, some]): Sample => ({
        schema: z.record(z.string(), schema),
        data: Object.fromEntries(some.map((name) => [name, data])),
      }),
    ),
    fc.tuple(again("sample"), again("sample")).map(
      ([one, two]): Sample => ({
        schema: z.union([one.schema, two.schema]),
        data: two.data,
      }),
    ),
    fc.tuple(again("sample"), fc.boolean()).map(
      ([{ schema, data }, isNull]): Sample => ({
        schema: schema.nullable(),
        data: isNull ? null : data,
      }),
    ),
    again("objectSample"),
  ),
  objectSample: fc
    .dictionary(fc.constantFrom(...names), fc.tuple(again("sample"), fc.boolean()), { maxKeys: 4 })
    .map((fields): Sample => {
      const entries = Object.entries(fields);
      return {
        schema: loose(
          Object.fromEntries(
            entries.map(([name, [it, may]]) => [name, may ? it.schema.optional() : it.schema]),
          ),
        ),
        data: Object.fromEntries(entries.map(([name, [it]]) => [name, it.data])),
      };
    }),
}));

test("everything a schema of loose objects accepts passes when it has declared fields only", () => {
  fc.assert(
    fc.property(objectSample, ({ schema, data }) => {
      expect(schema.safeParse(data).success).toBe(true);
      expect(issuesOf(schema, data)).toEqual([]);
    }),
    { numRuns: 150 },
  );
});

test("no object with a field of its own more passes", () => {
  fc.assert(
    fc.property(objectSample, ({ schema, data }) => {
      expect(issuesOf(schema, { ...(data as object), undeclared: 1 })).toContain(
        "unknown-field /data/undeclared",
      );
    }),
    { numRuns: 100 },
  );
});

test("a generated sample is not always the plain one", () => {
  expect(fc.sample(sample, { numRuns: 100, seed: 1 }).some(({ data }) => typeof data === "object")).toBe(
    true,
  );
});
