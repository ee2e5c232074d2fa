import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dedupHash, type Remembering, rememberedBy } from "#shared/enqueue/idempotency";
import { parsePlainRequest } from "#shared/envelope";
import { jobIdOf } from "#shared/job-id";

const request = { type: "receipt.render", schemaversion: 1, data: { orderId: "o-1" } };

function remember({
  tenant = "acme",
  idempotencyKey = null,
  request: asked = request,
}: Partial<Remembering>) {
  const { id = "made-up", source = "/keys/ci" } = asked;
  const jobId = jobIdOf({ queue: "shop", tenant, source, id });
  return rememberedBy({ tenant, idempotencyKey, jobId, request: asked });
}

describe("what a job is remembered by", () => {
  test("is its key and then its own id, where it has them", () => {
    const both = remember({ idempotencyKey: "k", request: { ...request, id: "1" } });
    expect(both.records).toEqual([
      expect.stringMatching(/^key:[\w-]{22}$/),
      expect.stringMatching(/^id:[a-z2-7]{52}$/),
    ]);
    expect(remember({ idempotencyKey: "k" }).records).toHaveLength(1);
    expect(remember({ request: { ...request, id: "1" } }).records).toEqual([both.records[1]]);
    expect(remember({})).toEqual({ records: [], fingerprint: "-" });
  });

  test("is never that of another tenant, key, source or id", () => {
    const text = fc.string({ minLength: 1, maxLength: 6 });
    const triple = fc.record({ tenant: text, key: text, source: text, id: text });
    fc.assert(
      fc.property(triple, triple, (one, two) => {
        const recordsOf = ({ tenant, key, source, id }: typeof one) =>
          remember({ tenant, idempotencyKey: key, request: { ...request, source, id } }).records;
        const [[keyOne, idOne], [keyTwo, idTwo]] = [recordsOf(one), recordsOf(two)];
        expect(keyOne === keyTwo).toBe(one.tenant === two.tenant && one.key === two.key);
        expect(idOne === idTwo).toBe(
          one.tenant === two.tenant && one.source === two.source && one.id === two.id,
        );
      }),
    );
  });

  test("is the same id whichever queue its type is on by now", () => {
    const parts = { tenant: "acme", source: "/shop", id: "1" };
    const ids = ["shop", "mail"].map((queue) => jobIdOf({ queue, ...parts }));
    const asked = { ...request, id: "1", source: "/shop" };
    const [one, two] = ids.map((jobId) =>
      rememberedBy({ tenant: "acme", idempotencyKey: null, jobId, request: asked }),
    );
    expect(one).toEqual(two);
  });

  test("has the fingerprint of what was asked for, whatever the order of its attributes", () => {
    const fingerprintOf = (body: unknown) =>
      remember({ idempotencyKey: "k", request: parsePlainRequest(body) }).fingerprint;
    const { type, schemaversion, data } = request;
    expect(fingerprintOf({ data, schemaversion, type })).toBe(fingerprintOf(request));
    for (const other of [
      { ...request, data: { orderId: "o-2" } },
      { ...request, priority: "low" },
      { ...request, scheduledtime: "2026-02-01T00:00:00Z" },
      { ...request, schemaversion: 2 },
    ]) {
      expect(fingerprintOf(other)).not.toBe(fingerprintOf(request));
    }
  });

  test("has nothing in it that would part it in Redis", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (key) => {
        const { records, fingerprint } = remember({ idempotencyKey: key, request: { ...request, id: key } });
        for (const text of [...records, fingerprint]) expect(text).toMatch(/^[\w:-]+$/);
      }),
    );
  });
});

describe("what jobs with a dedup key are found by", () => {
  test("differs between tenants, types and keys", () => {
    const hashes = [
      dedupHash("acme", "receipt.render", "k"),
      dedupHash("other", "receipt.render", "k"),
      dedupHash("acme", "receipt.send", "k"),
      dedupHash("acme", "receipt.render", "k2"),
      // Put together they would read the same.
      dedupHash("acmereceipt.render", "", "k"),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
  });
});
