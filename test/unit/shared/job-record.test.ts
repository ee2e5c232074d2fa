import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type AttemptEntry,
  EMPTY_RECORD,
  type JobRecord,
  parseOutcome,
  parseRecord,
  withAttempt,
} from "#shared/job-record";

const entry: AttemptEntry = {
  attempt: 1,
  release: "shop-v1",
  worker: "w-1",
  startedAt: "2026-01-31T12:00:00.000Z",
  endedAt: "2026-01-31T12:00:01.000Z",
  outcome: "retry",
  code: "Error",
  message: "the printer is on fire",
};

const anyEntry: fc.Arbitrary<AttemptEntry> = fc
  .record({
    outcome: fc.constantFrom("retry", "failed", "handed-back", "quarantined", "parked"),
    code: fc.constantFrom("Error", "DRAINING", "TOO_NEW"),
  })
  .map((any) => ({ ...entry, ...any }) as AttemptEntry);

function recordOf(entries: readonly AttemptEntry[]): JobRecord {
  return entries.reduce(withAttempt, EMPTY_RECORD);
}

describe("withAttempt", () => {
  test.each([
    // Only a run that threw or took too long burns an attempt; only an unreadable job nears the park.
    ["retry", "Error", 1, 0],
    ["failed", "Error", 1, 0],
    ["handed-back", "TOO_NEW", 0, 1],
    ["handed-back", "DRAINING", 0, 0],
    ["parked", "TOO_NEW", 0, 0],
    ["quarantined", "DATA_INVALID", 0, 0],
  ] as const)("counts %s (%s) as %i failures and %i hand-backs", (outcome, code, failures, handBacks) => {
    const record = withAttempt(EMPTY_RECORD, { ...entry, outcome, code });
    expect(record).toEqual({ attempts: [{ ...entry, outcome, code }], failures, handBacks });
  });

  test("keeps the newest 20 entries, newest last, and goes on counting", () => {
    const entries = Array.from({ length: 25 }, (_, index) => ({ ...entry, attempt: index + 1 }));
    const record = recordOf(entries);
    // 25 - 20 = 5 are gone: the oldest kept is number 6.
    expect(record.attempts.map((it) => it.attempt)).toEqual(entries.slice(5).map((it) => it.attempt));
    expect(record.failures).toBe(25);
  });

  test("never grows beyond its bound, and its counters equal what was added", () => {
    fc.assert(
      fc.property(fc.array(anyEntry, { maxLength: 60 }), (entries) => {
        const record = recordOf(entries);
        expect(record.attempts).toEqual(entries.slice(-20));
        expect(record.failures).toBe(entries.filter((it) => /^(retry|failed)$/.test(it.outcome)).length);
        expect(record.handBacks).toBe(
          entries.filter((it) => it.outcome === "handed-back" && it.code !== "DRAINING").length,
        );
      }),
    );
  });

  test("leaves the record it was given as it was", () => {
    withAttempt(EMPTY_RECORD, entry);
    expect(EMPTY_RECORD).toEqual({ attempts: [], failures: 0, handBacks: 0 });
  });
});

describe("parseRecord", () => {
  test("gives back any record, from a value and from JSON text", () => {
    fc.assert(
      fc.property(fc.array(anyEntry, { maxLength: 25 }), (entries) => {
        const record = recordOf(entries);
        expect(parseRecord(record)).toEqual(record);
        expect(parseRecord(JSON.stringify(record))).toEqual(record);
      }),
    );
  });

  test.each([undefined, null, 0, "", "0", "{", "[]", {}, { attempts: 1, failures: 0, handBacks: 0 }])(
    "takes %j for no record",
    (progress) => {
      expect(parseRecord(progress)).toEqual(EMPTY_RECORD);
    },
  );
});

describe("parseOutcome", () => {
  test.each([
    { outcome: "succeeded", release: "r" },
    { outcome: "succeeded", release: "r", result: null },
    { outcome: "succeeded", release: "r", result: { n: [1] } },
    { outcome: "succeeded", release: "r", resultBytesDropped: 20_000 },
    { outcome: "expired", release: "r" },
    { outcome: "cancelled", release: "r" },
  ])("gives back %j, from a value and from JSON text", (outcome) => {
    expect(parseOutcome(outcome)).toEqual(outcome);
    expect(parseOutcome(JSON.stringify(outcome))).toEqual(outcome);
  });

  test.each([undefined, null, 1, "", "ok", '"ok"', {}, { outcome: "done", release: "r" }, "{"])(
    "takes %j for none of ours",
    (value) => {
      expect(parseOutcome(value)).toBeNull();
    },
  );
});
