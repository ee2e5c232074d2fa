import { describe, expect, test } from "vitest";
import { z } from "zod";
import { canRead } from "#shared/contracts/compatibility/can-read";
import { closed } from "#shared/contracts/wire-schema";

const order = (price: object) => ({
  type: "object",
  properties: {
    lines: { type: "array", items: { type: "object", properties: { price }, required: ["price"] } },
  },
});

describe("An incompatibility", () => {
  test("names the place in the data, and the keyword on either side", () => {
    const [found, ...others] = canRead(
      order({ type: "integer", minimum: 1 }),
      order({ type: "integer", minimum: 0 }),
    );

    expect(others).toEqual([]);
    expect(found).toEqual({
      path: "/lines/*/price",
      code: "RANGE_NARROWED",
      message: "The writer may send integers from 0; the reader takes only numbers from 1.",
      writer: { pointer: "/properties/lines/items/properties/price/minimum", fragment: 0 },
      reader: { pointer: "/properties/lines/items/properties/price/minimum", fragment: 1 },
    });
  });

  test("names the writer's subschema where it has no such keyword", () => {
    const [found] = canRead(order({ type: "string", maxLength: 3 }), order({ type: "string" }));
    expect(found?.writer).toEqual({
      pointer: "/properties/lines/items/properties/price",
      fragment: { type: "string" },
    });
  });

  test("names what a reference leads to, and escapes names", () => {
    const side = (type: string) => ({
      properties: { "a/b": { $ref: "#/$defs/c~1d" } },
      required: ["a/b"],
      $defs: { "c/d": { type } },
    });
    const [found] = canRead(side("string"), side("number"));
    expect(found?.path).toBe("/a~1b");
    expect(found?.reader).toEqual({ pointer: "/$defs/c~1d/type", fragment: "string" });
    expect(found?.writer.pointer).toBe("/$defs/c~1d/type");
  });

  test("names the object that says nothing of a field", () => {
    const [found] = canRead({ properties: { a: { type: "string" } } }, { type: "object" });
    expect(found?.path).toBe("/a");
    expect(found?.writer).toEqual({ pointer: "", fragment: { type: "object" } });
  });

  test.each([
    [
      { type: "string" },
      { type: ["string", "null"] },
      "The writer may send null; the reader takes only a string.",
    ],
    [
      { enum: ["a"] },
      { enum: ["a", "b", "c"] },
      'The writer may send "b", "c", which is not among the values that the reader takes.',
    ],
    [{ required: ["a"] }, { type: "object" }, 'The reader requires "a", which the writer may leave out.'],
    [
      { maxLength: 1 },
      { type: "string", maxLength: 2 },
      "The writer may send strings of 2 characters; the reader refuses strings longer than 1 character.",
    ],
    [
      { pattern: "^a$" },
      { type: "string", format: "date" },
      'The writer may send strings with format="date"; not all of that is proved to match the reader\'s pattern ^a$.',
    ],
    [
      { anyOf: [{ const: 1 }, { type: "string" }] },
      { type: "boolean" },
      "The writer may send a boolean; none of the reader's 2 variants takes all of that.",
    ],
  ])("says in a sentence what the writer may send and the reader refuses: %j", (reader, writer, message) => {
    expect(canRead(reader, writer).map((it) => it.message)).toContain(message);
  });

  test("is one of at most as many as asked for", () => {
    const fields = (type: string) => ({
      type: "object",
      properties: Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`f${index}`, { type }])),
    });
    expect(canRead(fields("string"), fields("number"), { limit: 7 })).toHaveLength(7);
    expect(canRead(fields("string"), fields("number"))).toHaveLength(30);
  });
});

describe("Defaults", () => {
  const field = (schema: object, required: string[] = []) => ({
    type: "object",
    properties: { a: schema },
    required,
  });

  test("make a required field optional only for a reader that applies them", () => {
    const [reader, writer] = [field({ type: "string", default: "x" }, ["a"]), closed({ type: "object" })];
    expect(canRead(reader, writer).map(({ code }) => code)).toEqual(["REQUIRED_ADDED"]);
    expect(canRead(reader, writer, { readerAppliesDefaults: true })).toEqual([]);
  });

  test("of the writer fill nothing in, and those of the reader make its variants take more", () => {
    const kind = (name: string) => ({
      properties: { kind: { const: name, default: name } },
      required: ["kind"],
    });
    const options = { readerAppliesDefaults: true };
    // The writer leaves out what has a kind: not what lacks one.
    const excluding = { type: "object", not: kind("a") };
    expect(canRead({ required: ["x"] }, excluding, options)).not.toEqual([]);
    // Without a kind, both variants fill in their own.
    const oneOf = { oneOf: [kind("a"), kind("b")] };
    expect(canRead(oneOf, { type: "object", additionalProperties: false }, options)).not.toEqual([]);
  });

  test("that change or go away are told only when asked for", () => {
    const [one, two, none] = [field({ default: 1 }), field({ default: 2 }), field({})];
    expect(canRead(two, one)).toEqual([]);
    expect(canRead(two, one, { comparesDefaults: true })).toEqual([
      {
        path: "/a",
        code: "DEFAULT_CHANGED",
        message: "Where the field is left out, the writer means 1 and the reader takes 2.",
        writer: { pointer: "/properties/a/default", fragment: 1 },
        reader: { pointer: "/properties/a/default", fragment: 2 },
      },
    ]);
    expect(canRead(none, one, { comparesDefaults: true }).map(({ code }) => code)).toEqual([
      "DEFAULT_CHANGED",
    ]);
    expect(canRead(one, none, { comparesDefaults: true })).toEqual([]);
  });

  test("are found in items, records, tuples, unions and behind references, circles included", () => {
    const schema = (value: number) => ({
      $defs: {
        node: { properties: { n: { type: "integer", default: value }, next: { $ref: "#/$defs/node" } } },
      },
      properties: {
        list: { items: { $ref: "#/$defs/node" } },
        record: { additionalProperties: { properties: { r: { default: value } } } },
        tuple: { prefixItems: [{ default: value }] },
        union: { anyOf: [{ type: "null" }, { properties: { u: { default: value } } }] },
      },
    });
    const found = canRead(schema(2), schema(1), { comparesDefaults: true });
    expect(found.map(({ path }) => path)).toEqual(["/list/*/n", "/record/*/r", "/tuple/0", "/union/u"]);
  });
});

