import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findForbidden, JSON_DEPTH_MAX } from "#shared/json-walk";

/** JSON text of `depth` objects inside one another. */
function nestedObjects(depth: number): string {
  return `${'{"a":'.repeat(depth - 1)}{}${"}".repeat(depth - 1)}`;
}

function nestedArrays(depth: number): string {
  return "[".repeat(depth) + "]".repeat(depth);
}

/** What the door says of JSON text. */
function judge(text: string): { pointer: string; rule: string } | null {
  const issue = findForbidden(JSON.parse(text));
  return issue && { pointer: issue.pointer, rule: issue.rule };
}

describe("findForbidden", () => {
  test("lets ordinary JSON pass", () => {
    expect(
      judge('{"a":[1,-2.5,1e-7,"é 🎌",true,null,{"b":{}}],"protocol":"x","Constructor":1,"":0}'),
    ).toBeNull();
  });

  test.each(["1", '"text"', "null", "true", "[]", "{}"])("lets %s alone pass", (text) => {
    expect(judge(text)).toBeNull();
  });

  test("allows 32 levels, the document itself counted, and refuses 33", () => {
    expect(JSON_DEPTH_MAX).toBe(32);
    expect(judge(nestedObjects(32))).toBeNull();
    expect(judge(nestedArrays(32))).toBeNull();
    // The 33rd object lies behind 32 names.
    expect(judge(nestedObjects(33))).toEqual({ pointer: "/a".repeat(32), rule: "depth" });
    expect(judge(nestedArrays(33))).toEqual({ pointer: "/0".repeat(32), rule: "depth" });
  });

  test("does not count a plain value as a level", () => {
    // 32 arrays, and a number in the innermost.
    expect(judge(`${"[".repeat(32)}1${"]".repeat(32)}`)).toBeNull();
  });

  test.each([nestedObjects(100_000), nestedArrays(100_000)])(
    "refuses 100,000 levels by its own limit, not by the stack's",
    (text) => {
      expect(judge(text)?.rule).toBe("depth");
    },
  );

  test("looks no deeper than its limit, however much lies below", () => {
    let looked = 0;
    const watched = (inner: unknown): unknown =>
      new Proxy([inner], {
        get(target, name) {
          if (name === "0") looked += 1;
          return Reflect.get(target, name);
        },
      });
    let value: unknown = [];
    for (let level = 0; level < 1_000; level += 1) value = watched(value);
    expect(findForbidden(value)?.rule).toBe("depth");
    expect(looked).toBe(JSON_DEPTH_MAX);
  });

  test.each(["__proto__", "constructor", "prototype"])("refuses the name %s at any depth", (name) => {
    expect(judge(`{"${name}":1}`)).toEqual({ pointer: `/${name}`, rule: "forbidden-name" });
    expect(judge(`{"data":{"list":[0,{"${name}":{}}]}}`)).toEqual({
      pointer: `/data/list/1/${name}`,
      rule: "forbidden-name",
    });
  });

  test("refuses a forbidden name that is spelled with escapes", () => {
    expect(judge('{"\\u005f_proto__":{"admin":true}}')?.rule).toBe("forbidden-name");
  });

  test("allows the same words as values", () => {
    expect(judge('{"a":"__proto__","b":["constructor"]}')).toBeNull();
  });

  test.each([
    ["2^53 - 1", "9007199254740991"],
    ["-(2^53 - 1)", "-9007199254740991"],
    ["a fraction", "0.1"],
    ["minus zero", "-0"],
  ])("allows %s", (_what, number) => {
    expect(judge(`{"n":${number}}`)).toBeNull();
  });

  test.each([
    ["2^53", "9007199254740992"],
    ["-2^53", "-9007199254740992"],
    ["2^53 + 1, which a reader has rounded already", "9007199254740993"],
    ["2^53 written as a power", "9.007199254740992e15"],
    ["a whole number of 300 digits", `1${"0".repeat(299)}`],
    ["a number that no double holds, which a reader takes for infinite", "1e400"],
    ["its negative", "-1e400"],
  ])("refuses %s", (_what, number) => {
    expect(judge(`{"n":[${number}]}`)).toEqual({ pointer: "/n/0", rule: "integer-range" });
  });

  test("refuses half of a surrogate pair in a value and in a name", () => {
    expect(judge('{"a":"x\\ud83cy"}')).toEqual({ pointer: "/a", rule: "unicode" });
    expect(judge('{"\\udf8c":1}')?.rule).toBe("unicode");
    expect(judge('{"a":"\\ud83c\\udf8c"}')).toBeNull();
  });

  test("writes names in its pointer as RFC 6901 does", () => {
    expect(judge('{"a/b~c":{"":1e17}}')?.pointer).toBe("/a~1b~0c/");
  });

  test("never repeats a value in its message", () => {
    expect(findForbidden(JSON.parse('{"n":12345678901234567890}'))?.message).not.toContain("1234567890");
    expect(findForbidden(JSON.parse('{"a":"secret\\ud800"}'))?.message).not.toContain("secret");
  });

  test("lets every JSON value pass that is shallow, with safe numbers, names and text", () => {
    const name = fc.string({ unit: "grapheme" }).map((text) => `n${text}`);
    const { tree } = fc.letrec((again) => ({
      tree: fc.oneof(
        { maxDepth: 6 },
        fc.oneof(fc.maxSafeInteger(), fc.double({ min: -1, max: 1, noNaN: true }), fc.boolean()),
        fc.string({ unit: "grapheme" }),
        fc.array(again("tree"), { maxLength: 4 }),
        fc.dictionary(name, again("tree"), { maxKeys: 4 }),
      ),
    }));
    fc.assert(fc.property(tree, (value) => findForbidden(value) === null));
  });
});
