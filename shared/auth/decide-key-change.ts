/**
 * What a key is after it was rotated or revoked.
 *
 * Pure; times are RFC 3339 in UTC with milliseconds, so their texts compare as they do.
 */
import type { KeyDocument } from "./key-document.ts";

export type KeyRefusal = "key-revoked" | "key-expired";

export type KeyChange =
  | { readonly kind: "changed"; readonly document: KeyDocument }
  | { readonly kind: "unchanged" }
  | { readonly kind: "refused"; readonly code: KeyRefusal };

export interface Rotation {
  /** sha256 of the new secret, base64url. */
  readonly hash: string;
  readonly now: string;
  /** Until when the secret before it is accepted as well. */
  readonly overlapUntil: string;
}

/**
 * Gives the key a new secret. The one that was the key's own lives on until `overlapUntil`, or shorter when
 * it was to end before; an older one, left from an earlier rotation, ends at once: at most two are ever live.
 */
export function rotateKey(document: KeyDocument, { hash, now, overlapUntil }: Rotation): KeyChange {
  if (document.revokedAt !== null) return { kind: "refused", code: "key-revoked" };
  if (document.expiresAt !== null && document.expiresAt <= now)
    return { kind: "refused", code: "key-expired" };
  const before = document.secrets.slice(0, 1).map((it) => ({
    ...it,
    expiresAt: it.expiresAt !== null && it.expiresAt < overlapUntil ? it.expiresAt : overlapUntil,
  }));
  const secrets = [{ hash, createdAt: now, expiresAt: null }, ...before];
  return { kind: "changed", document: { ...document, secrets } };
}

/** Revoking is for ever; a key that is revoked stays as it was revoked first. */
export function revokeKey(document: KeyDocument, now: string): KeyChange {
  if (document.revokedAt !== null) return { kind: "unchanged" };
  return { kind: "changed", document: { ...document, revokedAt: now } };
}
