/**
 * Who makes a request, as far as the credential says: the only source of a tenant.
 *
 * A server's authentication puts it on each request before any route runs, and each route names in its
 * `config.scope` what a caller must be allowed to do.
 */
import type {} from "fastify";

/** What a key may be allowed to do. `admin` includes all others. */
export const SCOPES = ["jobs:write", "jobs:read", "ops:read", "ops:write", "admin"] as const;

export type Scope = (typeof SCOPES)[number];

export interface Caller {
  /** `null` where authentication is off. */
  readonly keyId: string | null;
  /** What the key is called; the source of jobs that name none is `/keys/<name>`. */
  readonly name: string;
  readonly tenant: string;
  readonly scopes: ReadonlySet<Scope>;
}

/** Everybody, where authentication is off. */
export const ANYONE: Caller = {
  keyId: null,
  name: "anonymous",
  tenant: "default",
  scopes: new Set(["admin"]),
};

/** Whoever asks for a route that needs no credential. No tenant has this name. */
export const NOBODY: Caller = { keyId: null, name: "nobody", tenant: "", scopes: new Set() };

declare module "fastify" {
  interface FastifyRequest {
    caller: Caller;
  }
  interface FastifyContextConfig {
    /** What a caller must be allowed to do; a route without one needs no credential. */
    scope?: Scope;
  }
}
