import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { lengthMachine, type Machine } from "#shared/contracts/compatibility/containment/patterns/automaton";
import { parsePattern } from "#shared/contracts/compatibility/containment/patterns/pattern-syntax";
import {
  machineOfPattern,
  matches,
  textExists,
} from "#shared/contracts/compatibility/containment/patterns/text-search";

const { pattern } = fc.letrec<{ pattern: string; piece: string }>((tie) => ({
  piece: fc.oneof(
    { maxDepth: 2 },
    fc.constantFrom(
      "a",
      "b",
      "😀",
      ".",
      "[ab]",
      "[^a]",
      "[^]",
      "\\w",
      "\\D",
      "\\s",
      "[a-c\\-]",
      "\\u{1f600}",
      "\\x61",
    ),
    fc.constantFrom("^", "$"),
    tie("pattern").map((inner) => `(${inner})`),
    tie("pattern").map((inner) => `(?:${inner})`),
    fc
      .tuple(tie("piece"), fc.constantFrom("*", "+", "?", "{2}", "{1,2}", "{2,}", "*?", "{1}?"))
      .map(([inner, times]) => `(?:${inner})${times}`),
  ),
  pattern: fc
    .array(
      fc.array(tie("piece"), { maxLength: 3 }).map((pieces) => pieces.join("")),
      { minLength: 1, maxLength: 2 },
    )
    .map((options) => options.join("|")),
}));

const text = fc.string({ unit: fc.constantFrom("a", "b", "c", "😀", "1", " ", "\n", "-"), maxLength: 6 });

test("A pattern matches what an ECMAScript expression with the u flag matches", () => {
  fc.assert(
    fc.property(pattern, fc.array(text, { minLength: 10 }), (source, texts) => {
      const expression = new RegExp(source, "u");
      expect(machineOfPattern(source)).not.toBeNull();
      for (const one of texts) expect([one, matches(source, one)]).toEqual([one, expression.test(one)]);
    }),
    { numRuns: 300 },
  );
});

test("A text that two patterns tell apart is not said not to exist", () => {
  fc.assert(
    fc.property(pattern, pattern, fc.array(text, { minLength: 20 }), (one, other, texts) => {
      const machines = [one, other].map(machineOfPattern) as Machine[];
      const exists = textExists(machines, ([first, second]) => first === true && second === false);
      const isSeen = texts.some((it) => new RegExp(one, "u").test(it) && !new RegExp(other, "u").test(it));
      if (isSeen) expect(exists).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test.each([
  ["^(ab)*$", "^(ab){0,3}$", true],
  ["^[a-z]{2}$", "^\\w{1,3}$", false],
  ["a", "", false],
  ["", "a*", false],
  ["^a|b$", "^(a.*|.*b)$", true],
  ["^a[^]*|[^]*b$", "^(a[^]*|[^]*b)$", false],
  ["^\\p{L}$", "^.$", null],
])("Of texts that %s matches, some may not match %s: %s", (one, other, expected) => {
  const machines = [one, other].map(machineOfPattern);
  const isFollowed = machines.every((machine) => machine !== null);
  const exists = isFollowed
    ? textExists(machines as Machine[], ([first, second]) => first === true && second === false)
    : null;
  // A dot is no line break: the fifth pair differs in "a\n".
  expect(exists).toBe(expected);
});

describe("A pattern is not followed", () => {
  test.each(["(?=a)", "(?<!a)b", "(a)\\1", "\\bword", "\\p{L}", "(?<n>a)\\k<n>"])(
    "when it needs more than states: %s",
    (source) => {
      expect(parsePattern(source)).toBeNull();
      // It is still tested on single texts.
      expect(matches(source, "")).toBe(new RegExp(source, "u").test(""));
    },
  );

  test.each(["(", "a{2,1}", "[b-a]", "\\-", "a**"])("when it is invalid: %s", (source) => {
    expect(parsePattern(source)).toBeNull();
    expect(matches(source, "a")).toBeNull();
  });

  test.each(["a{100000}", "((a{60}){60}){60}", `${"(".repeat(200)}a${")".repeat(200)}`])(
    "when it would take too many states",
    (source) => {
      expect(machineOfPattern(source)).toBeNull();
    },
  );
});

test("Time does not explode with the text, as it does for a backtracking matcher", () => {
  expect(matches("^(a+)+$", `${"a".repeat(5_000)}b`)).toBe(false);
});

test("A search that grows too big gives up", () => {
  // Each remembers which of its last twelve symbols were an a: 2^12 states.
  const machines = ["a.{11}$", "b.{11}$"].map(machineOfPattern) as Machine[];
  expect(textExists([...machines, lengthMachine(5_000, 5_000)], (taken) => taken.every(Boolean))).toBeNull();
});
