/**
 * Random JSON Schemas as published contracts have them: what zod exports for loose objects, up to three levels
 * deep. Written as JSON rather than exported from zod, so that an edit of one is again one
 * (`schema-pairs.ts`).
 */
import fc from "fast-check";
import { z } from "zod";
import type { JsonSchema } from "#shared/contracts/wire-schema";

export const NAMES = ["a", "b", "c", "id", "kind", "note", "total", "x-1", "a/b", "toString"] as const;

/** Nested this deep below the root. */
const DEPTH_MAX = 3;

export function exported(schema: z.ZodType): JsonSchema {
  const { $schema: _dialect, ...body } = z.toJSONSchema(schema, { io: "input" });
  return JSON.parse(JSON.stringify(body));
}

/** Text of a known shape, each as zod writes it: a format with a pattern beside, or one of them. */
export const TEXT_RULES: readonly JsonSchema[] = [
  z.email(),
  z.uuid(),
  z.iso.datetime(),
  z.iso.date(),
  z.url(),
  z.ipv4(),
  z.base64(),
  z.string().regex(/^[a-z]+$/),
  z.string().regex(/^[a-z0-9-]{1,8}$/),
  z.string().startsWith("o-"),
  z.string().startsWith("o-").endsWith("z"),
  z.ulid(),
].map(exported);

const enumValues = ["red", "green", "blue", "", "grey", "1"] as const;

export function leafSchemas(): fc.Arbitrary<JsonSchema> {
  return fc.oneof(
    { weight: 3, arbitrary: textSchemas() },
    { weight: 3, arbitrary: numberSchemas() },
    { weight: 1, arbitrary: fc.constant({ type: "boolean" }) },
    { weight: 2, arbitrary: enumSchemas() },
    { weight: 1, arbitrary: literalSchemas() },
    { weight: 1, arbitrary: fc.constantFrom<JsonSchema>({ type: "null" }, {}) },
  );
}

function textSchemas(): fc.Arbitrary<JsonSchema> {
  const limits = fc.tuple(optional(fc.nat(4)), optional(fc.nat(6))).map(([minLength, more]) => ({
    type: "string",
    ...(minLength === undefined ? {} : { minLength }),
    ...(more === undefined ? {} : { maxLength: (minLength ?? 0) + more }),
  }));
  return fc.oneof(limits, fc.constantFrom(...TEXT_RULES));
}

function numberSchemas(): fc.Arbitrary<JsonSchema> {
  const keywords = fc.record(
    {
      low: fc.tuple(fc.constantFrom("minimum", "exclusiveMinimum"), fc.integer({ min: -20, max: 20 })),
      high: fc.tuple(fc.constantFrom("maximum", "exclusiveMaximum"), fc.integer({ min: 1, max: 60 })),
      multipleOf: fc.constantFrom(1, 2, 3, 5, 10, 0.5, 0.25, 0.1),
    },
    { requiredKeys: [] },
  );
  return fc
    .tuple(fc.constantFrom("integer", "number"), keywords)
    .map(([type, { low, high, multipleOf }]) => ({
      type,
      ...(low === undefined ? {} : { [low[0]]: low[1] }),
      ...(high === undefined ? {} : { [high[0]]: high[1] + (low?.[1] ?? 0) }),
      ...(multipleOf === undefined ? {} : { multipleOf }),
    }));
}

function enumSchemas(): fc.Arbitrary<JsonSchema> {
  return fc
    .subarray([...enumValues], { minLength: 1 })
    .map((values): JsonSchema => ({ type: "string", enum: values }));
}

function literalSchemas(): fc.Arbitrary<JsonSchema> {
  return fc.constantFrom<JsonSchema>(
    { type: "string", const: "red" },
    { type: "number", const: 1 },
    { type: "boolean", const: true },
    { enum: [1, "red", null] },
  );
}