describe("Schemas of zod", () => {
  const exported = (schema: z.ZodType) => z.toJSONSchema(schema, { io: "input" }) as Record<string, unknown>;
  const base = {
    id: z.uuid(),
    amount: z.int().min(0),
    currency: z.enum(["EUR", "USD"]),
    at: z.iso.datetime(),
    note: z.string().max(200).nullable().optional(),
    tags: z.record(z.string().regex(/^[a-z]+$/), z.string()),
    payment: z.discriminatedUnion("kind", [
      z.looseObject({ kind: z.literal("card"), number: z.string() }),
      z.looseObject({ kind: z.literal("cash") }),
    ]),
  };
  const first = exported(z.looseObject(base));

  test("may get an optional field, read both ways", () => {
    const second = exported(z.looseObject({ ...base, more: z.string().optional() }));
    expect(canRead(second, closed(first))).toEqual([]);
    expect(canRead(first, closed(second))).toEqual([]);
  });

  test("may not get a new value or variant that older readers refuse", () => {
    const second = exported(
      z.looseObject({
        ...base,
        currency: z.enum(["EUR", "USD", "CHF"]),
        payment: z.discriminatedUnion("kind", [
          ...base.payment.options,
          z.looseObject({ kind: z.literal("points") }),
        ]),
      }),
    );
    expect(canRead(second, closed(first))).toEqual([]);
    expect(canRead(first, closed(second)).map(({ code, path }) => `${code} ${path}`)).toEqual([
      "ENUM_NARROWED /currency",
      "VARIANT_UNKNOWN /payment",
    ]);
  });

  test("that refer to themselves are compared", () => {
    const tree = (value: z.ZodType) => {
      const node: z.ZodType = z.looseObject({
        value,
        get children() {
          return z.array(node);
        },
      });
      return exported(node);
    };
    expect(canRead(tree(z.number()), closed(tree(z.int())))).toEqual([]);
    expect(canRead(tree(z.int()), closed(tree(z.number())))).not.toEqual([]);
  });
});

describe("A comparison", () => {
  test("leaves both schemas as they are", () => {
    const freeze = (value: unknown): unknown => {
      if (value !== null && typeof value === "object") Object.values(Object.freeze(value)).forEach(freeze);
      return value;
    };
    const schema = freeze(order({ anyOf: [{ type: "string" }, { const: { a: [1] } }] })) as object;
    expect(canRead({ ...schema, title: "t" }, { ...schema, not: { type: "null" } })).toEqual([]);
  });

  test("that takes too many steps proves nothing and says so", () => {
    const found = canRead(order({ type: "number" }), order({ type: "integer" }), { stepsMax: 3 });
    expect(found.map(({ code }) => code)).toEqual(["BUDGET_EXCEEDED"]);
  });

  test("that nests too deeply proves nothing and says so", () => {
    const nested = (type: string) => {
      let schema: Record<string, unknown> = { type };
      for (let depth = 0; depth < 5_000; depth += 1) schema = { type: "array", items: schema };
      return schema;
    };
    expect(canRead(nested("number"), nested("integer")).map(({ code }) => code)).toEqual(["BUDGET_EXCEEDED"]);
  });

  test("takes a few steps a field", () => {
    const line = (price: string) => ({
      type: "object",
      properties: { price: { type: price } },
      required: ["price"],
    });
    const contract = (price: string) => ({
      type: "object",
      properties: Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`f${index}`, line(price)])),
    });
    // 200 objects of one field, and what is above them.
    expect(canRead(contract("number"), closed(contract("integer")), { stepsMax: 2_000 })).toEqual([]);
  });

  test("of entangled unions ends", () => {
    // Every field may take any of the reader's variants: tried blindly, 3^12 combinations.
    const names = Array.from({ length: 12 }, (_, index) => `f${index}`);
    const fields = (kind: object) => Object.fromEntries(names.map((name) => [name, kind]));
    const writer = { type: "object", properties: fields({ enum: ["a", "b", "c"] }), required: names };
    const variants = names.map((name) => ({
      properties: { ...fields({ enum: ["a", "b"] }), [name]: { const: "c" } },
    }));
    expect(canRead({ anyOf: variants }, writer)).not.toEqual([]);
  });
});
