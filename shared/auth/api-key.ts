/**
 * An API key as text: `slk_<key id>_<secret>`.
 *
 * The id is public: it names the key in logs and lists. The secret is 256 random bits, shown once when it
 * is made; what is kept of it is a sha256, which is enough for a secret that nobody can guess. There is
 * one spelling of each key, so a changed character is another key and never the same one.
 */
import { hash, randomBytes, timingSafeEqual } from "node:crypto";

/** RFC 4648 in lower case. */
const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";

/** 80 bits: two keys of a fleet never share an id by accident. */
const KEY_ID_CHARS = 16;
const SECRET_BYTES = 32;

const KEY_ID = "[a-z2-7]{12,32}";
/** 43 base64url characters; the last has four bits of the 256 and two that are zero. */
const SECRET = "[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]";

const API_KEY_PATTERN = new RegExp(`^slk_(${KEY_ID})_(${SECRET})$`);
const KEY_ID_PATTERN = new RegExp(`^${KEY_ID}$`);
const SECRET_PATTERN = new RegExp(`^${SECRET}$`);

export interface ApiKey {
  readonly keyId: string;
  readonly secret: string;
}

/** A name for a new key. */
export function newKeyId(): string {
  // 32 divides 256, so every character is as likely as every other.
  return Array.from(randomBytes(KEY_ID_CHARS), (byte) => BASE32[byte & 31]).join("");
}

export function newSecret(): string {
  return randomBytes(SECRET_BYTES).toString("base64url");
}

/** `null` when the text is no API key. */
export function parseApiKey(text: string): ApiKey | null {
  const [, keyId, secret] = API_KEY_PATTERN.exec(text) ?? [];
  return keyId === undefined || secret === undefined ? null : { keyId, secret };
}

/** The two halves of a key, as Basic authentication has them; `null` when either is none. */
export function apiKeyOf(keyId: string, secret: string): ApiKey | null {
  return KEY_ID_PATTERN.test(keyId) && SECRET_PATTERN.test(secret) ? { keyId, secret } : null;
}

export function isKeyId(text: string): boolean {
  return KEY_ID_PATTERN.test(text);
}

export function showApiKey({ keyId, secret }: ApiKey): string {
  return `slk_${keyId}_${secret}`;
}

/** What is kept of a secret: 32 bytes. */
export function digestOf(secret: string): Buffer {
  return hash("sha256", secret, "buffer");
}

/** The time it takes says nothing about where two digests differ. */
export function isSameDigest(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
