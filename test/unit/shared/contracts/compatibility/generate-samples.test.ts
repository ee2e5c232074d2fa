import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { linkSchema } from "#shared/contracts/compatibility/documents/linked-schema";
import { smallestOf } from "#shared/contracts/compatibility/documents/whole-documents";
import { generateSamples } from "#shared/contracts/compatibility/generate-samples";
import { compileStrictCheck } from "#shared/contracts/strict-check";
import { closed, type JsonSchema } from "#shared/contracts/wire-schema";
import { findForbidden } from "#shared/json-walk";
import { exported, wireSchemas } from "#test/support/wire-schemas";

const loose = z.looseObject;

const order = exported(
  loose({
    orderId: z.string().min(1),
    kind: z.enum(["web", "shop"]),
    email: z.email().optional(),
    lines: z.array(loose({ sku: z.string().max(8), count: z.int().min(1) })),
    note: z.string().nullish(),
  }),
);

describe("samples of a version", () => {
  const samples = generateSamples(order, 5, 1);

  test("begin with the smallest document", () => {
    expect(samples[0]).toEqual({ orderId: "a", kind: "web", lines: [] });
  });

  test("go on with one that has every field", () => {
    expect(samples[1]).toMatchObject({ email: expect.any(String), note: expect.any(String) });
    expect((samples[1] as { lines: unknown[] }).lines.length).toBeGreaterThan(1);
  });

  test("are as many as wanted, and different", () => {
    expect(samples).toHaveLength(5);
    expect(new Set(samples.map((sample) => JSON.stringify(sample))).size).toBe(5);
  });

  test("are the same for the same seed, and others for another", () => {
    expect(generateSamples(order, 5, 1)).toEqual(samples);
    expect(generateSamples(order, 5, 2)).not.toEqual(samples);
    expect(generateSamples(order, 5, -7)).toHaveLength(5);
  });
});

test.each<[string, z.ZodType, number]>([
  ["nothing", loose({}), 1],
  ["one flag", loose({ flag: z.boolean() }), 2],
  ["one value that may be missing", loose({ only: z.literal("x").optional() }), 2],
])("there are fewer where the schema allows fewer: %s", (_what, schema, count) => {
  expect(generateSamples(exported(schema), 5, 1)).toHaveLength(count);
});

test("of a schema that nothing obeys there are none", () => {
  expect(generateSamples({ type: "object", properties: { a: false }, required: ["a"] }, 3, 1)).toEqual([]);
});

test("a schema within itself ends", () => {
  const tree = loose({
    get children() {
      return z.array(tree);
    },
  });
  const samples = generateSamples(exported(tree), 4, 1);
  expect(samples[0]).toEqual({ children: [] });
  expect(samples).toHaveLength(4);
});

test("of an exclusive choice there are those that obey one only", () => {
  const either = [
    { type: "object", properties: {}, additionalProperties: {} },
    { type: "object", properties: { b: { type: "integer" } }, additionalProperties: {} },
  ];
  const schema = {
    type: "object",
    properties: { a: { oneOf: either } },
    required: ["a"],
    additionalProperties: {},
  };
  const samples = generateSamples(schema as JsonSchema, 3, 0);
  expect(samples.length).toBeGreaterThan(0);
  // Closed, the first of the two takes nothing in it.
  for (const sample of samples) expect(sample).toEqual({ a: { b: expect.any(Number) } });
});

test("whatever the schema, the door takes each sample", () => {
  fc.assert(
    fc.property(wireSchemas(), fc.integer(), (schema, seed) => {
      const samples = generateSamples(schema, 3, seed);
      const check = compileStrictCheck(schema, "");
      for (const sample of samples) {
        expect(check(sample)).toEqual([]);
        expect(findForbidden(sample)).toBeNull();
      }
      // Some schemas contradict themselves: at least 1 and below 1. Others have none that is the smallest of its parts, as an
      // exclusive choice of which that obeys two: there a sample may be found all the same.
      const hasSmallest = smallestOf(linkSchema(closed(schema)).root) !== null;
      if (hasSmallest) expect(samples.length).toBeGreaterThan(0);
    }),
    { numRuns: 40 },
  );
});
