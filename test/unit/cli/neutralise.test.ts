import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { neutralise, neutraliseLine, safeJson } from "#cli/terminal/neutralise";

/** Whole code points of any kind, the dangerous ones often. */
const anyText = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0, max: 0x9f }),
      fc.integer({ min: 0x200b, max: 0x206f }),
      fc.constantFrom(0xfeff, 0x061c, 0xe0041, 0x1f600, 0xd800),
      fc.integer({ min: 0, max: 0x10ffff }),
    ),
  )
  .map((codes) => codes.map((code) => String.fromCodePoint(code)).join(""));

function codesOf(text: string): number[] {
  return [...text].map((character) => character.codePointAt(0) ?? 0);
}

const isControl = (code: number) => code < 0x20 || (code >= 0x7f && code <= 0x9f);
const isBidi = (code: number) =>
  code === 0x61c ||
  (code >= 0x200e && code <= 0x200f) ||
  (code >= 0x202a && code <= 0x202e) ||
  (code >= 0x2066 && code <= 0x2069);

describe("text of a stranger on a terminal", () => {
  test("holds no control character but newline and tab, whatever it was", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const left = codesOf(neutralise(text)).filter((code) => isControl(code) || isBidi(code));
        expect(left.filter((code) => code !== 0x0a && code !== 0x09)).toEqual([]);
      }),
    );
  });

  test("on one line holds no newline and no tab either", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(codesOf(neutraliseLine(text)).filter((code) => isControl(code) || isBidi(code))).toEqual([]);
      }),
    );
  });

  test("is not touched where it is harmless", () => {
    expect(neutralise("Grüße, 世界 😀\n\tok")).toBe("Grüße, 世界 😀\n\tok");
  });

  test("shows what was in it", () => {
    expect(neutralise("\u001b]0;owned\u0007 \u202egnp.exe \u009b2J")).toBe(
      "\\x1b]0;owned\\x07 \\u{202e}gnp.exe \\x9b2J",
    );
  });
});

describe("JSON for a terminal", () => {
  test("is one line without control characters, and the same value", () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), anyText), (value) => {
        const text = safeJson(value);
        expect(codesOf(text).filter((code) => isControl(code) || isBidi(code))).toEqual([]);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
