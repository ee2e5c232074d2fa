import { describe, expect, test } from "vitest";
import { canRead } from "#shared/contracts/compatibility/can-read";

type Schema = Parameters<typeof canRead>[0];

/** Code and path of everything that stands against the pair. */
const against = (reader: Schema, writer: Schema) =>
  canRead(reader, writer).map(({ code, path }) => `${code} ${path}`.trim());

interface Rule {
  readonly name: string;
  readonly narrow: Schema;
  readonly wide: Schema;
  /** What the narrow one, as a reader, is told. */
  readonly code: string;
}

const string = (more: object = {}) => ({ type: "string", ...more });
const number = (more: object = {}) => ({ type: "number", ...more });
const integer = (more: object = {}) => ({ type: "integer", ...more });

const RULES: readonly Rule[] = [
  {
    name: "a type among several",
    narrow: string(),
    wide: { type: ["string", "null"] },
    code: "TYPE_NARROWED",
  },
  { name: "integers among numbers", narrow: integer(), wide: number(), code: "TYPE_NARROWED" },
  { name: "a type where there was none", narrow: string(), wide: {}, code: "TYPE_NARROWED" },
  { name: "nothing at all", narrow: { not: {} }, wide: { type: "null" }, code: "EXCLUSION_ADDED" },
  { name: "false", narrow: false, wide: { type: "null" }, code: "TYPE_NARROWED" },

  { name: "fewer values", narrow: { enum: ["a"] }, wide: { enum: ["a", "b"] }, code: "ENUM_NARROWED" },
  { name: "a constant", narrow: { const: 1 }, wide: { enum: [1, 2] }, code: "ENUM_NARROWED" },
  { name: "values of a plain type", narrow: string({ enum: ["a"] }), wide: string(), code: "ENUM_NARROWED" },
  { name: "one boolean", narrow: { const: true }, wide: { type: "boolean" }, code: "ENUM_NARROWED" },
  {
    name: "values that are objects and arrays",
    narrow: { enum: [{ a: [1] }] },
    wide: { enum: [{ a: [1] }, { a: [2] }] },
    code: "ENUM_NARROWED",
  },
  {
    name: "one of the integers of a range",
    narrow: { enum: [1, 2] },
    wide: integer({ minimum: 1, maximum: 3 }),
    code: "ENUM_NARROWED",
  },

  {
    name: "a longer minimum",
    narrow: string({ minLength: 2 }),
    wide: string({ minLength: 1 }),
    code: "LENGTH_NARROWED",
  },
  {
    name: "a shorter maximum",
    narrow: string({ maxLength: 2 }),
    wide: string({ maxLength: 3 }),
    code: "LENGTH_NARROWED",
  },
  { name: "a maximum", narrow: string({ maxLength: 2 }), wide: string(), code: "LENGTH_NARROWED" },
  { name: "a pattern", narrow: string({ pattern: "^a" }), wide: string(), code: "PATTERN_CHANGED" },
  {
    name: "a pattern that matches less",
    narrow: string({ pattern: "^[a-z]{2,3}$" }),
    wide: string({ pattern: "^[a-z0-9]{2,4}$" }),
    code: "PATTERN_CHANGED",
  },
  {
    name: "a pattern in place of a length",
    narrow: string({ pattern: "^..$" }),
    wide: string({ minLength: 2, maxLength: 2 }),
    // A dot is no line break.
    code: "PATTERN_CHANGED",
  },
  { name: "a format", narrow: string({ format: "email" }), wide: string(), code: "FORMAT_CHANGED" },
  {
    name: "an encoding",
    narrow: string({ contentEncoding: "base64" }),
    wide: string(),
    code: "FORMAT_CHANGED",
  },

  {
    name: "a higher minimum",
    narrow: number({ minimum: 2 }),
    wide: number({ minimum: 1.5 }),
    code: "RANGE_NARROWED",
  },
  {
    name: "a lower maximum",
    narrow: number({ maximum: 1 }),
    wide: number({ maximum: 2 }),
    code: "RANGE_NARROWED",
  },
  {
    name: "a bound that is left out",
    narrow: number({ exclusiveMinimum: 1 }),
    wide: number({ minimum: 1 }),
    code: "RANGE_NARROWED",
  },
  {
    name: "draft 4's spelling of a bound that is left out",
    narrow: number({ maximum: 1, exclusiveMaximum: true }),
    wide: number({ maximum: 1 }),
    code: "RANGE_NARROWED",
  },
  { name: "a step", narrow: integer({ multipleOf: 2 }), wide: integer(), code: "MULTIPLE_CHANGED" },
  {
    name: "a step that others divide",
    narrow: number({ multipleOf: 6 }),
    wide: number({ multipleOf: 1.5 }),
    code: "MULTIPLE_CHANGED",
  },
];

