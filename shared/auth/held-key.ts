/** A stored key made ready for requests: everything that can be worked out once is. */
import { fromRfc3339 } from "../system-clock.ts";
import { digestOf, isSameDigest } from "./api-key.ts";
import type { Caller } from "./caller.ts";
import type { KeyDocument } from "./key-document.ts";

/** What a request brought along. */
export type Presented =
  | { readonly kind: "nothing" }
  | { readonly kind: "malformed" }
  /** `matches`: for each secret of the key, in order, whether it is the one that was brought. */
  | { readonly kind: "key"; readonly matches: readonly boolean[] };

export interface HeldKey {
  readonly keyId: string;
  /** The same object for every request of this key. */
  readonly caller: Caller;
  readonly secrets: readonly HeldSecret[];
  /** Milliseconds since the epoch; infinite when it does not end by itself. */
  readonly expiresAtMs: number;
  readonly revoked: boolean;
}

interface HeldSecret {
  readonly digest: Buffer;
  /** Milliseconds since the epoch; infinite while it is the key's own. */
  readonly expiresAtMs: number;
}

export function holdKey({ keyId, name, tenant, scopes, ...rest }: KeyDocument): HeldKey {
  return {
    keyId,
    caller: { keyId, name, tenant, scopes: new Set(scopes) },
    secrets: rest.secrets.map((it) => ({
      digest: Buffer.from(it.hash, "base64url"),
      expiresAtMs: endOf(it.expiresAt),
    })),
    expiresAtMs: endOf(rest.expiresAt),
    revoked: rest.revokedAt !== null,
  };
}

/** Which of the key's secrets this one is; compares with each of them, whatever it finds. */
export function presentedTo(key: HeldKey | null, secret: string): Presented {
  const digest = digestOf(secret);
  return { kind: "key", matches: (key?.secrets ?? []).map((it) => isSameDigest(it.digest, digest)) };
}

/** A time that cannot be read ends a key at once: it must not live for ever by a typing error. */
function endOf(time: string | null): number {
  return time === null ? Number.POSITIVE_INFINITY : (fromRfc3339(time) ?? 0);
}
