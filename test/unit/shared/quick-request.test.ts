import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkPlainRequest, clientAttributes } from "#shared/envelope";
import { quickRequest, TEXT_CHARS_MAX } from "#shared/quick-request";

const plain = { type: "receipt.render", schemaversion: 1, data: { orderId: "o-1" } };

/** What a client may well send. */
const right = fc.record(
  {
    type: fc.constantFrom("receipt.render", "a.b-c"),
    schemaversion: fc.constantFrom(1, 2, 2 ** 31 - 1),
    data: fc.dictionary(fc.string({ maxLength: 3 }), fc.jsonValue()),
    id: fc.constantFrom("a", "x".repeat(256)),
    source: fc.constantFrom("/shop", "x".repeat(512)),
    subject: fc.constant("order"),
    partitionkey: fc.constant("p"),
    dedupkey: fc.constant("d"),
    priority: fc.constantFrom("critical", "high", "normal", "low"),
  },
  { requiredKeys: ["type", "schemaversion", "data"] },
);

/** What makes it wrong, or one for the schema to judge. */
const change = fc.constantFrom<Record<string, unknown>>(
  {},
  {},
  ...["receipt", "Receipt.Render", `a.${"b".repeat(127)}`, "", 7].map((type) => ({ type })),
  ...[0, 1.5, 2 ** 31, "1", null].map((schemaversion) => ({ schemaversion })),
  ...[null, [], "x"].map((data) => ({ data })),
  ...["", "x".repeat(257), null, 7].map((id) => ({ id })),
  ...["", "x".repeat(513), {}].map((source) => ({ source })),
  ...["", "x".repeat(257)].flatMap((text) => [{ subject: text }, { partitionkey: text }, { dedupkey: text }]),
  ...["urgent", 1].map((priority) => ({ priority })),
  ...["subject", "data", ""].map((crit) => ({ crit })),
  ...["2026-01-31T12:00:00Z", "soon"].map((scheduledtime) => ({ scheduledtime })),
  { attempts: 1 },
  { colour: "red" },
);

describe("a request that is taken at a glance", () => {
  test("is taken by the schema too, and as the same: attribute for attribute, in one order", () => {
    const seen = { taken: 0, left: 0 };
    fc.assert(
      fc.property(right, change, fc.boolean(), (request, changed, isBackwards) => {
        const entries = Object.entries({ ...request, ...changed });
        const value: unknown = Object.fromEntries(isBackwards ? entries.reverse() : entries);
        const quick = quickRequest(value);
        seen[quick === null ? "left" : "taken"] += 1;
        if (quick !== null) expect(JSON.stringify(quick)).toBe(JSON.stringify(checkPlainRequest(value)));
      }),
      { numRuns: 2_000 },
    );
    // 2 of the 35 changes change nothing; both ways must have been taken often for the test to say anything.
    expect(seen.taken).toBeGreaterThan(30);
    expect(seen.left).toBeGreaterThan(30);
  });

  test("is the one that most clients send, with its own id, source, keys and priority", () => {
    const whole = {
      ...plain,
      id: "order-1",
      source: "/shop",
      subject: "order",
      partitionkey: "p",
      dedupkey: "d",
      priority: "low",
    };
    expect(quickRequest(plain)).toEqual(plain);
    expect(quickRequest(whole)).toEqual(whole);
  });

  test.each([
    ["text", "{}"],
    ["null", null],
    ["a list", []],
    ["one with an attribute that it does not know", { ...plain, colour: "red" }],
    [
      "one with an attribute that needs more than a glance",
      { ...plain, scheduledtime: "2026-01-31T12:00:00Z" },
    ],
    ["one without data", { type: "receipt.render", schemaversion: 1 }],
  ])("is not %s", (_what, value) => {
    expect(quickRequest(value)).toBeNull();
  });

  test("has the bounds that the schema has", () => {
    for (const [name, charsMax] of Object.entries(TEXT_CHARS_MAX)) {
      const schema = clientAttributes[name as keyof typeof TEXT_CHARS_MAX];
      expect(schema.safeParse("x".repeat(charsMax)).success).toBe(true);
      expect(schema.safeParse("x".repeat(charsMax + 1)).success).toBe(false);
    }
  });
});
