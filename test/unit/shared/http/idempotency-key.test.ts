import fc from "fast-check";
import { serializeItem } from "structured-headers";
import { describe, expect, test } from "vitest";
import { IdempotencyKeyInvalidError } from "#shared/admission-errors";
import { idempotencyKeyOf } from "#shared/http/idempotency-key";

const longest = "k".repeat(255);

describe("an Idempotency-Key header", () => {
  test.each([
    ["a quoted text", '"8e03978e-40d5"', "8e03978e-40d5"],
    ["a bare one", "8e03978e-40d5", "8e03978e-40d5"],
    ["a quoted text with parameters", '"k";a=1', "k"],
    ["escaped signs", '"a\\"b\\\\c"', 'a"b\\c'],
    ["255 characters", longest, longest],
    ["255 quoted characters", `"${longest}"`, longest],
    ["none at all", undefined, null],
  ])("that is %s is read", (_what, header, key) => {
    expect(idempotencyKeyOf(header)).toBe(key);
  });

  test.each([
    ["nothing", ""],
    ["an empty text", '""'],
    ["256 characters", `${longest}k`],
    ["256 quoted characters", `"${longest}k"`],
    ["a space", "a b"],
    ["a quoted space", '"a b"'],
    ["no end", '"a'],
    ["another sign after its end", '"a"b'],
    ["what is not ASCII", "schlüssel"],
    ["a line break", "a\nb"],
    // How Node joins a header that was sent twice.
    ["two bare keys", "a, b"],
    ["two quoted keys", '"a", "b"'],
    ["a list", ["a", "b"]],
  ])("with %s is refused", (_what, header) => {
    expect(() => idempotencyKeyOf(header)).toThrow(IdempotencyKeyInvalidError);
  });

  test("as another writes it gives the key back", () => {
    const key = fc.string({
      unit: fc.integer({ min: 0x21, max: 0x7e }).map((it) => String.fromCharCode(it)),
      minLength: 1,
      maxLength: 255,
    });
    fc.assert(
      fc.property(key, (text) => {
        expect(idempotencyKeyOf(serializeItem([text, new Map()]))).toBe(text);
        if (!text.startsWith('"')) expect(idempotencyKeyOf(text)).toBe(text);
      }),
    );
  });
});
