import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SCOPES } from "#shared/auth/caller";
import { decideAccess, isUsable, mayDo } from "#shared/auth/decide-access";
import { presentedTo } from "#shared/auth/held-key";
import { storedSecret, testKey } from "#test/support/api-keys";

const NOW = Date.UTC(2026, 0, 31, 12);
const at = (offsetMs: number) => new Date(NOW + offsetMs).toISOString();

describe("decideAccess", () => {
  const key = testKey(["jobs:read"]);

  test("knows the caller by the right secret", () => {
    const decision = decideAccess(presentedTo(key.held, key.secret), key.held, NOW);
    expect(decision).toEqual({ kind: "caller", caller: key.held.caller });
    expect(key.held.caller).toEqual({
      keyId: key.document.keyId,
      name: "ci",
      tenant: "acme",
      scopes: new Set(["jobs:read"]),
    });
  });

  test.each([
    ["missing", decideAccess({ kind: "nothing" }, null, NOW)],
    ["malformed", decideAccess({ kind: "malformed" }, null, NOW)],
    ["unknown", decideAccess(presentedTo(null, key.secret), null, NOW)],
    ["wrong-secret", decideAccess(presentedTo(key.held, testKey(["admin"]).secret), key.held, NOW)],
  ])("refuses what is %s", (code, decision) => {
    expect(decision).toEqual({ kind: "refused", code });
  });

  test.each([
    ["a millisecond before it expires", { expiresAt: at(1) }, "caller"],
    ["at the moment it expires", { expiresAt: at(0) }, "expired"],
    ["once it is revoked", { revokedAt: at(-1) }, "revoked"],
    ["once it is revoked and expired", { revokedAt: at(-1), expiresAt: at(-1) }, "revoked"],
    ["when nobody can read when it expires", { expiresAt: "soon" }, "expired"],
  ])("judges a key %s", (_when, changes, expected) => {
    const { held, secret } = testKey(["admin"], changes);
    const decision = decideAccess(presentedTo(held, secret), held, NOW);
    expect(decision.kind === "caller" ? "caller" : decision.code).toBe(expected);
  });

  test("tells only the holder of the secret that the key is revoked", () => {
    const { held } = testKey(["admin"], { revokedAt: at(-1) });
    expect(decideAccess(presentedTo(held, key.secret), held, NOW)).toMatchObject({ code: "wrong-secret" });
  });

  test("takes both secrets of a rotation until the older one ends", () => {
    const older = testKey(["admin"]);
    const newer = testKey(["admin"], {
      keyId: older.document.keyId,
      secrets: [storedSecret("newer"), storedSecret(older.secret, at(1_000))],
    });
    const judge = (secret: string, nowMs: number) =>
      decideAccess(presentedTo(newer.held, secret), newer.held, nowMs);
    expect(judge("newer", NOW).kind).toBe("caller");
    expect(judge(older.secret, NOW + 999).kind).toBe("caller");
    expect(judge(older.secret, NOW + 1_000)).toEqual({ kind: "refused", code: "expired" });
    expect(judge("newer", NOW + 1_000).kind).toBe("caller");
  });

  test("lets nobody in by a secret that the key does not have", () => {
    fc.assert(
      fc.property(fc.string(), (secret) => {
        fc.pre(secret !== key.secret);
        expect(decideAccess(presentedTo(key.held, secret), key.held, NOW).kind).toBe("refused");
      }),
    );
  });
});

describe("mayDo", () => {
  test("is yes for the scopes of the key and for no others", () => {
    for (const held of SCOPES) {
      for (const scope of SCOPES) {
        const expected = held === scope || held === "admin";
        expect([held, scope, mayDo({ scopes: new Set([held]) }, scope)]).toEqual([held, scope, expected]);
      }
    }
  });
});

describe("isUsable", () => {
  test("is no for a key that is revoked, expired, or whose every secret is", () => {
    expect(isUsable(testKey(["admin"]).held, NOW)).toBe(true);
    expect(isUsable(testKey(["admin"], { revokedAt: at(-1) }).held, NOW)).toBe(false);
    expect(isUsable(testKey(["admin"], { expiresAt: at(0) }).held, NOW)).toBe(false);
    expect(isUsable(testKey(["admin"], { secrets: [storedSecret("s", at(0))] }).held, NOW)).toBe(false);
  });
});
