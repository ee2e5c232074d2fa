/** API keys for tests: made here, held in memory, no Redis. */
import { pino } from "pino";
import { digestOf, newKeyId, newSecret, showApiKey } from "#shared/auth/api-key";
import type { Scope } from "#shared/auth/caller";
import { type HeldKey, holdKey } from "#shared/auth/held-key";
import type { KeyDocument } from "#shared/auth/key-document";
import type { Authentication } from "#shared/http/authenticate";
import { FakeClock } from "./fake-clock.ts";

const MADE_AT = "2026-01-01T00:00:00.000Z";

export interface TestKey {
  readonly document: KeyDocument;
  readonly held: HeldKey;
  readonly secret: string;
  /** `slk_...`. */
  readonly text: string;
  readonly bearer: { readonly authorization: string };
  readonly basic: { readonly authorization: string };
}

/** A key of the tenant `acme` that never ends. */
export function testKey(scopes: readonly Scope[], changes: Partial<KeyDocument> = {}): TestKey {
  const [keyId, secret] = [changes.keyId ?? newKeyId(), newSecret()];
  const document: KeyDocument = {
    keyId,
    name: "ci",
    tenant: "acme",
    scopes: [...scopes],
    secrets: [storedSecret(secret)],
    createdAt: MADE_AT,
    createdBy: "ana@ops1",
    expiresAt: null,
    revokedAt: null,
    ...changes,
  };
  const text = showApiKey({ keyId, secret });
  const basic = Buffer.from(`${keyId}:${secret}`).toString("base64");
  return {
    document,
    held: holdKey(document),
    secret,
    text,
    bearer: { authorization: `Bearer ${text}` },
    basic: { authorization: `Basic ${basic}` },
  };
}

export function storedSecret(secret: string, expiresAt: string | null = null) {
  return { hash: digestOf(secret).toString("base64url"), createdAt: MADE_AT, expiresAt };
}

/** Authentication that knows these keys and no others, and keeps what it logs in `lines`. */
export function keysOnly(
  keys: readonly TestKey[],
  { clock = new FakeClock(), lines = [] as string[] } = {},
): Exclude<Authentication, "off"> {
  const find = (keyId: string) => keys.find((it) => it.held.keyId === keyId)?.held ?? null;
  const log = pino({ base: null }, { write: (line: string) => void lines.push(line) });
  return { keys: { find, lookUp: async (keyId) => find(keyId) }, clock, log };
}
