/** What a worker counts for its release. */
import { describe, expect, test } from "vitest";
import { type AttemptEntry, EMPTY_RECORD, type JobRecord } from "#shared/job-record";
import type { Settlement } from "#shared/redis/lane-worker";
import type { EndedRun } from "#worker/process-job";
import { ReleaseCounts } from "#worker/release-counts";

const SUCCEEDED: Settlement = { kind: "finished", outcome: { outcome: "succeeded", release: "v2" } };
const CANCELLED: Settlement = { kind: "finished", outcome: { outcome: "cancelled", release: "v2" } };
const RETRY: Settlement = { kind: "retry", delayMs: 1, record: EMPTY_RECORD, reason: "no" };
const FAILED: Settlement = { kind: "failed", record: EMPTY_RECORD, reason: "no" };
const RETURNED: Settlement = { kind: "returned", record: EMPTY_RECORD };
const ABANDONED: Settlement = { kind: "abandoned" };

function run(settlement: Settlement, changes: Partial<EndedRun> = {}): EndedRun {
  return { type: "a.b", tenant: "t1", busyMs: 150, record: EMPTY_RECORD, settlement, ...changes };
}

function entry(release: string, outcome: AttemptEntry["outcome"] = "retry"): AttemptEntry {
  const at = "2026-01-31T12:00:00.000Z";
  const words = { worker: "w", startedAt: at, endedAt: at, code: "Error", message: "no" };
  return { ...words, attempt: 1, release, outcome };
}

/** A job that has failed on these releases, in their order. */
function failedOn(...releases: readonly string[]): JobRecord {
  return { attempts: releases.map((it) => entry(it)), failures: releases.length, handBacks: 0 };
}

describe("a first attempt", () => {
  test("is counted with its time, type and tenant when it ends, well or not", () => {
    const counts = new ReleaseCounts("v2");
    counts.ended(run(SUCCEEDED));
    counts.ended(run(RETRY, { busyMs: 4_000_000, tenant: "t2" }));
    counts.ended(run(FAILED, { busyMs: 100 }));
    expect(counts.increases()).toEqual({
      v2: {
        finished: 3,
        failed: 2,
        completed: 1,
        // 100 ms lies in the bucket up to 100, 150 in the one up to 200, 4,000 s beyond the last of 21 bounds.
        "run|0": 1,
        "run|1": 1,
        "run|21": 1,
        "type|a.b|finished": 3,
        "type|a.b|failed": 2,
        "tenant|t1|finished": 2,
        "tenant|t1|failed": 1,
        "tenant|t2|finished": 1,
        "tenant|t2|failed": 1,
      },
    });
  });

  test.each([
    ["returned", RETURNED],
    ["abandoned", ABANDONED],
    ["cancelled", CANCELLED],
  ])("that was %s says nothing", (_what, settlement) => {
    const counts = new ReleaseCounts("v2");
    counts.ended(run(settlement));
    expect(counts.increases()).toEqual({});
    expect(counts.firstRuns.finished).toBe(0);
  });

  test("has its wait counted, a later one not", () => {
    const counts = new ReleaseCounts("v2");
    counts.pickedUp(EMPTY_RECORD, 700);
    counts.pickedUp(failedOn("v2"), 700);
    // Up to 1,000 ms, the fourth bound.
    expect(counts.increases()).toEqual({ v2: { "pickup|3": 1 } });
  });

  test("that fails is told in its row, which a success ends", () => {
    const counts = new ReleaseCounts("v2");
    for (const it of [SUCCEEDED, RETRY, FAILED]) counts.ended(run(it));
    counts.ended(run(SUCCEEDED, { record: failedOn("v2") }));
    expect(counts.firstRuns).toEqual({ finished: 3, failed: 2, failedElsewhere: 0, stalls: 0, inRow: 2 });
    counts.ended(run(SUCCEEDED));
    expect(counts.firstRuns).toMatchObject({ finished: 4, failed: 2, inRow: 0 });
  });
});

describe("a later attempt", () => {
  test("is counted apart, and its success as any", () => {
    const counts = new ReleaseCounts("v2");
    counts.ended(run(SUCCEEDED, { record: failedOn("v2") }));
    counts.ended(run(RETRY, { record: failedOn("v2") }));
    expect(counts.increases()).toEqual({ v2: { retried: 2, retriedFailed: 1, completed: 1 } });
  });

  test("that fails on a second release is told of the first, once a job", () => {
    const counts = new ReleaseCounts("v2");
    counts.ended(run(RETRY, { record: failedOn("v1") }));
    // It has failed here before: that was told then.
    counts.ended(run(FAILED, { record: failedOn("v1", "v2") }));
    counts.ended(run(RETRY, { record: failedOn("v1", "v3") }));
    counts.ended(run(RETRY, { record: failedOn("v2", "v1") }));
    counts.ended(run(SUCCEEDED, { record: failedOn("v1") }));
    expect(counts.increases()).toMatchObject({ v1: { failedElsewhere: 1 } });
  });

  test("is told of a release that handed the job back to nobody", () => {
    const counts = new ReleaseCounts("v2");
    const handedBack = { ...EMPTY_RECORD, attempts: [entry("v1", "handed-back")] };
    counts.ended(run(RETRY, { record: handedBack }));
    expect(Object.keys(counts.increases())).toEqual(["v2"]);
  });

  test("is a first one again when the first release's failures were taken off, and the job's own fault", () => {
    const counts = new ReleaseCounts("v2");
    counts.ended(run(RETRY, { record: { ...failedOn("v1"), failures: 0 } }));
    expect(counts.increases()).toMatchObject({
      v1: { failedElsewhere: 1 },
      v2: { finished: 1, failed: 1, failedElsewhere: 1 },
    });
  });
});

describe("what is told", () => {
  test("is told again with what came since until it was acknowledged, and then never", () => {
    const counts = new ReleaseCounts("v2");
    counts.unread();
    expect(counts.increases()).toEqual({ v2: { mismatches: 1 } });
    counts.created();
    counts.unread();
    expect(counts.increases()).toEqual({ v2: { mismatches: 2, created: 1 } });
    counts.acknowledged();
    expect(counts.increases()).toEqual({});
  });

  test("names 200 types and 200 tenants, none of more than 128 characters, and the rest as others", () => {
    const counts = new ReleaseCounts("v2");
    counts.ended(run(SUCCEEDED, { tenant: "x".repeat(129) }));
    for (let n = 0; n < 300; n += 1) counts.ended(run(RETRY, { type: `a.t${n}`, tenant: `t${n}` }));
    counts.ended(run(SUCCEEDED, { type: "a.t0" }));
    const own = counts.increases().v2 ?? {};
    const names = (kind: string) =>
      Object.keys(own).filter((it) => it.startsWith(kind) && it.endsWith("finished"));
    // The first run's type takes one of 200, and the name for others comes beside them.
    expect(names("type|")).toHaveLength(201);
    expect(names("tenant|")).toHaveLength(200);
    expect(own).toMatchObject({
      "type|(other)|failed": 101,
      "type|a.t0|finished": 2,
      "tenant|(other)|finished": 102,
      finished: 302,
    });
  });
});
