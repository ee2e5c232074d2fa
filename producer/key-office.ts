/**
 * Makes, lists, rotates and revokes API keys, and records each of these acts.
 *
 * A secret is made here and leaves in the answer, once; what is stored, recorded and listed is never one.
 */
import { z } from "zod";
import { digestOf, newKeyId, newSecret, parseApiKey, showApiKey } from "#shared/auth/api-key";
import { type KeyChange, revokeKey, rotateKey } from "#shared/auth/decide-key-change";
import {
  type KeyDocument,
  keyDocument,
  keyName,
  keyScopes,
  type StoredSecret,
  tenantName,
} from "#shared/auth/key-document";
import type { Clock } from "#shared/clock";
import type { AuditAct, AuditStore } from "#shared/redis/audit-store";
import { KEYS_MAX, type KeyStore } from "#shared/redis/key-store";
import { toRfc3339 } from "#shared/system-clock";

/** Ten years: a key that shall live for ever is asked for as one. */
const LIFETIME_MS_MAX = 10 * 366 * 86_400_000;

const keyId = keyDocument.shape.keyId;

const actor = { by: z.string().min(1).max(128) };

export const keysRequest = z.discriminatedUnion("act", [
  z.strictObject({
    act: z.literal("create"),
    name: keyName,
    tenant: tenantName,
    scopes: keyScopes,
    /** `null`: it does not end by itself. */
    lifetimeMs: z.int().min(1).max(LIFETIME_MS_MAX).nullable(),
    ...actor,
  }),
  z.strictObject({
    /** Takes a key that was made elsewhere, for a stack whose secrets are there before its Redis. */
    act: z.literal("import"),
    apiKey: z.string().refine((text) => parseApiKey(text) !== null, "must be an API key"),
    name: keyName,
    tenant: tenantName,
    scopes: keyScopes,
    ...actor,
  }),
  z.strictObject({ act: z.literal("list") }),
  z.strictObject({
    act: z.literal("rotate"),
    keyId,
    overlapMs: z.int().min(0).max(LIFETIME_MS_MAX),
    ...actor,
  }),
  z.strictObject({ act: z.literal("revoke"), keyId, ...actor }),
]);

export type KeysRequest = Readonly<z.output<typeof keysRequest>>;

/** A key without its digests. */
export interface KeyView {
  readonly keyId: string;
  readonly name: string;
  readonly tenant: string;
  readonly scopes: readonly string[];
  readonly createdAt: string;
  readonly createdBy: string;
  readonly expiresAt: string | null;
  readonly revokedAt: string | null;
  /** Newest first; `expiresAt`: `null` of the key's own, else until when the one before it is taken. */
  readonly secrets: readonly { readonly createdAt: string; readonly expiresAt: string | null }[];
}

export type KeysAnswer =
  | { readonly kind: "keys"; readonly keys: readonly KeyView[] }
  /** `apiKey`: the whole key, never to be had again. */
  | { readonly kind: "created" | "rotated"; readonly key: KeyView; readonly apiKey: string }
  | { readonly kind: "revoked"; readonly key: KeyView }
  /** `isNew`: it was not there before; one that is there stays as it is, revoked ones too. */
  | { readonly kind: "imported"; readonly keyId: string; readonly isNew: boolean }
  | { readonly kind: "refused"; readonly code: string; readonly message: string };

/** Does what is asked, and records it. */
export class KeyOffice {
  readonly #store: KeyStore;
  readonly #audit: Pick<AuditStore, "record">;
  readonly #clock: Clock;

  constructor(store: KeyStore, audit: Pick<AuditStore, "record">, clock: Clock) {
    this.#store = store;
    this.#audit = audit;
    this.#clock = clock;
  }

  async answer(request: KeysRequest): Promise<KeysAnswer> {
    switch (request.act) {
      case "list":
        return { kind: "keys", keys: (await this.#store.list()).map(viewOf) };
      case "create":
        return this.#create(request);
      case "import":
        return this.#import(request);
      case "rotate":
        return this.#rotate(request);
      case "revoke":
        return this.#revoke(request);
    }
  }

  async #create(request: Extract<KeysRequest, { act: "create" }>): Promise<KeysAnswer> {
    const { name, tenant, scopes, by } = request;
    const [newId, secret, nowMs] = [newKeyId(), newSecret(), this.#clock.nowMs()];
    const document: KeyDocument = {
      keyId: newId,
      name,
      tenant,
      scopes,
      secrets: [storedSecret(secret, toRfc3339(nowMs))],
      createdAt: toRfc3339(nowMs),
      createdBy: by,
      expiresAt: request.lifetimeMs === null ? null : toRfc3339(nowMs + request.lifetimeMs),
      revokedAt: null,
    };
    const written = await this.#store.create(document);
    if (written !== "written") return tooManyKeys();
    const { expiresAt } = document;
    await this.#record(by, {
      action: "key.create",
      target: newId,
      after: { name, tenant, scopes, expiresAt },
    });
    const apiKey = showApiKey({ keyId: newId, secret });
    return { kind: "created", key: viewOf(document), apiKey };
  }

