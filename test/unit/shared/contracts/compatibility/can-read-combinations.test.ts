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

/** An `if` with its `then` and `else`. */
const THEN = "then";
const when = (condition: object, met: object, unmet: object = {}) => ({
  if: condition,
  [THEN]: met,
  else: unmet,
});

describe("Unions", () => {
  const card = closed({ kind: { const: "card" }, number: string }, { required: ["kind"] });
  const cash = closed({ kind: { const: "cash" }, amount: number }, { required: ["kind"] });
  const open = (schema: object) => ({ ...schema, additionalProperties: {} });
  judge([
    { name: "of fewer variants are read", writer: { anyOf: [string] }, reader: { anyOf: [number, string] } },
    {
      name: "of more variants are not",
      writer: { anyOf: [string, { type: "null" }] },
      reader: { anyOf: [string, number] },
      against: ["VARIANT_REMOVED"],
    },
    {
      name: "are read in another order",
      writer: { oneOf: [card, cash] },
      reader: { oneOf: [open(cash), open(card)] },
    },
    {
      name: "refuse an unknown variant",
      writer: { oneOf: [card, cash] },
      reader: { oneOf: [open(card), integer] },
      against: ["VARIANT_UNKNOWN"],
    },
    {
      name: "say where the one variant that is meant refuses",
      writer: { oneOf: [card, cash] },
      reader: {
        oneOf: [open(card), { ...open(cash), properties: { kind: { const: "cash" }, amount: integer } }],
      },
      against: ["TYPE_NARROWED /amount"],
    },
    {
      name: "that overlap refuse what both take",
      writer: { type: "string", maxLength: 3 },
      reader: { oneOf: [string, { maxLength: 5 }] },
      against: ["ONEOF_OVERLAP"],
    },
    {
      name: "that overlap take what only one takes",
      writer: { type: "string", minLength: 6 },
      reader: { oneOf: [string, { maxLength: 5 }] },
    },
    {
      name: "of the same member twice take nothing",
      writer: string,
      reader: { oneOf: [string, string] },
      against: ["ONEOF_OVERLAP"],
    },
    {
      name: "take a range piece by piece",
      writer: { type: "integer", minimum: 1, maximum: 8 },
      reader: {
        anyOf: [
          { minimum: 5, maximum: 10 },
          { minimum: 0, maximum: 4 },
        ],
      },
    },
    {
      name: "leave the holes between their ranges",
      writer: { type: "number", minimum: 1, maximum: 8 },
      reader: { anyOf: [{ minimum: 5 }, { maximum: 4 }] },
      against: ["VARIANT_REMOVED"],
    },
    {
      name: "take lengths piece by piece",
      writer: string,
      reader: { anyOf: [{ maxLength: 4 }, { minLength: 5 }] },
    },
    {
      name: "take an object by the values of a field",
      writer: closed({ kind: { enum: ["card", "cash"] } }, { required: ["kind"] }),
      reader: { oneOf: [open(card), open(cash)] },
    },
    {
      name: "take an object with and without a field",
      writer: closed({ a: integer }),
      reader: { anyOf: [{ required: ["a"] }, { properties: { a: false } }] },
    },
    {
      name: "of the writer exclude what two of them take",
      writer: { oneOf: [{ enum: [1, 2, 3] }, { enum: [1, 2] }] },
      reader: { const: 3 },
    },
  ]);

  test("of many variants are compared without trying each with each", () => {
    const variants = Array.from({ length: 100 }, (_, index) =>
      closed({ kind: { const: `k${index}` }, a: string, b: number }, { required: ["kind"] }),
    );
    expect(canRead({ oneOf: variants.map(open) }, { oneOf: variants }, { stepsMax: 3_000 })).toEqual([]);
  });
});

describe("Intersections, exclusions and conditions", () => {
  judge([
    {
      name: "allOf of the writer is merged",
      writer: { allOf: [{ minimum: 10 }, { maximum: 20 }, integer] },
      reader: { type: "integer", minimum: 10, maximum: 20 },
    },
    {
      name: "allOf of the writer merges fields",
      writer: { allOf: [object({ a: number }), object({ a: { multipleOf: 1 } }, { required: ["a"] })] },
      reader: object({ a: integer }, { required: ["a"] }),
    },
    {
      name: "allOf of the reader needs every member",
      writer: string,
      reader: { allOf: [string, { maxLength: 5 }] },
      against: ["INTERSECTION_NARROWED"],
    },
    {
      name: "allOf of the reader says which part is refused",
      writer: closed({ a: string }),
      reader: { allOf: [object({ a: number })] },
      against: ["TYPE_NARROWED /a"],
    },
    {
      name: "what is excluded more by the writer is read",
      writer: { not: { type: "string", minLength: 5 } },
      reader: { not: { type: "string", minLength: 6 } },
    },
    {
      name: "what is excluded by the reader only is not",
      writer: string,
      reader: { not: { const: "a" } },
      against: ["EXCLUSION_ADDED"],
    },
    {
      name: "what is excluded is of another type",
      writer: string,
      reader: { not: { type: ["number", "null"] } },
    },
    {
      name: "an exclusion limits what is left",
      writer: { type: "string", not: { minLength: 2 } },
      reader: { maxLength: 1 },
    },
    {
      name: "a condition that holds asks for its then",
      writer: { const: { a: 1 } },
      reader: when({ required: ["a"] }, { required: ["b"] }),
      against: ["REQUIRED_ADDED /b"],
    },
    {
      name: "a condition that fails does not",
      writer: closed({}),
      reader: when({ required: ["a"] }, { required: ["b"] }, { maxProperties: 0 }),
    },
    {
      name: "a condition of the writer is followed",
      writer: when(string, { maxLength: 2 }, integer),
      reader: { anyOf: [{ type: "string", maxLength: 2 }, integer] },
    },
  ]);
});

