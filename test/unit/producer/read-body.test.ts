import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readBody } from "#producer/read-body";
import { EnvelopeInvalidError, type Issue } from "#shared/errors";

function issueOf(text: string): Issue | undefined {
  try {
    readBody(text);
  } catch (error) {
    if (error instanceof EnvelopeInvalidError) return error.issues[0];
    throw error;
  }
  throw new Error("the body was not refused");
}

describe("readBody", () => {
  test.each(["", " ", "\n\t "])("refuses the empty body %j", (text) => {
    expect(issueOf(text)).toEqual({
      pointer: "",
      rule: "body",
      message: "the body is empty; send a JSON object",
    });
  });

  test.each([
    ['{"a":1,}', "unexpected character in line 1, column 8"],
    ['{"a" 1}', "unexpected character in line 1, column 6"],
    ['{\n  "a": 1\n  "b": 2\n}', "unexpected character in line 3, column 3"],
    ['{"a":1} x', "unexpected character in line 1, column 9"],
    ['{"a":1', "it ends too early (after 6 characters)"],
    ['{"a":"x', "it ends too early (after 7 characters)"],
    ["[1,2", "it ends too early (after 4 characters)"],
    ["tru", "it ends too early (after 3 characters)"],
  ])("says where %j stops being JSON", (text, where) => {
    expect(issueOf(text)).toEqual({ pointer: "", rule: "json", message: `the body is not JSON: ${where}` });
  });

  test.each(["abc", "{'a':1}", "<job/>", "undefined", "NaN", "\u00ef\u00bb\u00bf{}"])(
    "does not call %j cut short, which is none from its beginning",
    (text) => {
      expect(issueOf(text)?.message).toMatch(/^the body is not JSON: unexpected character/);
    },
  );

  test("never repeats the body", () => {
    for (const text of ["hunter2", '{"password":"hunter2",}', '{"password":"hunter2', '{"a":hunter2}']) {
      expect(JSON.stringify(issueOf(text))).not.toContain("hunter2");
    }
  });

  test("refuses what is refused everywhere, with its place", () => {
    expect(issueOf('{"data":{"__proto__":{}}}')).toMatchObject({
      pointer: "/data/__proto__",
      rule: "forbidden-name",
    });
    expect(issueOf(`${"[".repeat(40)}${"]".repeat(40)}`)?.rule).toBe("depth");
  });

  test("gives any other JSON as it is", () => {
    const name = fc.stringMatching(/^[a-z]{1,5}$/).map((text) => `n${text}`);
    const value = fc.dictionary(
      name,
      fc.oneof(fc.string({ unit: "grapheme" }), fc.maxSafeInteger(), fc.boolean()),
    );
    fc.assert(
      fc.property(value, (any) => {
        expect(readBody(JSON.stringify(any))).toEqual({ ...any });
      }),
    );
  });

  test("throws nothing but its own error, whatever the text", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.json()), (text) => {
        try {
          readBody(text);
        } catch (error) {
          expect(error).toBeInstanceOf(EnvelopeInvalidError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
