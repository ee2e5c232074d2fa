import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stampEnvelope, stampText } from "#shared/enqueue/stamp";
import type { JobRequest } from "#shared/envelope";

const base = { type: "receipt.render", schemaversion: 1, data: { orderId: "o-1" } };
const stamp = { tenant: "acme", source: "/keys/ci", minReaderVersion: 2, acceptedAtMs: 1_769_860_800_123 };

/** What a request may bring along that a stamp also says, and some that it does not. */
const others = fc.record(
  {
    id: fc.string({ minLength: 1, maxLength: 5 }),
    source: fc.string({ minLength: 1, maxLength: 5 }),
    specversion: fc.constant("1.0"),
    minreaderversion: fc.constantFrom(1, "x"),
    time: fc.constant("2000-01-01T00:00:00Z"),
    tenant: fc.constantFrom("other", 7),
    priority: fc.constantFrom("high", "low"),
    subject: fc.string({ maxLength: 5 }),
    colour: fc.jsonValue(),
  },
  { requiredKeys: ["id"] },
);

describe("the text of a stamped envelope", () => {
  test("is that of the envelope itself, whatever the request brought along", () => {
    fc.assert(
      fc.property(others, fc.boolean(), fc.boolean(), (more, isBefore, isDegraded) => {
        const request = (isBefore ? { ...more, ...base } : { ...base, ...more }) as JobRequest;
        const with_ = isDegraded ? { ...stamp, priority: "low" as const } : stamp;
        const { id, source, text } = stampText(request, JSON.stringify(request), with_);
        const envelope = stampEnvelope(request, with_);
        expect(text).toBe(JSON.stringify(envelope));
        expect({ id, source }).toEqual({ id: envelope.id, source: envelope.source });
      }),
    );
  });

  test("has an id of its own where the request has none: a UUID of version 7 with the time in front", () => {
    const ids = [1, 2].map(() => stampText(base, JSON.stringify(base), stamp));
    for (const { id, text } of ids) {
      // 1,769,860,800,123 is 0x19c13ec9e7b.
      expect(id).toMatch(/^019c13ec-9e7b-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(JSON.parse(text)).toEqual(stampEnvelope({ ...base, id }, stamp));
    }
    expect(ids[0]?.id).not.toBe(ids[1]?.id);
    expect(stampText(base, JSON.stringify(base), { ...stamp, acceptedAtMs: 1 }).id).toMatch(
      /^00000000-0001-7/,
    );
  });
});