describe("References", () => {
  const tree = (leaf: object) => ({
    $ref: "#/$defs/node",
    $defs: { node: object({ value: leaf, children: array({ items: { $ref: "#/$defs/node" } }) }) },
  });
  const list = (value: object) => ({
    $defs: {
      list: {
        anyOf: [
          { type: "null" },
          closed({ value, next: { $ref: "#/$defs/list" } }, { required: ["value", "next"] }),
        ],
      },
    },
    $ref: "#/$defs/list",
  });
  judge([
    { name: "are what they refer to", writer: { $ref: "#/$defs/a", $defs: { a: integer } }, reader: number },
    { name: "may go in circles", writer: tree(integer), reader: tree(number) },
    {
      name: "in circles still find what differs",
      writer: tree(number),
      reader: tree(integer),
      // At the root and, as one circle, below it.
      against: ["TYPE_NARROWED /value", "TYPE_NARROWED /children/*/value"],
    },
    { name: "in circles through unions hold", writer: list(integer), reader: list(number) },
    {
      name: "in circles through unions still find what differs",
      writer: list(number),
      reader: list(integer),
      against: ["TYPE_NARROWED /value", "TYPE_NARROWED /next/value"],
    },
    {
      name: "go to anchors and to resources",
      writer: {
        $id: "https://a.example/x",
        properties: { a: { $ref: "y" }, b: { $ref: "#here" } },
        $defs: { y: { $id: "y", type: "integer" }, z: { $anchor: "here", type: "string" } },
      },
      reader: object({ a: number, b: string }),
      against: ["TYPE_NARROWED"],
    },
    {
      name: "inside a resource start there",
      writer: closed(
        { a: { $id: "inner", $ref: "#/$defs/x", $defs: { x: string } } },
        { $schema: "https://json-schema.org/draft/2020-12/schema", $defs: { x: number } },
      ),
      reader: object({ a: string }),
    },
    {
      name: "of the reader are held to what stands beside them",
      writer: integer,
      reader: { $ref: "#/$defs/a", maximum: 3, $defs: { a: integer } },
      against: ["RANGE_NARROWED"],
    },
    {
      name: "of the writer are not, since older drafts skip it",
      writer: { $ref: "#/$defs/a", maximum: 3, $defs: { a: integer } },
      reader: { maximum: 3 },
      against: ["RANGE_NARROWED"],
    },
    {
      name: "of the writer are in the new drafts",
      writer: {
        $schema: "https://json-schema.org/draft/2020-12/schema",
        $ref: "#/$defs/a",
        maximum: 3,
        $defs: { a: integer },
      },
      reader: { maximum: 3 },
    },
  ]);

  test("that nothing can satisfy are read by everybody only as far as that is proved", () => {
    // Every node needs another one: no document ends. Not proved, and therefore not read.
    const endless = {
      $ref: "#/$defs/node",
      $defs: { node: closed({ next: { $ref: "#/$defs/node" } }, { required: ["next"] }) },
    };
    expect(against(string, endless)).toEqual(["TYPE_NARROWED"]);
  });

  test("in two circles that fail together are not proved by each other", () => {
    // a holds b, b holds a; only b's value differs, so the pair of a's must not stay proved.
    const rings = (value: object) => ({
      ...object(
        { first: { $ref: "#/$defs/a" }, second: { $ref: "#/$defs/b" } },
        { additionalProperties: false },
      ),
      $defs: {
        a: closed({ b: { $ref: "#/$defs/b" } }),
        b: closed({ a: { $ref: "#/$defs/a" }, value }),
      },
    });
    expect(against(rings(integer), rings(number))).toEqual([
      "TYPE_NARROWED /first/b/value",
      "TYPE_NARROWED /second/a/b/value",
      "TYPE_NARROWED /second/value",
    ]);
  });
});