describe.each(RULES)("A reader that takes only $name", ({ narrow, wide, code }) => {
  test("is told so", () => {
    expect(against(narrow, wide)).toContain(code);
  });

  test("is read by one that takes more, and by itself", () => {
    expect(against(wide, narrow)).toEqual([]);
    expect(against(narrow, narrow)).toEqual([]);
    expect(against(wide, wide)).toEqual([]);
  });
});

interface Pair {
  readonly name: string;
  readonly writer: Schema;
  readonly reader: Schema;
}

const SAME: readonly Pair[] = [
  {
    name: "above 0.5 for integers is from 1",
    writer: integer({ exclusiveMinimum: 0.5 }),
    reader: integer({ minimum: 1 }),
  },
  { name: "a step of 1 is integers", writer: number({ multipleOf: 1 }), reader: integer() },
  {
    name: "two steps are their common multiple",
    writer: integer({ allOf: [{ multipleOf: 4 }, { multipleOf: 6 }] }),
    reader: integer({ multipleOf: 12 }),
  },
  {
    name: "the only multiple of 5 from 1 to 9 is 5",
    writer: integer({ minimum: 1, maximum: 9, multipleOf: 5 }),
    reader: { const: 5 },
  },
  { name: "1.0 is an integer", writer: { const: 1.0 }, reader: integer() },
  {
    name: "a pattern limits the length",
    writer: string({ pattern: ".{2,}" }),
    reader: string({ minLength: 2 }),
  },
  {
    name: "a length limits a pattern",
    writer: string({ maxLength: 5, pattern: "^(ab)*$" }),
    reader: string({ pattern: "^(ab){0,2}$" }),
  },
  { name: "a pattern that matches the empty text matches all", writer: {}, reader: { pattern: "a*" } },
  { name: "one emoji is one character", writer: { const: "😀" }, reader: string({ maxLength: 1 }) },
  {
    name: "listed values match a pattern",
    writer: { enum: ["ab", "ac"] },
    reader: string({ pattern: "^a(?=[bc])" }),
  },
  {
    name: "the order of an object's names does not count",
    writer: { const: { a: 1, b: 2 } },
    reader: { enum: [{ b: 2, a: 1 }] },
  },
  {
    name: "keywords for other types do not matter",
    writer: { type: "null" },
    reader: { minLength: 3, minimum: 3, required: ["a"] },
  },
  {
    name: "titles and their like do not matter",
    writer: string(),
    reader: string({ title: "t", description: "d", default: 1, examples: [1] }),
  },
];

test.each(SAME)("$name", ({ writer, reader }) => {
  expect(against(reader, writer)).toEqual([]);
});

const NEVER: readonly { readonly name: string; readonly writer: Schema }[] = [
  { name: "a minimum above the maximum", writer: number({ minimum: 2, maximum: 1 }) },
  { name: "a bound that is left out on both sides", writer: number({ exclusiveMinimum: 1, maximum: 1 }) },
  { name: "no multiple in the range", writer: integer({ minimum: 5, maximum: 10, multipleOf: 15 }) },
  { name: "a minimum length above the maximum", writer: string({ minLength: 2, maxLength: 1 }) },
  { name: "a pattern that no allowed length matches", writer: string({ pattern: "^a{5}$", maxLength: 4 }) },
  { name: "listed values of another type", writer: string({ enum: [1, 2] }) },
  { name: "no values", writer: { enum: [] } },
  { name: "types that exclude each other", writer: { allOf: [string(), number()] } },
  {
    name: "a required field that nothing can be",
    writer: { type: "object", properties: { a: false }, required: ["a"] },
  },
  { name: "more items at least than at most", writer: { type: "array", minItems: 2, maxItems: 1 } },
  {
    name: "an item that nothing can be",
    writer: { type: "array", prefixItems: [{}, { not: {} }], minItems: 2 },
  },
  {
    name: "more names than there can be",
    writer: { type: "object", additionalProperties: false, minProperties: 1 },
  },
  { name: "a schema and its exclusion", writer: string({ not: string() }) },
];

