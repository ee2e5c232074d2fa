import { describe, expect, test } from "vitest";
import { EMPTY_RECORD, type JobRecord, PROGRESS_CHARS_MAX } from "#shared/job-record";
import { FakeClock, settled } from "#test/support/fake-clock";
import { ProgressReport } from "#worker/progress";
import { taken } from "./job-builder.ts";

const record: JobRecord = { ...EMPTY_RECORD, failures: 1 };

function started() {
  const clock = new FakeClock();
  const kept: JobRecord[] = [];
  const run = { isOver: false };
  let write: () => Promise<unknown> = async () => undefined;
  const report = new ProgressReport({
    job: {
      ...taken,
      starts: 3,
      record,
      keepRecord: (it) => {
        kept.push(it);
        return write();
      },
    },
    clock,
    isOver: () => run.isOver,
  });
  const writesWith = (next: () => Promise<unknown>) => {
    write = next;
  };
  return { clock, kept, report, run, writesWith };
}

describe("what a handler says of its progress", () => {
  test("is kept at once, beside the record that the job has, with the start that it is of", () => {
    const { kept, report } = started();
    report.say(40, "page 4 of 10");
    expect(kept).toEqual([
      {
        ...record,
        progress: { percent: 40, message: "page 4 of 10", at: "2026-01-31T12:00:00.000Z", start: 3 },
      },
    ]);
  });

  test("is kept once a second, the last that was said in it", async () => {
    const { clock, kept, report } = started();
    // A hundred times a second for two and a half seconds.
    for (let n = 0; n < 250; n += 1) {
      report.say(n / 2.5);
      await clock.advance(10);
    }
    // At 0 s, 1 s and 2 s: said at 0, 990 and 1,990 ms, in steps of 0.4 %.
    expect(kept.map((it) => it.progress?.percent)).toEqual([0, 39.6, 79.6]);
    await clock.advance(5_000);
    expect(kept.map((it) => it.progress?.percent)).toEqual([0, 39.6, 79.6, 99.6]);
    expect(clock.waiting).toBe(0);
  });

  test("does not pile up while Redis is away", async () => {
    const { clock, kept, report, writesWith } = started();
    let answer: () => void = () => undefined;
    writesWith(() => new Promise<void>((resolve) => (answer = resolve)));
    for (let n = 0; n <= 30; n += 1) {
      report.say(n);
      await clock.advance(1_000);
    }
    expect(kept).toHaveLength(1);
    answer();
    await settled();
    expect(kept.map((it) => it.progress?.percent)).toEqual([0, 30]);
  });

  test("goes on after a write that failed", async () => {
    const { clock, kept, report, writesWith } = started();
    writesWith(() => Promise.reject(new Error("away")));
    report.say(1);
    report.say(2);
    await clock.advance(1_000);
    expect(kept).toHaveLength(2);
  });

  test("is nothing any more once the run is over, not even what was not yet written", async () => {
    const { clock, kept, report, run } = started();
    report.say(1);
    report.say(2);
    run.isOver = true;
    report.say(3);
    await clock.advance(5_000);
    expect(kept).toHaveLength(1);
  });

  test.each([
    [-5, 0],
    [250, 100],
    [Number.POSITIVE_INFINITY, 100],
    [33.3, 33.3],
  ])("of %d percent is kept as %d", (said, percent) => {
    const { kept, report } = started();
    report.say(said);
    expect(kept[0]?.progress?.percent).toBe(percent);
  });

  test("says nothing when it is no number, and never fails the job", () => {
    const { kept, report } = started();
    for (const wrong of [Number.NaN, "50", undefined, null, {}]) report.say(wrong as number);
    expect(kept).toEqual([]);
  });

  test("has a message of at most 256 characters, and only if it is a text", () => {
    const { kept, report } = started();
    report.say(1, "x".repeat(10_000));
    expect(kept[0]?.progress?.message).toHaveLength(PROGRESS_CHARS_MAX);
    const other = started();
    other.report.say(1, { toString: () => "x" } as unknown as string);
    expect(other.kept[0]?.progress).not.toHaveProperty("message");
  });
});
