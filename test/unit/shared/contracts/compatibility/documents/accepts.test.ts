import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { accepts } from "#shared/contracts/compatibility/documents/accepts";
import { boundaryValues } from "#shared/contracts/compatibility/documents/boundary-values";
import { asDraft2020 } from "#shared/contracts/compatibility/documents/draft-2020";
import { linkSchema } from "#shared/contracts/compatibility/documents/linked-schema";
import { compileCheck } from "#shared/contracts/strict-check";
import { closed, type JsonSchema } from "#shared/contracts/wire-schema";
import { schemaPairs } from "#test/support/schema-pairs";

function bothSay(schema: JsonSchema | boolean, document: unknown): [boolean, boolean] {
  const isValid = compileCheck(asDraft2020(schema), "")(document).length === 0;
  return [accepts(linkSchema(schema).root, document), isValid];
}

test.each<[JsonSchema, unknown, boolean]>([
  [{ type: "integer" }, 1, true],
  [{ type: "integer" }, 1.5, false],
  [{ type: "number" }, 1, true],
  [{ type: ["string", "null"] }, null, true],
  [{ type: "string", nullable: true }, null, true],
  [{ enum: [{ a: [1] }] }, { a: [1] }, true],
  [{ const: null }, 0, false],
  [{ minLength: 2 }, "😀", false],
  [{ maxLength: 1 }, "😀", true],
  [{ pattern: "^.$" }, "😀", true],
  [{ format: "email" }, "a@b.co", true],
  [{ format: "email" }, "nobody", false],
  [{ format: "no-such-format" }, "x", true],
  [{ multipleOf: 0.01 }, 19.99, true],
  [{ multipleOf: 0.01 }, 19.999, false],
  [{ exclusiveMinimum: 1 }, 1, false],
  [{ minimum: 1, exclusiveMinimum: true }, 1, false],
  [{ minimum: 1, exclusiveMinimum: false }, 1, true],
  [{ prefixItems: [{ type: "string" }], items: false }, ["a"], true],
  [{ prefixItems: [{ type: "string" }], items: false }, ["a", 1], false],
  [{ items: [{ type: "string" }], additionalItems: { type: "integer" } }, ["a", "b"], false],
  [{ uniqueItems: true }, [{ a: 1 }, { a: 1 }], false],
  [{ required: ["toString"] }, {}, false],
  [{ properties: { toString: { type: "integer" } } }, {}, true],
  [{ additionalProperties: false, patternProperties: { "^x": {} } }, { x1: 1 }, true],
  [{ properties: { x1: {} }, patternProperties: { "^x": { type: "string" } } }, { x1: 1 }, false],
  [{ propertyNames: { maxLength: 1 } }, { ab: 1 }, false],
  [{ minProperties: 1 }, {}, false],
  [{ oneOf: [{ type: "integer" }, { minimum: 5 }] }, 6, false],
  [{ not: { type: "integer" } }, "a", true],
  [{ $ref: "#/$defs/a", minimum: 3, $defs: { a: { type: "integer" } } }, 2, false],
  [{ properties: { a: { $ref: "#" } }, additionalProperties: false }, { a: { a: { b: 1 } } }, false],
])("%j and %j: %s, as the door says", (schema, document, expected) => {
  expect(bothSay(schema, document)).toEqual([expected, expected]);
});

describe("agrees with the validator at the door", () => {
  test("on documents at the limits of two schemas, for both of them", () => {
    const counts = { accepted: 0, refused: 0 };
    fc.assert(
      fc.property(schemaPairs(), ({ before, after }) => {
        const [reader, writer] = [linkSchema(after).root, linkSchema(closed(before)).root];
        const check = compileCheck(asDraft2020(after), "");
        for (const { value } of boundaryValues({ writer, readers: [reader] }, 500).slice(0, 50)) {
          const document: unknown = JSON.parse(JSON.stringify(value));
          const isAccepted = accepts(reader, document);
          counts[isAccepted ? "accepted" : "refused"] += 1;
          expect(isAccepted).toBe(check(document).length === 0);
        }
      }),
      { numRuns: 200 },
    );
    // Else nothing was compared.
    expect(counts.accepted).toBeGreaterThan(500);
    expect(counts.refused).toBeGreaterThan(500);
  });
});

test("a schema with a keyword that is not read says so", () => {
  expect(linkSchema({ type: "object", properties: { a: { contains: {} } } }).exact).toBe(false);
  expect(linkSchema({ type: "object", properties: { contains: {} } }).exact).toBe(true);
});
