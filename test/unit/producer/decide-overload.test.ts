/** How many requests are served at once, how the process learns that, and who may wait for how long. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  BURST_REQUESTS,
  BURST_WAIT_MS_MAX,
  begunATurnMax,
  decideLimit,
  decideWait,
  isMostlyRefused,
  LIMIT_AT_START,
  LIMIT_MAX,
  LIMIT_MIN,
  mayBegin,
  unreadMsMax,
  WAIT_MS_MAX,
  WAITING_MAX,
  type WaitFacts,
} from "#producer/decide-overload";
import { PRIORITIES, type Priority } from "#shared/envelope";

const calm = { latencyMs: 5, loopDelayMs: 1, heldMax: 10 };

describe("the limit", () => {
  test("falls by a fifth when requests take too long, or when the event loop is late", () => {
    // 500 less a fifth.
    expect(decideLimit(500, { ...calm, latencyMs: 31 })).toBe(400);
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
        let limit = LIMIT_AT_START;
        for (const it of loads) {
          limit = decideLimit(limit, it);
          expect(limit).toBeGreaterThanOrEqual(LIMIT_MIN);
          expect(limit).toBeLessThanOrEqual(LIMIT_MAX);
        }
      }),
    );
  });

  test("settles where a process that bears 300 at once answers in time", () => {
    // Up to 300 at once take 15 ms; each one more makes all of them 0.3 ms slower.
    let limit = LIMIT_AT_START;
    const seen: number[] = [];
    for (let look = 0; look < 200; look += 1) {
      const latencyMs = 15 + Math.max(0, limit - 300) * 0.3;
      limit = decideLimit(limit, { latencyMs, loopDelayMs: 1, heldMax: limit });
      if (look >= 50) seen.push(limit);
    }
    // 30 ms are reached at 350: one step above is cut by a fifth, to at least 280.
    expect(Math.max(...seen)).toBeLessThanOrEqual(366);
    expect(Math.min(...seen)).toBeGreaterThanOrEqual(280);
  });
});

const place = { limit: 100, held: 0, heldByTenant: 0, isShared: false, priority: "normal" } as const;

describe("a place", () => {
  const isFound = (held: number, priority: Priority) => mayBegin({ ...place, held, priority });

  test("is found at half the limit for what can wait, and up to the limit for what is critical", () => {
    expect([isFound(49, "low"), isFound(50, "low")]).toEqual([true, false]);
    expect([isFound(84, "normal"), isFound(85, "normal")]).toEqual([true, false]);
    expect([isFound(99, "critical"), isFound(100, "critical")]).toEqual([true, false]);
  });

  test("is found by a tenant up to half of the limit while others send", () => {
    const half = { ...place, held: 50, heldByTenant: 50 };
    expect([mayBegin(half), mayBegin({ ...half, isShared: true })]).toEqual([true, false]);
    expect(mayBegin({ ...half, heldByTenant: 49, isShared: true })).toBe(true);
  });

  test("of a lower priority is never found where one of a higher is not", () => {
    const facts = fc.record({
      limit: fc.integer({ min: LIMIT_MIN, max: LIMIT_MAX }),
      held: fc.nat(LIMIT_MAX),
      heldByTenant: fc.nat(LIMIT_MAX),
      isShared: fc.boolean(),
    });
    fc.assert(
      fc.property(facts, (it) => {
        // Most important first: once one finds none, none after it does.
        const found = PRIORITIES.map((priority) => mayBegin({ ...it, priority }));
        expect(found).toEqual([...found].sort((a, b) => Number(b) - Number(a)));
      }),
    );
  });
});

const first: WaitFacts = {
  priority: "normal",
  isPipelined: false,
  waiting: 0,
  waitingOfTenant: 0,
  tenants: 0,
  arrived: 0,
  firstWaitedMs: 0,
};

describe("a request that finds no place", () => {
  test("waits for its turn as one of a burst, however long those before it have waited", () => {
    const last = { ...first, arrived: BURST_REQUESTS - 1, waiting: 500, waitingOfTenant: 500, tenants: 1 };
    const waits = { kind: "wait", waitMsMax: BURST_WAIT_MS_MAX };
    expect(decideWait({ ...last, firstWaitedMs: 900 })).toEqual(waits);
    expect(decideWait({ ...last, arrived: BURST_REQUESTS }).kind).toBe("wait");
  });

  test("is refused after the burst as soon as the first of its kind has waited for too long", () => {
    const late = { ...first, arrived: BURST_REQUESTS };
    expect(decideWait({ ...late, firstWaitedMs: 15 })).toEqual({ kind: "wait", waitMsMax: 15 });
    expect(decideWait({ ...late, firstWaitedMs: 16 })).toEqual({ kind: "refused", reason: "queue" });
  });

  test("is none of a burst on a connection on which it must wait for another's answer", () => {
    const facts = { ...first, isPipelined: true };
    expect(decideWait(facts)).toEqual({ kind: "wait", waitMsMax: WAIT_MS_MAX.normal });
    expect(decideWait({ ...facts, firstWaitedMs: 16 }).kind).toBe("refused");
  });

  test("waits the longer the more it matters", () => {
    // In the order of `PRIORITIES`, most important first.
    const waits = PRIORITIES.map((priority) => WAIT_MS_MAX[priority]);
    expect(waits).toEqual([...waits].sort((a, b) => b - a));
  });

  test("of one tenant leaves places for the others, and never are there more than the most", () => {
    // Alone: the most less what the next tenant would get.
    const half = { ...first, waiting: WAITING_MAX / 2, waitingOfTenant: WAITING_MAX / 2, tenants: 1 };
    expect(decideWait(half)).toEqual({ kind: "refused", reason: "share" });
    expect(decideWait({ ...half, waitingOfTenant: 0 }).kind).toBe("wait");
    const full = { ...first, waiting: WAITING_MAX, tenants: 3 };
    expect(decideWait(full)).toEqual({ kind: "refused", reason: "share" });
  });
});

describe("a tenant's requests", () => {
  test("are mostly refused when more are refused than taken, and not by chance", () => {
    expect(isMostlyRefused({ taken: 19, refused: 20 })).toBe(true);
    expect(isMostlyRefused({ taken: 20, refused: 20 })).toBe(false);
    expect(isMostlyRefused({ taken: 0, refused: 19 })).toBe(false);
  });

  test("may lie unread for less while others send, and what matters is read however old it is", () => {
    const alone = PRIORITIES.map((priority) => unreadMsMax(priority, false));
    const shared = PRIORITIES.map((priority) => unreadMsMax(priority, true));
    const always = Number.POSITIVE_INFINITY;
    expect(Object.fromEntries(PRIORITIES.map((it, n) => [it, [alone[n], shared[n]]]))).toEqual({
      critical: [always, always],
      high: [always, always],
      normal: [10, 2],
      low: [5, 2],
    });
  });

  test("are begun in shorter turns while others send", () => {
    expect([begunATurnMax(false), begunATurnMax(true)]).toEqual([32, 8]);
  });
});
