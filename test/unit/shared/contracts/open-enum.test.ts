import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { toJsonSchema } from "#shared/contracts/json-schema";
import { openEnum } from "#shared/contracts/open-enum";
import { readData } from "#shared/contracts/reader";
import { compileStrictCheck } from "#shared/contracts/strict-check";
import { closed, opened } from "#shared/contracts/wire-schema";

const method = openEnum(["card", "cash"], { fallback: "other" });
const schema = z.looseObject({ method, again: method.optional(), all: z.array(method).optional() });

/** Rules and places that the door complains about. */
function issuesOf(data: unknown): readonly string[] {
  return compileStrictCheck(toJsonSchema(schema), "")(data).map(({ rule, pointer }) => `${rule} ${pointer}`);
}

describe("a handler", () => {
  test("reads a known value as itself, and any other as the fallback", () => {
    expect(method.known("card")).toBe("card");
    expect(method.known("sepa")).toBe("other");
    expect(method.known("other")).toBe("other");
    expectTypeOf(method.known("x")).toEqualTypeOf<"card" | "cash" | "other">();
    expectTypeOf<z.output<typeof schema>["method"]>().toEqualTypeOf<string>();
  });

  test("never reads anything but a known value or the fallback", () => {
    fc.assert(fc.property(fc.string(), (raw) => ["card", "cash", "other"].includes(method.known(raw))));
  });
});

describe("a reader", () => {
  test("keeps any text as it is, so that passing the data on loses nothing", () => {
    const contract = { type: "order.pay", versions: [{ version: 1, minReaderVersion: 1, schema }] };
    fc.assert(
      fc.property(fc.string(), (raw) => {
        const stored = { schemaVersion: 2, minReaderVersion: 1, data: { method: raw, all: [raw] } };
        expect(readData(contract, stored).data).toEqual({ method: raw, all: [raw] });
      }),
    );
  });

  test("refuses what is no text", () => {
    expect(schema.safeParse({ method: 1 }).success).toBe(false);
  });
});

describe("the door", () => {
  test("holds a writer to the values of its version, wherever the enum stands", () => {
    expect(issuesOf({ method: "card", again: "cash", all: ["card"] })).toEqual([]);
    expect(issuesOf({ method: "sepa" })).toEqual(["enum /method"]);
    expect(issuesOf({ method: "card", again: "sepa", all: ["sepa"] })).toEqual([
      "enum /again",
      "enum /all/0",
    ]);
  });

  test("takes the fallback only when it is one of the values", () => {
    expect(issuesOf({ method: "other" })).toEqual(["enum /method"]);
    const withOther = openEnum(["card", "other"], { fallback: "other" });
    const check = compileStrictCheck(toJsonSchema(z.looseObject({ withOther })), "");
    expect(check({ withOther: "other" })).toEqual([]);
  });
});

describe("in JSON Schema", () => {
  test("it is a text with the known values and the fallback beside it", () => {
    const published = { type: "string", "x-open-enum": { values: ["card", "cash"], fallback: "other" } };
    expect(toJsonSchema(schema).properties).toEqual({
      method: published,
      again: published,
      all: { type: "array", items: published },
    });
  });

  test("its writer's side is an enum and its reader's side any text", () => {
    const published = toJsonSchema(z.looseObject({ method }));
    expect(closed(published).properties).toEqual({ method: { type: "string", enum: ["card", "cash"] } });
    expect(opened(published).properties).toEqual({ method: { type: "string" } });
  });

  test("it keeps what else was said of it", () => {
    const described = z.looseObject({ method: method.max(9).describe("How it is paid.") });
    expect(closed(toJsonSchema(described)).properties).toEqual({
      method: { type: "string", maxLength: 9, description: "How it is paid.", enum: ["card", "cash"] },
    });
  });
});

describe("a rule that makes no sense", () => {
  test.each([
    ["needs at least one value", [], "other"],
    ["has an empty text", ["card", ""], "other"],
    ["has an empty text", ["card"], ""],
    ['has the value "card" twice', ["card", "cash", "card"], "other"],
  ])("%s, and is refused", (problem, values, fallback) => {
    expect(() => openEnum(values, { fallback })).toThrow(`openEnum ${problem}`);
  });
});
