import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decideRequeue } from "#autoscaler/releases/decide-requeue";
import { type AttemptEntry, EMPTY_RECORD, type JobRecord, withAttempt } from "#shared/job-record";
import { toRfc3339 } from "#shared/system-clock";

const SINCE_MS = 1_000_000;
const QUESTION = { release: "v2", since: toRfc3339(SINCE_MS), attemptsMax: 3 };

function record(
  ...attempts: readonly [release: string, outcome: AttemptEntry["outcome"], atMs?: number][]
): JobRecord {
  return attempts
    .map(([release, outcome, atMs = SINCE_MS], index) => ({
      ...{ attempt: index + 1, release, worker: "w", code: "X", message: "", outcome },
      ...{ startedAt: toRfc3339(atMs), endedAt: toRfc3339(atMs) },
    }))
    .reduce(withAttempt, EMPTY_RECORD);
}

describe("decideRequeue", () => {
  test("has a job run again whose last attempt was the bad release's, without those attempts", () => {
    const decision = decideRequeue(record(["v1", "retry"], ["v2", "retry"], ["v2", "failed"]), QUESTION);
    if (decision.kind === "leave") throw new Error("it stays failed");
    expect(decision.record.failures).toBe(1);
    expect(decision.record.attempts.map(({ outcome }) => outcome)).toEqual([
      "retry",
      "handed-back",
      "handed-back",
    ]);
  });

  test("has one run again that another release failed last, if it still had attempts", () => {
    const last = record(["v2", "retry"], ["v1", "retry"], ["v1", "failed"]);
    expect(decideRequeue(last, QUESTION).kind).toBe("requeue");
    expect(decideRequeue(last, { ...QUESTION, attemptsMax: 2 }).kind).toBe("leave");
    // Not exhausted: it said itself that it is not to be tried again.
    expect(decideRequeue(last, { ...QUESTION, attemptsMax: 4 }).kind).toBe("leave");
    expect(decideRequeue(last, { ...QUESTION, attemptsMax: null }).kind).toBe("leave");
  });

  test("leaves what the bad release had no part in, or only before the rollout, or handed back", () => {
    expect(decideRequeue(record(["v1", "failed"]), QUESTION).kind).toBe("leave");
    expect(decideRequeue(record(["v2", "failed", SINCE_MS - 1]), QUESTION).kind).toBe("leave");
    expect(decideRequeue(record(["v2", "handed-back"], ["v1", "failed"]), QUESTION).kind).toBe("leave");
    expect(decideRequeue(EMPTY_RECORD, QUESTION).kind).toBe("leave");
  });

  test("never puts the same job back twice for the same attempts", () => {
    const outcome = fc.constantFrom("retry" as const, "failed" as const, "handed-back" as const);
    const attempts = fc.array(fc.tuple(fc.constantFrom("v1", "v2"), outcome), { maxLength: 30 });
    fc.assert(
      fc.property(attempts, (drawn) => {
        const decision = decideRequeue(record(...drawn), QUESTION);
        if (decision.kind === "leave") return;
        expect(decideRequeue(decision.record, QUESTION).kind).toBe("leave");
        expect(decision.record.failures).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
