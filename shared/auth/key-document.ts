/**
 * A key as it is stored: whose it is, what it may do, and digests of its secrets. Never a secret.
 *
 * Fields that a newer version adds are kept by older ones when they change a key, so two versions of Sluice
 * can share the keys of one Redis.
 */
import { z } from "zod";
import { isKeyId } from "./api-key.ts";
import { SCOPES } from "./caller.ts";

/** A new secret and the one before it, while a rotation is under way. */
export const SECRETS_MAX = 2;

export const TENANT_PATTERN = /^[a-z][a-z0-9-]{0,62}$/;

/** Part of the source of jobs, `/keys/<name>`: no character of it needs escaping there. */
export const KEY_NAME_PATTERN = /^[a-z0-9][a-z0-9._-]{0,62}$/;

const instant = z.iso.datetime();

export const tenantName = z
  .string()
  .regex(TENANT_PATTERN, "must be 1 to 63 lower-case letters, digits and dashes, with a letter first");

export const keyName = z
  .string()
  .regex(
    KEY_NAME_PATTERN,
    "must be 1 to 63 lower-case letters, digits, dots, dashes and underscores, with a letter or digit first",
  );

export const keyScopes = z
  .array(z.enum(SCOPES))
  .min(1)
  .transform((scopes) => [...new Set(scopes)]);

const storedSecret = z.looseObject({
  /** sha256 of the secret, base64url. */
  hash: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  createdAt: instant,
  /** From when on it is no longer accepted; `null` while it is the key's own. */
  expiresAt: instant.nullable(),
});

export const keyDocument = z.looseObject({
  keyId: z.string().refine(isKeyId, "must be a key id"),
  name: keyName,
  tenant: tenantName,
  scopes: keyScopes,
  /** Newest first. */
  secrets: z.array(storedSecret).min(1).max(SECRETS_MAX),
  createdAt: instant,
  /** Who made it, for people. */
  createdBy: z.string(),
  /** From when on none of its secrets is accepted; `null`: it does not end by itself. */
  expiresAt: instant.nullable(),
  revokedAt: instant.nullable(),
});

export type KeyDocument = Readonly<z.output<typeof keyDocument>>;
export type StoredSecret = Readonly<z.output<typeof storedSecret>>;
