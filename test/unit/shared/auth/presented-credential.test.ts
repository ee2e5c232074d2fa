import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { apiKeyIn } from "#shared/http/presented-credential";
import { testKey } from "#test/support/api-keys";

const key = testKey(["admin"]);
const { keyId } = key.document;
const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;

describe("an Authorization header", () => {
  test.each([`Bearer ${key.text}`, `bearer ${key.text}`, `BEARER   ${key.text} `])(
    "is a key in the form %#, with Basic or without",
    (header) => {
      expect(apiKeyIn(header, false)).toEqual({ keyId, secret: key.secret });
      expect(apiKeyIn(header, true)).toEqual({ keyId, secret: key.secret });
    },
  );

  test("is a key as Basic only where a browser is expected", () => {
    expect(apiKeyIn(key.basic.authorization, true)).toEqual({ keyId, secret: key.secret });
    expect(apiKeyIn(key.basic.authorization, false)).toBeNull();
  });

  test.each([
    "",
    "Bearer",
    "Bearer ",
    key.text,
    `Token ${key.text}`,
    `Bearer ${key.text}, Bearer ${key.text}`,
    `Bearer ${key.secret}`,
    basic(key.text),
    basic(`${keyId}:`),
    basic(`:${key.secret}`),
    basic(`${keyId}:${key.secret}:`),
    "Basic !!!",
    `Bearer ${key.text}${" ".repeat(300)}`,
  ])("is none in the form %#", (header) => {
    expect(apiKeyIn(header, true)).toBeNull();
  });

  test("of any text is a key or none, and never an error", () => {
    const prefixes = fc.constantFrom("", "Bearer ", "Basic ", "bearer slk_");
    fc.assert(
      fc.property(prefixes, fc.string({ unit: "binary" }), (prefix, text) => {
        expect(apiKeyIn(prefix + text, true)).toBeNull();
      }),
    );
  });
});
