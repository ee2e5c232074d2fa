import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { reusedNames } from "#shared/contracts/compatibility/tombstones";
import { toJsonSchema } from "#shared/contracts/json-schema";
import { openEnum } from "#shared/contracts/open-enum";

const loose = z.looseObject;

/** "place value lastVersion" of what the last of `schemas` uses again, the first being version 1. */
function reusedBy(...schemas: readonly z.ZodType[]): readonly string[] {
  const versions = schemas.map((schema, index) => ({ version: index + 1, schema: toJsonSchema(schema) }));
  const newest = versions.at(-1);
  if (newest === undefined) throw new Error("a schema is needed");
  return reusedNames(newest, versions).map(
    ({ place, value, lastVersion }) => `${place} ${value ?? "-"} ${lastVersion}`,
  );
}

const withA = loose({ a: z.string().optional() });
const nothing = loose({});
const card = loose({ kind: z.literal("card"), number: z.string() });
const cash = loose({ kind: z.literal("cash"), till: z.int() });

describe("a field", () => {
  test("that was given up is never used again, whatever its schema", () => {
    expect(reusedBy(withA, nothing, withA)).toEqual(["/a - 1"]);
    expect(reusedBy(withA, nothing, loose({ a: z.int() }))).toEqual(["/a - 1"]);
  });

  test("is told with the version that had it last, however long ago", () => {
    expect(reusedBy(withA, withA, nothing, nothing, withA)).toEqual(["/a - 2"]);
  });

  test("that stays, changes its type or is new is not used again", () => {
    expect(reusedBy(withA, withA)).toEqual([]);
    expect(reusedBy(withA, loose({ a: z.int() }))).toEqual([]);
    expect(reusedBy(nothing, nothing, withA)).toEqual([]);
  });

  test("that came back before is not told of again by later versions", () => {
    expect(reusedBy(withA, nothing, withA, withA)).toEqual([]);
  });

  test.each([
    ["in an object", (inner: z.ZodType) => loose({ in: inner }), "/in/a - 1"],
    ["in every item", (inner: z.ZodType) => loose({ in: z.array(inner) }), "/in/*/a - 1"],
    [
      "in every value of a record",
      (inner: z.ZodType) => loose({ in: z.record(z.string(), inner) }),
      "/in/*/a - 1",
    ],
    ["in a tuple", (inner: z.ZodType) => loose({ in: z.tuple([z.int(), inner]) }), "/in/1/a - 1"],
    ["in what may be missing or null", (inner: z.ZodType) => loose({ in: inner.nullish() }), "/in/a - 1"],
    ["behind a reference", (inner: z.ZodType) => loose({ in: inner, too: inner }), "/in/a - 1"],
  ])("%s is one too", (_what, wrap, expected) => {
    expect(reusedBy(wrap(withA), wrap(nothing), wrap(withA))).toContain(expected);
  });

  test("comes back with what is in it as one name", () => {
    const deep = loose({ a: loose({ b: z.string(), c: z.enum(["x"]) }) });
    expect(reusedBy(deep, nothing, deep)).toEqual(["/a - 1"]);
  });

  test("is one name of its own at each place, written with slashes escaped", () => {
    const both = loose({ "a/b": z.int().optional(), a: loose({ b: z.int().optional() }) });
    expect(reusedBy(both, loose({ a: loose({}) }), both)).toEqual(["/a~1b - 1", "/a/b - 1"]);
  });

  test("in a schema that holds itself is found at its first level", () => {
    const tree = (field: Record<string, z.ZodType>) => {
      const node: z.ZodType = z.lazy(() => loose({ ...field, children: z.array(node) }));
      return loose({ root: node });
    };
    expect(reusedBy(tree({ a: z.int() }), tree({}), tree({ a: z.int() }))).toEqual(["/root/a - 1"]);
  });
});

