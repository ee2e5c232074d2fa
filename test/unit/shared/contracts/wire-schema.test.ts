import { describe, expect, test } from "vitest";
import { z } from "zod";
import { toJsonSchema } from "#shared/contracts/json-schema";
import { closed, nodesOf, openEnumOf, opened, targetOf } from "#shared/contracts/wire-schema";

const rule = { values: ["a"], fallback: "b" };

describe("both sides of a schema", () => {
  test("are without our own keywords, and closing twice is closing once", () => {
    const schema = {
      type: "object",
      properties: { "x-open-enum": { type: "string", "x-open-enum": rule, "x-widget": { type: "object" } } },
    };
    const side = { type: "object", properties: { "x-open-enum": { type: "string" } } };
    expect(opened(schema)).toEqual(side);
    expect(closed(schema)).toEqual({
      ...side,
      properties: { "x-open-enum": { type: "string", enum: ["a"] } },
      additionalProperties: false,
    });
    expect(closed(closed(schema))).toEqual(closed(schema));
  });

  test("leave data in schemas alone", () => {
    const data = { type: "object", "x-open-enum": rule };
    const schema = { const: data, enum: [data], default: data, examples: [data] };
    expect(opened(schema)).toEqual(schema);
    expect(closed(schema)).toEqual(schema);
  });
});

describe("openEnumOf", () => {
  test.each([
    [undefined],
    [null],
    ["a"],
    [{ values: ["a"] }],
    [{ values: "a", fallback: "b" }],
    [{ values: [], fallback: "b" }],
    [{ values: [1], fallback: "b" }],
    [{ values: ["a"], fallback: 1 }],
  ])("takes %j for no rule", (value) => {
    expect(openEnumOf({ type: "string", "x-open-enum": value })).toBeNull();
  });

  test("gives the rule", () => {
    expect(openEnumOf({ type: "string", "x-open-enum": rule })).toEqual(rule);
  });
});

describe("nodesOf", () => {
  test("gives every schema once, with its pointer, and no data", () => {
    const schema = toJsonSchema(
      z.looseObject({ "a/b": z.array(z.literal("x")), either: z.union([z.string().min(1), z.literal(1)]) }),
    );
    expect(nodesOf(schema).map(({ pointer }) => pointer)).toEqual([
      "",
      "/properties/a~1b",
      "/properties/a~1b/items",
      "/properties/either",
      "/properties/either/anyOf/0",
      "/properties/either/anyOf/1",
      "/additionalProperties",
    ]);
  });
});

describe("targetOf", () => {
  const root = { $defs: { "a/b": { type: "string" } } };

  test("follows a reference into the document", () => {
    expect(targetOf({ $ref: "#/$defs/a~1b" }, root)).toEqual({
      pointer: "/$defs/a~1b",
      node: { type: "string" },
    });
    expect(targetOf({ $ref: "#" }, root)?.node).toBe(root);
  });

  test.each([undefined, 1, "#/$defs/none", "other.json", "#/$defs/a~1b/type"])(
    "finds nothing behind %j",
    ($ref) => {
      expect(targetOf({ $ref }, root)).toBeNull();
    },
  );
});
