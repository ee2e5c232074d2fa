import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { revokeKey, rotateKey } from "#shared/auth/decide-key-change";
import { keyDocument, SECRETS_MAX } from "#shared/auth/key-document";
import { storedSecret, testKey } from "#test/support/api-keys";

const NOW = "2026-01-31T12:00:00.000Z";
const LATER = "2026-02-01T12:00:00.000Z";
const hash = storedSecret("new").hash;

describe("rotateKey", () => {
  test("puts a new secret first and ends the one before with the overlap", () => {
    const { document } = testKey(["admin"]);
    const change = rotateKey(document, { hash, now: NOW, overlapUntil: LATER });
    expect(change).toEqual({
      kind: "changed",
      document: {
        ...document,
        secrets: [
          { hash, createdAt: NOW, expiresAt: null },
          { ...document.secrets[0], expiresAt: LATER },
        ],
      },
    });
  });

  test("does not let a secret live longer than it was to live", () => {
    const sooner = "2026-01-31T12:00:01.000Z";
    const { document } = testKey(["admin"], { secrets: [storedSecret("old", sooner)] });
    const change = rotateKey(document, { hash, now: NOW, overlapUntil: LATER });
    expect(change).toMatchObject({ document: { secrets: [{ hash }, { expiresAt: sooner }] } });
  });

  test("never leaves more than two secrets, however often, and gives a document that can be stored", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), (rotations) => {
        let { document } = testKey(["admin"]);
        for (let n = 0; n < rotations; n += 1) {
          const change = rotateKey(document, { hash, now: NOW, overlapUntil: LATER });
          if (change.kind !== "changed") throw new Error(change.kind);
          ({ document } = change);
        }
        expect(document.secrets).toHaveLength(SECRETS_MAX);
        expect(document.secrets.filter((it) => it.expiresAt === null)).toHaveLength(1);
        expect(keyDocument.safeParse(document).success).toBe(true);
      }),
    );
  });

  test.each([
    ["revoked", { revokedAt: NOW }, "key-revoked"],
    ["expired", { expiresAt: NOW }, "key-expired"],
  ])("gives a key that is %s no new life", (_state, changes, code) => {
    const { document } = testKey(["admin"], changes);
    expect(rotateKey(document, { hash, now: NOW, overlapUntil: LATER })).toEqual({ kind: "refused", code });
  });
});

describe("revokeKey", () => {
  test("says when, once", () => {
    const { document } = testKey(["admin"]);
    const change = revokeKey(document, NOW);
    expect(change).toEqual({ kind: "changed", document: { ...document, revokedAt: NOW } });
    if (change.kind === "changed") expect(revokeKey(change.document, LATER)).toEqual({ kind: "unchanged" });
  });
});

describe("a stored key", () => {
  test("keeps what a newer version of Sluice adds", () => {
    const stored = { ...testKey(["admin"]).document, colour: "blue" };
    expect(keyDocument.parse(stored)).toEqual(stored);
  });

  test.each([
    ["tenant", "Acme"],
    ["tenant", ""],
    ["tenant", "1acme"],
    ["tenant", "a".repeat(64)],
    ["tenant", "a:b"],
    ["name", "with space"],
    ["name", ""],
    ["name", "a/b"],
    ["scopes", []],
    ["scopes", ["jobs:delete"]],
    ["keyId", "short"],
    ["secrets", []],
    ["secrets", [storedSecret("a"), storedSecret("b"), storedSecret("c")]],
    ["secrets", [{ ...storedSecret("a"), hash: "x" }]],
    ["expiresAt", "tomorrow"],
  ])("is none with the %s %j", (field, value) => {
    expect(keyDocument.safeParse({ ...testKey(["admin"]).document, [field]: value }).success).toBe(false);
  });
});