describe("a value", () => {
  const of = (...values: [string, ...string[]]) => loose({ kind: z.enum(values) });

  test("that was given up is never used again", () => {
    expect(reusedBy(of("a", "b"), of("a"), of("a", "b"))).toEqual(['/kind "b" 1']);
    expect(reusedBy(of("a", "b"), of("a"), loose({ kind: z.literal("b") }))).toEqual(['/kind "b" 1']);
  });

  test("of an open enum is one too", () => {
    const open = (...values: string[]) => loose({ kind: openEnum(values, { fallback: "?" }) });
    expect(reusedBy(open("a", "b"), open("a"), open("a", "b"))).toEqual(['/kind "b" 1']);
    expect(reusedBy(of("a", "b"), open("a"), of("a", "b"))).toEqual(['/kind "b" 1']);
  });

  test("may be a name of a record", () => {
    const record = (...names: string[]) =>
      loose({ by: z.record(openEnum(names, { fallback: "?" }), z.int()) });
    expect(reusedBy(record("a", "b"), record("a"), record("a", "b"))).toEqual(['/by/{name} "b" 1']);
  });

  test("that was taken all the time, as any text, was not given up", () => {
    expect(reusedBy(of("a", "b"), loose({ kind: z.string() }), of("a", "b"))).toEqual([]);
  });

  test("may be a number, and null beside it changes nothing", () => {
    const levels = (...values: [number, ...number[]]) => loose({ level: z.literal(values).nullable() });
    expect(reusedBy(levels(1, 2), levels(1), levels(1, 2))).toEqual(["/level 2 1"]);
  });
});

describe("a variant of a union", () => {
  const by = (...members: [typeof card, ...(typeof cash)[]] | [typeof cash]) =>
    loose({ by: z.discriminatedUnion("kind", members as [typeof cash]) });

  test("comes back as the value that names it, without what is in it", () => {
    expect(reusedBy(by(card, cash), by(cash), by(card, cash))).toEqual(['/by/kind "card" 1']);
  });

  test("has fields of its own, which others may have by the same name", () => {
    const withTill = card.extend({ till: z.int().optional() });
    const versions = [by(withTill as never, cash), by(card, cash), by(withTill as never, cash)] as const;
    expect(reusedBy(...versions)).toEqual(['/by(kind="card")/till - 1']);
  });

  test("that is told apart by another field than before was there all the time", () => {
    const gold = loose({ kind: z.literal("card"), tier: z.literal("gold"), number: z.string() });
    const alone = loose({ by: z.union([gold, z.null()]) });
    const beside = loose({
      by: z.union([gold, loose({ kind: z.literal("cash"), tier: z.literal("gold") })]),
    });
    expect(reusedBy(alone, beside, alone)).toEqual([]);
  });

  test("keeps the names of a plain object that became one", () => {
    const plain = loose({ by: loose({ kind: z.string(), number: z.string() }) });
    expect(reusedBy(plain, by(card, cash), plain)).toEqual([]);
  });
});

test("nothing is used again in a history that only adds", () => {
  const names = fc.uniqueArray(fc.constantFrom("a", "b", "c", "d", "e"), { minLength: 1 });
  fc.assert(
    fc.property(names, (order) => {
      const shapes = order.map((_name, index) =>
        loose(Object.fromEntries(order.slice(0, index + 1).map((name) => [name, z.int().optional()]))),
      );
      expect(reusedBy(...shapes)).toEqual([]);
    }),
  );
});

test("whatever leaves and comes back is found", () => {
  const shape = fc.dictionary(fc.constantFrom("a", "b", "c", "d"), fc.constant(z.int().optional()), {
    minKeys: 1,
  });
  fc.assert(
    fc.property(shape, fc.nat(3), (fields, pick) => {
      const names = Object.keys(fields);
      const gone = names[pick % names.length] ?? "";
      const { [gone]: _removed, ...kept } = fields;
      expect(reusedBy(loose(fields), loose(kept), loose(fields))).toEqual([`/${gone} - 1`]);
    }),
  );
});
