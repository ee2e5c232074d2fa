import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decideRetry,
  type FailedAttempt,
  mayBeRetried,
  type RetryPolicy,
} from "#producer/client/decide-retry";

const policy: RetryPolicy = { attempts: 5, maxDelayMs: 30_000, timeoutMs: 60_000 };

function failed(it: Partial<FailedAttempt> = {}): FailedAttempt {
  return { attempt: 1, status: 503, outcome: "not_enqueued", retryAfterMs: null, elapsedMs: 10, ...it };
}

describe("a call that failed", () => {
  test.each([
    ["no answer", { status: null, outcome: "unknown" }],
    ["429", { status: 429 }],
    ["502", { status: 502, outcome: "unknown" }],
    ["503", { status: 503 }],
    ["504", { status: 504, outcome: "unknown" }],
    ["500 with a job of unknown fate", { status: 500, outcome: "unknown" }],
  ] as const)("with %s is tried again", (_what, it) => {
    expect(decideRetry(failed(it), policy, 0.5).kind).toBe("retry");
  });

  test.each([301, 400, 401, 403, 404, 409, 413, 415, 422])("with %i is not", (status) => {
    expect(decideRetry(failed({ status }), policy, 0.5)).toEqual({
      kind: "give-up",
      reason: "not-retryable",
    });
  });

  test("with 500 that stored nothing, or that handed in no job, is not", () => {
    expect(mayBeRetried({ status: 500, outcome: "not_enqueued" })).toBe(false);
    expect(mayBeRetried({ status: 500, outcome: null })).toBe(false);
  });

  test("is given up when its attempts are used up", () => {
    expect(decideRetry(failed({ attempt: 4 }), policy, 0).kind).toBe("retry");
    expect(decideRetry(failed({ attempt: 5 }), policy, 0)).toEqual({
      kind: "give-up",
      reason: "attempts-used-up",
    });
  });

  test("waits a full-jitter backoff where the server names no time", () => {
    // 200 ms doubling: the third ceiling is 800 ms, half of it drawn.
    expect(decideRetry(failed({ attempt: 3 }), policy, 0.5)).toEqual({ kind: "retry", delayMs: 400 });
  });

  test("waits as long as the server asks and up to a fifth more", () => {
    // 5,000 + 0.5 * 0.2 * 5,000
    expect(decideRetry(failed({ retryAfterMs: 5_000 }), policy, 0.5)).toEqual({
      kind: "retry",
      delayMs: 5_500,
    });
    // A short wait is spread by 100 ms all the same: 10 + 0.5 * 100.
    expect(decideRetry(failed({ retryAfterMs: 10 }), policy, 0.5)).toEqual({ kind: "retry", delayMs: 60 });
  });

  test("is given up rather than tried earlier than the server asks", () => {
    expect(decideRetry(failed({ retryAfterMs: 30_001 }), policy, 0)).toEqual({
      kind: "give-up",
      reason: "delay-too-long",
    });
  });

  test("is given up when its time would be over before the next attempt", () => {
    // 58,000 + 2,000 reach the 60,000 exactly; that is too late.
    expect(decideRetry(failed({ retryAfterMs: 2_000, elapsedMs: 58_000 }), policy, 0)).toEqual({
      kind: "give-up",
      reason: "out-of-time",
    });
    expect(decideRetry(failed({ retryAfterMs: 1_999, elapsedMs: 58_000 }), policy, 0).kind).toBe("retry");
  });

  test("never comes back early, never waits beyond the limits, whatever happens", () => {
    const anyFailure = fc.record({
      attempt: fc.integer({ min: 1, max: 100 }),
      status: fc.option(fc.integer({ min: 300, max: 599 })),
      outcome: fc.constantFrom("not_enqueued" as const, "unknown" as const, null),
      retryAfterMs: fc.option(fc.integer({ min: 0, max: 100_000 })),
      elapsedMs: fc.integer({ min: 0, max: 100_000 }),
    });
    fc.assert(
      fc.property(anyFailure, fc.double({ min: 0, max: 0.999, noNaN: true }), (it, random) => {
        const decision = decideRetry(it, policy, random);
        if (decision.kind === "give-up") return;
        expect(decision.delayMs).toBeGreaterThanOrEqual(it.retryAfterMs ?? 0);
        expect(decision.delayMs).toBeLessThanOrEqual(policy.maxDelayMs * 1.2 + 100);
        expect(it.elapsedMs + decision.delayMs).toBeLessThan(policy.timeoutMs);
        expect(it.attempt).toBeLessThan(policy.attempts);
      }),
    );
  });
});
