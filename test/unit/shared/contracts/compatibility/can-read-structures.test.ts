import { describe, expect, test } from "vitest";
import { canRead } from "#shared/contracts/compatibility/can-read";

type Schema = Parameters<typeof canRead>[0];

/** Code and path of everything that stands against the pair. */
const against = (reader: Schema, writer: Schema) =>
  canRead(reader, writer).map(({ code, path }) => `${code} ${path}`.trim());

interface Rule {
  readonly name: string;
  readonly writer: Schema;
  readonly reader: Schema;
  /** Code and path of what stands against it, none when it is read. */
  readonly against?: readonly string[];
}

function judge(rules: readonly Rule[]): void {
  test.each(rules)("$name", ({ writer, reader, against: expected = [] }) => {
    expect(against(reader, writer)).toEqual(expected);
  });
}

const object = (properties: object, more: object = {}) => ({ type: "object", properties, ...more });
const closed = (properties: object, more: object = {}) =>
  object(properties, { ...more, additionalProperties: false });
const array = (more: object) => ({ type: "array", ...more });
const string = { type: "string" };
const number = { type: "number" };
const integer = { type: "integer" };

describe("Fields", () => {
  judge([
    {
      name: "required by both are read",
      writer: object({ a: string }, { required: ["a"] }),
      reader: object({ a: string }, { required: ["a"] }),
    },
    {
      name: "required by the reader only are not",
      writer: object({ a: string }),
      reader: object({ a: string }, { required: ["a"] }),
      against: ["REQUIRED_ADDED /a"],
    },
    {
      name: "required without being declared count too",
      writer: object({}),
      reader: { required: ["a/b"] },
      against: ["REQUIRED_ADDED /a~1b"],
    },
    {
      name: "required by the writer only are read",
      writer: { required: ["a", "b"] },
      reader: { required: ["b"] },
    },
    {
      name: "of both are compared",
      writer: closed({ a: number }),
      reader: object({ a: integer }),
      against: ["TYPE_NARROWED /a"],
    },
    {
      name: "of a closed writer may be new to the reader's schema",
      writer: closed({}),
      reader: object({ a: string }),
    },
    {
      name: "of an open writer may be anything, also where the reader declares them",
      writer: object({}),
      reader: object({ a: string }),
      against: ["TYPE_NARROWED /a"],
    },
    {
      name: "that the writer adds are read by an open reader",
      writer: closed({ a: string, b: string }),
      reader: object({ a: string }),
    },
    {
      name: "that the writer adds are refused by a closed reader",
      writer: closed({ a: string, b: string }),
      reader: closed({ a: string }),
      against: ["UNKNOWN_REJECTED /b"],
    },
    { name: "that can never be sent are not refused", writer: closed({ b: false }), reader: closed({}) },
    {
      name: "without a name are refused by a closed reader",
      writer: object({}),
      reader: closed({}),
      against: ["UNKNOWN_REJECTED /*"],
    },
    {
      name: "in several places are all named",
      writer: closed({ a: number, b: closed({ c: number }) }),
      reader: object({ a: string, b: object({ c: string }) }),
      against: ["TYPE_NARROWED /a", "TYPE_NARROWED /b/c"],
    },
  ]);
});

