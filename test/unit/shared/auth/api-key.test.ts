import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  apiKeyOf,
  digestOf,
  isSameDigest,
  newKeyId,
  newSecret,
  parseApiKey,
  showApiKey,
} from "#shared/auth/api-key";

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const keyIds = fc.string({
  minLength: 12,
  maxLength: 32,
  unit: fc.constantFrom(..."abcdefghijklmnopqrstuvwxyz234567"),
});
/** 256 bits as base64url, whatever they are: the underscore that separates the parts is among the characters. */
const secrets = bytes(32).map((it) => Buffer.from(it).toString("base64url"));
const keys = fc.record({ keyId: keyIds, secret: secrets });

describe("an API key", () => {
  test("is read back as it was shown", () => {
    fc.assert(
      fc.property(keys, (key) => {
        expect(parseApiKey(showApiKey(key))).toEqual(key);
      }),
    );
  });

  test("has one spelling: whatever text is read is shown as the same text", () => {
    const spellings = fc.oneof(
      fc.string(),
      keys.map(showApiKey),
      fc.tuple(keys.map(showApiKey), fc.nat(70), fc.string({ maxLength: 2 })).map(([text, at, other]) => {
        return text.slice(0, at) + other + text.slice(at + 1);
      }),
    );
    fc.assert(
      fc.property(spellings, (text) => {
        const key = parseApiKey(text);
        expect(key === null || showApiKey(key) === text).toBe(true);
      }),
    );
  });

  test("with one character of its secret changed is another secret or no key", () => {
    const characters = fc.constantFrom(..."ABCZabcz019-_=+/ é");
    fc.assert(
      fc.property(keys, fc.nat(42), characters, ({ keyId, secret }, at, character) => {
        fc.pre(secret[at] !== character);
        const changed = secret.slice(0, at) + character + secret.slice(at + 1);
        const read = parseApiKey(showApiKey({ keyId, secret: changed }));
        expect(read === null || !isSameDigest(digestOf(read.secret), digestOf(secret))).toBe(true);
        // The last character has two bits that are zero: spellings that differ only there would be one secret.
        expect(read === null || !sameBits(read.secret, secret)).toBe(true);
      }),
    );
  });

  test.each([
    "",
    "slk_",
    "slk_abc_short",
    `slk_abcdefghijkl_${"A".repeat(42)}`,
    `slk_abcdefghijkl_${"A".repeat(44)}`,
    `slk_abcdefghijk_${"A".repeat(43)}`,
    `slk_${"a".repeat(33)}_${"A".repeat(43)}`,
    `slk_ABCDEFGHIJKL_${"A".repeat(43)}`,
    `slk_abcdefghijk1_${"A".repeat(43)}`,
    `SLK_abcdefghijkl_${"A".repeat(43)}`,
    `slk_abcdefghijkl_${"A".repeat(42)}B`,
    `slk_abcdefghijkl_${"A".repeat(43)}\n`,
    ` slk_abcdefghijkl_${"A".repeat(43)}`,
  ])("is not %j", (text) => {
    expect(parseApiKey(text)).toBeNull();
  });

  test("is also its two halves, each of them checked", () => {
    const [keyId, secret] = ["abcdefghijkl", "A".repeat(43)];
    expect(apiKeyOf(keyId, secret)).toEqual({ keyId, secret });
    expect(apiKeyOf("admin", secret)).toBeNull();
    expect(apiKeyOf(keyId, "password")).toBeNull();
  });

  test("that is new has an id and a secret that it is read by, and never the same again", () => {
    const made = Array.from({ length: 200 }, () => ({ keyId: newKeyId(), secret: newSecret() }));
    for (const key of made) expect(parseApiKey(showApiKey(key))).toEqual(key);
    expect(new Set(made.map((it) => it.keyId)).size).toBe(200);
    expect(new Set(made.map((it) => it.secret)).size).toBe(200);
  });
});

test("digests of different lengths are compared without an error", () => {
  expect(isSameDigest(Buffer.alloc(32), Buffer.alloc(31))).toBe(false);
});

function sameBits(one: string, other: string): boolean {
  return Buffer.from(one, "base64url").equals(Buffer.from(other, "base64url"));
}