test.each(NEVER)("A writer that can send nothing is read by everybody: $name", ({ writer }) => {
  expect(against({ const: "something else" }, writer)).toEqual([]);
});

const REFUSED: readonly (Pair & { readonly code: string })[] = [
  {
    name: "an unknown keyword of the reader",
    writer: string(),
    reader: string({ even: true }),
    code: "UNSUPPORTED_KEYWORD",
  },
  {
    name: "an unknown keyword in an intersection",
    writer: string(),
    reader: { allOf: [string({ even: true })] },
    code: "UNSUPPORTED_KEYWORD",
  },
  {
    name: "a malformed keyword of the reader",
    writer: string(),
    reader: string({ maxLength: "3" }),
    code: "UNSUPPORTED_KEYWORD",
  },
  {
    name: "a pattern that cannot be followed",
    writer: string({ pattern: "^a" }),
    reader: string({ pattern: "^(?!b)" }),
    code: "PATTERN_CHANGED",
  },
  {
    name: "an invalid pattern",
    writer: { const: "(" },
    reader: string({ pattern: "(" }),
    code: "PATTERN_CHANGED",
  },
  {
    name: "a reference out of the document",
    writer: string(),
    reader: { $ref: "other.json" },
    code: "UNRESOLVED_REFERENCE",
  },
  { name: "a reference to itself", writer: string(), reader: { $ref: "#" }, code: "UNRESOLVED_REFERENCE" },
];

test.each(REFUSED)("What is not understood is not compatible: $name", ({ writer, reader, code }) => {
  expect(against(reader, writer)).toEqual([code]);
});

test("What is not understood is compatible with itself, word for word", () => {
  const schema = {
    type: "object",
    properties: { a: { type: "string", even: true }, b: { pattern: "^(?!b)" } },
  };
  expect(against(schema, { ...schema, title: "the same" })).toEqual([]);
});

test("A document is compatible with itself, wherever its references lead", () => {
  const schema = {
    properties: { a: { $ref: "other.json" }, b: { $ref: "#/$defs/c", even: true } },
    $defs: { c: {} },
  };
  expect(against(schema, structuredClone(schema))).toEqual([]);
  expect(against(schema, { ...schema, properties: {} })).not.toEqual([]);
});

test("What is not understood is compatible with itself where only objects are more open", () => {
  const field = { type: "object", properties: { a: { pattern: "^(?!b)" } }, even: true };
  const closed = { ...field, additionalProperties: false };
  const union = (schema: object) => ({ type: "array", items: { anyOf: [schema, { type: "null" }] } });
  expect(against(union(field), union(closed))).toEqual([]);
  expect(against(union(closed), union(field))).not.toEqual([]);
  // What refuses open objects refuses more than what refuses closed ones.
  expect(against({ not: field }, { not: closed })).not.toEqual([]);
  expect(
    against({ ...field, unevaluatedProperties: false }, { ...closed, unevaluatedProperties: false }),
  ).not.toEqual([]);
});

test("Unknown keywords of the writer can only narrow what it sends", () => {
  expect(against(string(), string({ even: true, maxLength: "3" }))).toEqual([]);
});

describe("multipleOf", () => {
  // 1.1 / 0.01 is 110.00000000000001 in doubles, so a validator refuses what decimals allow.
  const [tenths, hundredths] = [number({ multipleOf: 0.1 }), number({ multipleOf: 0.01 })];

  test("concludes nothing from steps that a double cannot hold", () => {
    expect(against(hundredths, tenths)).toEqual(["MULTIPLE_CHANGED"]);
    expect(against(tenths, tenths)).toEqual([]);
    expect(against(number({ multipleOf: 0.25 }), number({ multipleOf: 1.5 }))).toEqual([]);
  });

  test("counts in decimals when both sides do", () => {
    expect(canRead(hundredths, tenths, { decimalMultiples: true })).toEqual([]);
    expect(canRead(tenths, hundredths, { decimalMultiples: true })).toHaveLength(1);
    // In doubles 0.3 is 2.9999999999999996 times 0.1.
    expect(canRead(tenths, { const: 0.3 }, { decimalMultiples: true })).toEqual([]);
    expect(against(tenths, { const: 0.3 })).toEqual(["MULTIPLE_CHANGED"]);
  });
});