describe("Records", () => {
  const record = (values: unknown, names?: object) => ({
    type: "object",
    additionalProperties: values,
    ...(names === undefined ? {} : { propertyNames: names }),
  });
  judge([
    { name: "of narrower values are read", writer: record(integer), reader: record(number) },
    {
      name: "of wider values are not",
      writer: record(number),
      reader: record(integer),
      against: ["TYPE_NARROWED /*"],
    },
    {
      name: "take a declared field for one of their values",
      writer: closed({ a: integer }),
      reader: record(number),
    },
    {
      name: "refuse a declared field of another type",
      writer: closed({ a: string }),
      reader: record(number),
      against: ["RECORD_NARROWED /a"],
    },
    {
      name: "of narrower names are read",
      writer: record(string, { pattern: "^a[bc]" }),
      reader: record(string, { pattern: "^a" }),
    },
    {
      name: "of wider names are not",
      writer: record(string),
      reader: record(string, { maxLength: 3 }),
      against: ["RECORD_NARROWED"],
    },
    {
      name: "of listed names are objects with these fields",
      writer: record(integer, { enum: ["a", "b"] }),
      reader: closed({ a: number, b: number }),
    },
    {
      name: "of listed names are refused where one is missing",
      writer: record(integer, { enum: ["a", "b"] }),
      reader: closed({ a: number }),
      against: ["UNKNOWN_REJECTED /b"],
    },
    {
      name: "of fewer names are read",
      writer: { ...record(string), maxProperties: 2, minProperties: 1 },
      reader: { ...record(string), maxProperties: 3 },
    },
    {
      name: "of more names are not",
      writer: record(string),
      reader: { ...record(string), maxProperties: 3, minProperties: 1 },
      against: ["RECORD_NARROWED", "RECORD_NARROWED"],
    },
    {
      name: "have as many names as are required or declared",
      writer: closed({ a: string, b: string }, { required: ["a"] }),
      reader: { minProperties: 1, maxProperties: 2 },
    },
    {
      name: "by pattern are read by narrower patterns",
      writer: { type: "object", patternProperties: { "^x": integer }, additionalProperties: string },
      reader: { patternProperties: { "^xy": number } },
    },
    {
      name: "by pattern are refused where the patterns overlap",
      writer: { type: "object", patternProperties: { "^x": integer }, additionalProperties: false },
      reader: { patternProperties: { y$: string } },
      against: ["TYPE_NARROWED /*"],
    },
    {
      name: "by pattern cover declared names",
      writer: closed({ ax: string }),
      reader: { patternProperties: { x$: number } },
      against: ["TYPE_NARROWED /ax"],
    },
    {
      name: "with names that depend on others are read by their like",
      writer: {
        dependentRequired: { a: ["b", "c"] },
        $schema: "https://json-schema.org/draft/2020-12/schema",
      },
      reader: { dependentRequired: { a: ["b"] } },
    },
    {
      name: "with names that depend on others refuse what lacks them",
      writer: {},
      reader: { dependentRequired: { a: ["b"] } },
      against: ["REQUIRED_ADDED /b"],
    },
  ]);
});

describe("Arrays", () => {
  judge([
    {
      name: "of narrower items are read",
      writer: array({ items: integer }),
      reader: array({ items: number }),
    },
    {
      name: "of wider items are not",
      writer: array({ items: number }),
      reader: array({ items: integer }),
      against: ["TYPE_NARROWED /*"],
    },
    {
      name: "of fewer lengths are read",
      writer: array({ minItems: 2, maxItems: 3 }),
      reader: array({ minItems: 1 }),
    },
    {
      name: "of more lengths are not",
      writer: array({}),
      reader: array({ minItems: 1, maxItems: 2 }),
      against: ["ITEMS_NARROWED", "ITEMS_NARROWED"],
    },
    {
      name: "as tuples are compared place by place",
      writer: array({ prefixItems: [integer, string], items: false }),
      reader: array({ prefixItems: [number, number] }),
      against: ["TYPE_NARROWED /1"],
    },
    {
      name: "behind a tuple are compared with the rest",
      writer: array({ prefixItems: [string], items: integer }),
      reader: array({ items: string }),
      against: ["TYPE_NARROWED /*"],
    },
    {
      name: "that end sooner are read",
      writer: array({ items: [string], additionalItems: false }),
      reader: array({ items: [string, string], additionalItems: false }),
    },
    {
      name: "that end later are not",
      writer: array({ items: [string, string], additionalItems: false }),
      reader: array({ items: [string], additionalItems: false }),
      against: ["ITEMS_NARROWED /1"],
    },
    {
      name: "of at most one item have unique items",
      writer: array({ maxItems: 1 }),
      reader: array({ uniqueItems: true }),
    },
    {
      name: "of any items have not",
      writer: array({}),
      reader: array({ uniqueItems: true }),
      against: ["ITEMS_NARROWED"],
    },
    {
      name: "contain what every item is",
      writer: array({ items: integer, minItems: 1 }),
      reader: array({ contains: number }),
    },
    {
      name: "need not contain what some item may be",
      writer: array({ minItems: 1 }),
      reader: array({ contains: number }),
      against: ["ITEMS_NARROWED"],
    },
  ]);
});