function optional<Value>(values: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> {
  return fc.option(values, { nil: undefined });
}

/** A schema for one field. */
export function fieldSchemas(depth: number = DEPTH_MAX): fc.Arbitrary<JsonSchema> {
  const leaf = leafSchemas();
  if (depth === 0) return leaf;
  const inner = fc.constant(0).chain(() => fieldSchemas(depth - 1));
  return fc.oneof(
    { weight: 8, arbitrary: leaf },
    { weight: 3, arbitrary: objectSchemas(depth - 1, 4) },
    { weight: 2, arbitrary: arraySchemas(inner) },
    { weight: 1, arbitrary: tupleSchemas(inner) },
    { weight: 2, arbitrary: recordSchemas(inner) },
    { weight: 2, arbitrary: unionSchemas(inner) },
    { weight: 2, arbitrary: inner.map(nullable) },
    { weight: 1, arbitrary: variantSchemas(depth - 1) },
    {
      weight: 1,
      arbitrary: fc.oneof(eitherSchemas(inner), bothSchemas(depth - 1), partlyNamedSchemas(inner)),
    },
    { weight: 1, arbitrary: fc.constant({ $ref: "#/$defs/tree" }) },
  );
}

/** As zod exports `.nullable()`: a list of types where the type says it all. */
export function nullable(schema: JsonSchema): JsonSchema {
  if (schema.type === "null") return schema;
  const isBare = typeof schema.type === "string" && Object.keys(schema).length === 1;
  return isBare ? { type: [schema.type, "null"] } : { anyOf: [schema, { type: "null" }] };
}

export function objectSchemas(depth: number, fieldsMax: number): fc.Arbitrary<JsonSchema> {
  const field = fc.tuple(fieldSchemas(depth), fc.boolean());
  return fc.dictionary(fc.constantFrom(...NAMES), field, { maxKeys: fieldsMax }).map((fields) => {
    const entries = Object.entries(fields);
    const properties = Object.fromEntries(entries.map(([name, [schema]]) => [name, schema]));
    const required = entries.filter(([, [, isRequired]]) => isRequired).map(([name]) => name);
    return objectOf(properties, required);
  });
}

export function objectOf(properties: JsonSchema, required: readonly string[]): JsonSchema {
  const must = required.length === 0 ? {} : { required };
  return { type: "object", properties, ...must, additionalProperties: {} };
}

function arraySchemas(inner: fc.Arbitrary<JsonSchema>): fc.Arbitrary<JsonSchema> {
  return fc.tuple(inner, optional(fc.nat(2)), optional(fc.nat(3))).map(([items, minItems, more]) => ({
    type: "array",
    items,
    ...(minItems === undefined ? {} : { minItems }),
    ...(more === undefined ? {} : { maxItems: (minItems ?? 0) + more }),
  }));
}

/** As zod exports tuples: as many items as are there are required, and further ones have a schema or are none. */
function tupleSchemas(inner: fc.Arbitrary<JsonSchema>): fc.Arbitrary<JsonSchema> {
  return fc
    .tuple(fc.array(inner, { minLength: 1, maxLength: 3 }), optional(inner))
    .map(([prefixItems, rest]) => ({
      type: "array",
      prefixItems,
      items: rest ?? false,
      minItems: prefixItems.length,
      ...(rest === undefined ? { maxItems: prefixItems.length } : {}),
    }));
}

function recordSchemas(inner: fc.Arbitrary<JsonSchema>): fc.Arbitrary<JsonSchema> {
  const names = fc.constantFrom<JsonSchema>(
    { type: "string" },
    { type: "string", pattern: "^[a-z]+$" },
    { type: "string", maxLength: 3 },
    { type: "string", enum: ["a", "b"] },
  );
  return fc.tuple(names, inner).map(([propertyNames, additionalProperties]) => ({
    type: "object",
    propertyNames,
    additionalProperties,
  }));
}

function unionSchemas(inner: fc.Arbitrary<JsonSchema>): fc.Arbitrary<JsonSchema> {
  return fc.array(inner, { minLength: 2, maxLength: 3 }).map((anyOf) => ({ anyOf }));
}

/** As zod exports `z.xor`: no second branch may hold. */
function eitherSchemas(inner: fc.Arbitrary<JsonSchema>): fc.Arbitrary<JsonSchema> {
  return fc.array(inner, { minLength: 2, maxLength: 3 }).map((oneOf) => ({ oneOf }));
}

/** As zod exports an intersection with a union. */
function bothSchemas(depth: number): fc.Arbitrary<JsonSchema> {
  return fc
    .tuple(objectSchemas(depth, 2), objectSchemas(depth, 2), objectSchemas(depth, 2))
    .map(([one, other, both]) => ({ allOf: [{ anyOf: [one, other] }, both] }));
}

/** As zod exports `z.looseRecord`. */
function partlyNamedSchemas(inner: fc.Arbitrary<JsonSchema>): fc.Arbitrary<JsonSchema> {
  const patterns = fc.constantFrom("^x", "^[a-c]$", "d$");
  return fc
    .tuple(patterns, inner)
    .map(([pattern, schema]) => ({ type: "object", patternProperties: { [pattern]: schema } }));
}

/** A discriminated union. */
function variantSchemas(depth: number): fc.Arbitrary<JsonSchema> {
  return fc
    .array(objectSchemas(depth, 2), { minLength: 1, maxLength: 3 })
    .map((variants) => ({ oneOf: variants.map((variant, index) => withKind(variant, `v${index}`)) }));
}

export function withKind(schema: JsonSchema, kind: string): JsonSchema {
  const properties = { ...(schema.properties as JsonSchema), kind: { type: "string", const: kind } };
  const required = [...new Set(["kind", ...((schema.required as string[] | undefined) ?? [])])];
  return objectOf(properties, required);
}

/** The schema of a version: an object, with a recursive definition for whoever refers to it. */
export function wireSchemas(): fc.Arbitrary<JsonSchema> {
  return objectSchemas(DEPTH_MAX, 6).map((schema) => ({ ...schema, $defs: { tree: TREE } }));
}

const TREE: JsonSchema = objectOf(
  { value: { type: "integer" }, children: { type: "array", items: { $ref: "#/$defs/tree" } } },
  ["children"],
);
