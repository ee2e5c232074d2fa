import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import {
  charactersBeside,
  samplesOfPattern,
  stringsOfPattern,
} from "#shared/contracts/compatibility/documents/strings-of-pattern";
import { exported } from "#test/support/wire-schemas";

function patternOf(schema: z.ZodType): RegExp {
  return new RegExp(String(exported(schema).pattern), "u");
}

test.each([
  ["mail addresses", patternOf(z.email())],
  ["UUIDs", patternOf(z.uuid())],
  ["times", patternOf(z.iso.datetime())],
  ["networks", patternOf(z.cidrv4())],
  ["letters of any script", /^\p{L}+$/u],
  ["some part of it", /b{2}/u],
])("text that a pattern matches: %s", (_what, pattern) => {
  const strings = stringsOfPattern(pattern);
  expect(strings).not.toBeNull();
  if (strings !== null) fc.assert(fc.property(strings, (text) => pattern.test(text)));
  expect(samplesOfPattern(pattern)).toEqual(samplesOfPattern(pattern));
});

test.each([
  ["a look-ahead", /^(?!x)[a-z]$/u],
  ["a look-ahead with brackets", /^(?=.*[)(]?)(?!a(b|c))[a-z]+$/u],
  ["durations, as zod has them", patternOf(z.iso.duration())],
  ["host names, as zod has them", patternOf(z.hostname())],
  ["a word's end", /^ab\b.?$/u],
])("where it looks around, at least some of the text: %s", (_what, pattern) => {
  expect(samplesOfPattern(pattern).some((text) => pattern.test(text))).toBe(true);
});

test("a pattern that cannot be followed gives no text, and no error", () => {
  expect(stringsOfPattern(/^(a)\1(?<=x(y(z)))$/u)).toBeNull();
  expect(samplesOfPattern(/^(a)\1(?<=x(y(z)))$/u)).toEqual([]);
});

test("characters on either side of those that a pattern names", () => {
  expect(charactersBeside(/^[b-d]$/u)).toEqual(expect.arrayContaining(["a", "b", "c", "d", "e"]));
});
