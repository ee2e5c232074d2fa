/**
 * The Idempotency-Key header: a structured-field string (draft-ietf-httpapi-idempotency-key-header-07), or the bare
 * text that most clients send.
 */
import { parseItem } from "structured-headers";
import { IdempotencyKeyInvalidError } from "../admission-errors.ts";

/** 1 to 255 visible characters of ASCII. */
const KEY_PATTERN = /^[\x21-\x7e]{1,255}$/;

/**
 * @param header as it came; `undefined` when it did not.
 * @throws {IdempotencyKeyInvalidError}
 */
export function idempotencyKeyOf(header: string | readonly string[] | undefined): string | null {
  if (header === undefined) return null;
  if (typeof header !== "string") throw new IdempotencyKeyInvalidError();
  const key = header.startsWith('"') ? unquoted(header) : header;
  if (!KEY_PATTERN.test(key)) throw new IdempotencyKeyInvalidError();
  return key;
}

function unquoted(header: string): string {
  try {
    const [value] = parseItem(header);
    if (typeof value === "string") return value;
  } catch {
    // Told below, as everything else that is no key.
  }
  throw new IdempotencyKeyInvalidError();
}
