/** Failures of a discounted release do not count for any job. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type AttemptEntry,
  EMPTY_RECORD,
  failuresWithout,
  type JobRecord,
  withAttempt,
} from "#shared/job-record";
import { decideOutcome, type RetryPolicy, type RunEnd } from "#worker/decide-outcome";

const policy: RetryPolicy = { attempts: 4, backoff: { baseMs: 1_000, maxMs: 60_000 } };
const threw: RunEnd = { kind: "threw", retryability: "retryable", code: "E", message: "no" };
const releases = ["v1", "v2", "v3"] as const;

function entry(release: string, outcome: AttemptEntry["outcome"]): AttemptEntry {
  const at = "2026-01-31T12:00:00.000Z";
  return { attempt: 1, release, worker: "w", startedAt: at, endedAt: at, outcome, code: "E", message: "no" };
}

const starts = fc.array(
  fc.record({
    release: fc.constantFrom(...releases),
    outcome: fc.constantFrom("retry" as const, "failed" as const, "handed-back" as const),
  }),
  { maxLength: 20 },
);

function recordOf(of: readonly { release: string; outcome: AttemptEntry["outcome"] }[]): JobRecord {
  return of.reduce((record, it) => withAttempt(record, entry(it.release, it.outcome)), EMPTY_RECORD);
}

describe("a discounted release's failures", () => {
  test("leave a job where it would be had that release never run it", () => {
    const discounts = fc.subarray([...releases]);
    fc.assert(
      fc.property(
        starts,
        discounts,
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (all, discount, random) => {
          const discounted = new Set<string>(discount);
          const without = recordOf(all.filter((it) => !discounted.has(it.release)));
          const failures = failuresWithout(recordOf(all), discounted);
          expect(failures).toBe(without.failures);
          expect(decideOutcome(threw, policy, { failures, random })).toEqual(
            decideOutcome(threw, policy, { failures: without.failures, random }),
          );
        },
      ),
    );
  });

  test("never make fewer than none, and more than are kept go on counting", () => {
    const taken = { ...recordOf([{ release: "v1", outcome: "retry" }]), failures: 0 };
    expect(failuresWithout(taken, new Set(["v1"]))).toBe(0);
    // 25 failures of which the 20 newest are kept: five cannot be told from another release's.
    const many = recordOf(Array.from({ length: 25 }, () => ({ release: "v1", outcome: "retry" as const })));
    expect(failuresWithout(many, new Set(["v1"]))).toBe(5);
  });

  test("never fail a job, not even for good: another release may do what this one says cannot be done", () => {
    fc.assert(
      fc.property(
        fc.constantFrom<RunEnd>(threw, { ...threw, retryability: "terminal" }),
        fc.nat(30),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (end, failures, random) => {
          const decision = decideOutcome(end, policy, { failures, random, discounted: true });
          expect(decision.kind).toBe("retry");
        },
      ),
    );
    const facts = { failures: 9, random: 0, discounted: true };
    expect(decideOutcome({ kind: "returned" }, policy, facts).kind).toBe("succeeded");
    expect(decideOutcome(threw, policy, { ...facts, cancelled: true }).kind).toBe("cancelled");
  });
});
