/**
 * Who a request comes from, and whether that caller may do what it asks.
 *
 * Pure. Why somebody is refused is for our own log: to the outside every refusal of a credential looks the
 * same, so that nobody learns from it which key ids exist.
 */
import type { Caller, Scope } from "./caller.ts";
import type { HeldKey, Presented } from "./held-key.ts";

export const ACCESS_REFUSALS = [
  "missing",
  "malformed",
  "unknown",
  "wrong-secret",
  "expired",
  "revoked",
] as const;

export type AccessRefusal = (typeof ACCESS_REFUSALS)[number];

export type AccessDecision =
  | { readonly kind: "caller"; readonly caller: Caller }
  | { readonly kind: "refused"; readonly code: AccessRefusal };

/**
 * `key`: the one that the credential names, `null` when there is none. Only who brings the right secret is
 * told apart as revoked or expired, so a log with these words names the key's holder and no guesser.
 */
export function decideAccess(presented: Presented, key: HeldKey | null, nowMs: number): AccessDecision {
  if (presented.kind === "nothing") return refused("missing");
  if (presented.kind === "malformed") return refused("malformed");
  if (key === null) return refused("unknown");
  const matching = key.secrets.filter((_secret, index) => presented.matches[index] === true);
  if (matching.length === 0) return refused("wrong-secret");
  if (key.revoked) return refused("revoked");
  const isLive = nowMs < key.expiresAtMs && matching.some((it) => nowMs < it.expiresAtMs);
  return isLive ? { kind: "caller", caller: key.caller } : refused("expired");
}

/** `admin` may do everything. */
export function mayDo({ scopes }: Pick<Caller, "scopes">, scope: Scope): boolean {
  return scopes.has(scope) || scopes.has("admin");
}

/** Whether anybody can still use the key. */
export function isUsable(key: HeldKey, nowMs: number): boolean {
  return !key.revoked && nowMs < key.expiresAtMs && key.secrets.some((it) => nowMs < it.expiresAtMs);
}

function refused(code: AccessRefusal): AccessDecision {
  return { kind: "refused", code };
}
