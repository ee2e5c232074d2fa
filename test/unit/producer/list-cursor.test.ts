import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cursorOf, positionOf } from "#producer/list-cursor";
import { JOB_STATES } from "#shared/job-state";

const anyFilter = fc.record({
  state: fc.constantFrom(null, ...JOB_STATES),
  type: fc.constantFrom(null, "receipt.render"),
});
const anyScore = fc.nat().map(String);
const anyMember = fc.string({ minLength: 1, maxLength: 128 });
const anyPosition = fc.record({
  after: fc.option(fc.tuple(anyScore, anyMember)),
  parts: fc.array(
    fc.record({
      queue: fc.constantFrom("shop", "bakery"),
      part: fc.nat(4),
      at: anyScore,
      members: fc.array(anyMember, { minLength: 1, maxLength: 3 }),
    }),
    { maxLength: 5 },
  ),
});

describe("a cursor", () => {
  test("gives back the position that it was made of, to the question it was made for", () => {
    fc.assert(
      fc.property(anyPosition, anyFilter, anyFilter, (position, filter, other) => {
        const text = cursorOf(position, filter);
        expect(text).toMatch(/^[A-Za-z0-9_-]+$/);
        expect(positionOf(text, filter)).toEqual(position);
        const isSame = other.state === filter.state && other.type === filter.type;
        expect(positionOf(text, other)).toEqual(isSame ? position : null);
      }),
    );
  });

  test("that somebody has changed is none, or another that is whole", () => {
    const filter = { state: null, type: null };
    fc.assert(
      fc.property(anyPosition, fc.nat(), fc.integer({ min: 33, max: 126 }), (position, place, code) => {
        const text = cursorOf(position, filter);
        const at = place % text.length;
        const changed = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
        const read = positionOf(changed, filter);
        if (read !== null) expect(cursorOf(read, filter)).toBe(changed);
      }),
    );
  });

  test.each(["", "x", "e30", "bnVsbA", Buffer.from('{"v":2}').toString("base64url"), "%%%", "🎈"])(
    "is not %j",
    (text) => {
      expect(positionOf(text, { state: null, type: null })).toBeNull();
    },
  );
});
