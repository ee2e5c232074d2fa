/** Who is let in when a process has as many requests as it can bear, and how it learns how many that are. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decideLimit, decideOverload, LIMIT_MAX, LIMIT_MIN } from "#producer/decide-overload";
import { PRIORITIES } from "#shared/envelope";

const calm = { latencyMs: 5, loopDelayMs: 1, heldMax: 10 };

describe("the limit", () => {
  test("falls by a fifth when requests take too long, or when the event loop is late", () => {
    // 500 less a fifth.
    expect(decideLimit(500, { ...calm, latencyMs: 61 })).toBe(400);
    expect(decideLimit(500, { ...calm, loopDelayMs: 21 })).toBe(400);
  });

  test("rises by a step only when there was demand for more", () => {
    expect(decideLimit(100, { ...calm, heldMax: 79 })).toBe(100);
    expect(decideLimit(100, { ...calm, heldMax: 80 })).toBe(116);
  });

  test("stays between its bounds whatever happens", () => {
    const load = fc.record({
      latencyMs: fc.option(fc.double({ min: 0, max: 60_000, noNaN: true })),
      loopDelayMs: fc.double({ min: 0, max: 10_000, noNaN: true }),
      heldMax: fc.nat(5_000),
    });
    fc.assert(
      fc.property(fc.array(load, { maxLength: 200 }), (loads) => {
        let limit = 256;
        for (const it of loads) {
          limit = decideLimit(limit, it);
          expect(limit).toBeGreaterThanOrEqual(LIMIT_MIN);
          expect(limit).toBeLessThanOrEqual(LIMIT_MAX);
        }
      }),
    );
  });

  test("settles where a process that bears 300 at once answers in time", () => {
    // Up to 300 at once take 30 ms; each one more makes all of them 0.6 ms slower.
    let limit = 256;
    const seen: number[] = [];
    for (let look = 0; look < 200; look += 1) {
      const latencyMs = 30 + Math.max(0, limit - 300) * 0.6;
      limit = decideLimit(limit, { latencyMs, loopDelayMs: 1, heldMax: limit });
      if (look >= 50) seen.push(limit);
    }
    // 60 ms are reached at 350: one step above is cut by a fifth, to at least 280.
    expect(Math.max(...seen)).toBeLessThanOrEqual(366);
    expect(Math.min(...seen)).toBeGreaterThanOrEqual(280);
  });
});

const near = { limit: 100, held: 60, heldByTenant: 10, tenants: 2, priority: "normal" } as const;

describe("a request", () => {
  test("of a lower priority is never let in where one of a higher is not", () => {
    fc.assert(
      fc.property(
        fc.nat(200),
        fc.nat(200),
        fc.integer({ min: 1, max: 20 }),
        (held, heldByTenant, tenants) => {
          const isIn = PRIORITIES.map(
            (priority) => decideOverload({ limit: 100, held, heldByTenant, tenants, priority }) === null,
          );
          // Most important first: once one is refused, so are all after it.
          expect(isIn).toEqual([...isIn].sort((a, b) => Number(b) - Number(a)));
        },
      ),
    );
  });

  test("that can wait is refused at half the limit, a critical one at the limit", () => {
    expect(decideOverload({ ...near, held: 50, priority: "low" })).toBe("limit");
    expect(decideOverload({ ...near, held: 49, priority: "low" })).toBe(null);
    expect(decideOverload({ ...near, held: 99, priority: "critical" })).toBe(null);
    expect(decideOverload({ ...near, held: 100, priority: "critical" })).toBe("limit");
  });

  test("of a tenant that has its part is refused near the limit, and not far from it", () => {
    // Two tenants: 50 of 100 each.
    expect(decideOverload({ ...near, heldByTenant: 50 })).toBe("share");
    expect(decideOverload({ ...near, heldByTenant: 49 })).toBe(null);
    expect(decideOverload({ ...near, held: 49, heldByTenant: 49 })).toBe(null);
  });

  test("of a quiet tenant is let in however many a noisy one sends", () => {
    // The noisy one is stopped at its part, half of the limit, which leaves the quiet one the rest.
    let noisy = 0;
    while (decideOverload({ ...near, held: noisy + 1, heldByTenant: noisy }) === null) noisy += 1;
    expect(decideOverload({ ...near, held: noisy + 1, heldByTenant: 1 })).toBe(null);
  });
});