  async #import(request: Extract<KeysRequest, { act: "import" }>): Promise<KeysAnswer> {
    const { name, tenant, scopes, by } = request;
    const { keyId: id = "", secret = "" } = parseApiKey(request.apiKey) ?? {};
    const now = toRfc3339(this.#clock.nowMs());
    const known = (await this.#store.list()).some((it) => it.keyId === id);
    if (known) return { kind: "imported", keyId: id, isNew: false };
    const facts = { keyId: id, name, tenant, scopes, createdAt: now, createdBy: by };
    const secrets = [storedSecret(secret, now)];
    const written = await this.#store.create({ ...facts, secrets, expiresAt: null, revokedAt: null });
    if (written !== "written") return tooManyKeys();
    await this.#record(by, {
      action: "key.create",
      target: id,
      after: { name, tenant, scopes, expiresAt: null },
    });
    return { kind: "imported", keyId: id, isNew: true };
  }

  async #rotate(request: Extract<KeysRequest, { act: "rotate" }>): Promise<KeysAnswer> {
    const [secret, nowMs] = [newSecret(), this.#clock.nowMs()];
    const now = toRfc3339(nowMs);
    const { hash } = storedSecret(secret, now);
    const overlapUntil = toRfc3339(nowMs + request.overlapMs);
    const end = await this.#change(request.keyId, (it) => rotateKey(it, { hash, now, overlapUntil }));
    if (end.kind === "refused") return end;
    await this.#record(request.by, {
      action: "key.rotate",
      target: request.keyId,
      after: { overlapUntil },
    });
    return { kind: "rotated", key: end.key, apiKey: showApiKey({ keyId: request.keyId, secret }) };
  }

  async #revoke({ keyId: id, by }: Extract<KeysRequest, { act: "revoke" }>): Promise<KeysAnswer> {
    const now = toRfc3339(this.#clock.nowMs());
    const end = await this.#change(id, (it) => revokeKey(it, now));
    if (end.kind === "refused") return end;
    await this.#record(by, { action: "key.revoke", target: id, after: { revokedAt: end.key.revokedAt } });
    return { kind: "revoked", key: end.key };
  }

  async #change(
    id: string,
    decide: (document: KeyDocument) => KeyChange,
  ): Promise<{ readonly kind: "changed"; readonly key: KeyView } | Extract<KeysAnswer, { kind: "refused" }>> {
    let end: KeyChange = { kind: "unchanged" };
    let found: KeyDocument | null = null;
    await this.#store.change(id, (document) => {
      end = decide(document);
      found = end.kind === "changed" ? end.document : document;
      return found;
    });
    return ended(id, end, found);
  }

  async #record(by: string, act: Pick<AuditAct, "action" | "target" | "after">): Promise<void> {
    const actor = { keyId: null, name: by, tenant: "default", requestId: null };
    await this.#audit.record({ ...actor, ...act, outcome: "done" });
  }
}

function ended(id: string, end: KeyChange, found: KeyDocument | null) {
  const refused = (code: string, message: string) => ({ kind: "refused", code, message }) as const;
  if (found === null) return refused("KEY_NOT_FOUND", `There is no key ${id}.`);
  if (end.kind !== "refused") return { kind: "changed", key: viewOf(found) } as const;
  const state = end.code === "key-revoked" ? "revoked" : "expired";
  return refused(end.code === "key-revoked" ? "KEY_REVOKED" : "KEY_EXPIRED", `The key ${id} is ${state}.`);
}

function storedSecret(secret: string, createdAt: string): StoredSecret {
  return { hash: digestOf(secret).toString("base64url"), createdAt, expiresAt: null };
}

function viewOf({ secrets, ...document }: KeyDocument): KeyView {
  const { keyId: id, name, tenant, scopes, createdAt, createdBy, expiresAt, revokedAt } = document;
  return {
    keyId: id,
    name,
    tenant,
    scopes,
    createdAt,
    createdBy,
    expiresAt,
    revokedAt,
    secrets: secrets.map((it) => ({ createdAt: it.createdAt, expiresAt: it.expiresAt })),
  };
}

function tooManyKeys(): KeysAnswer {
  const message = `There are ${KEYS_MAX} keys, which is as many as there may be.`;
  return { kind: "refused", code: "TOO_MANY_KEYS", message };
}
