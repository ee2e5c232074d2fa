import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideLedger, isClean, type JobEnd, type RunLine } from "#cli/demo/decide-ledger";

const accepted = (id: string, made: "to-succeed" | "to-fail" = "to-succeed") => ({ id, made });

const start = (jobId: string, starts = 1, release = "v1"): RunLine => ({
  event: "start",
  jobId,
  starts,
  release,
  schemaVersion: 1,
  worker: "w-1",
  atMs: 1_000,
});

const end = (jobId: string, how: "done" | "failed" | "aborted" = "done", starts = 1): RunLine => ({
  ...start(jobId, starts),
  event: "end",
  how,
  atMs: 2_000,
});

const ended = (id: string, more: Partial<JobEnd> = {}): JobEnd => ({
  id,
  state: "succeeded",
  failures: 0,
  crashes: 0,
  entries: [],
  ...more,
});

const entry = (code: string, release = "v1") => ({ release, outcome: "retry", code });

describe("the ledger of a demo", () => {
  it("is clean when every accepted job was done once and succeeded", () => {
    const count = decideLedger({
      accepted: [accepted("a"), accepted("b")],
      runs: [start("a"), end("a"), start("b"), end("b")],
      ends: [ended("a"), ended("b")],
    });
    expect(count).toMatchObject({ accepted: 2, succeeded: 2, lost: 0, unfinished: 0, burnt: 0 });
    expect(count.releases).toEqual({
      v1: { starts: 2, done: 2, failed: 0, aborted: 0, firstAtMs: 1_000, lastEndMs: 2_000 },
    });
    expect(isClean(count)).toBe(true);
  });

  it("calls a job lost that the API does not know, or was never asked about", () => {
    const count = decideLedger({
      accepted: [accepted("a"), accepted("b")],
      runs: [start("a"), end("a")],
      ends: [ended("a", { state: null })],
    });
    expect(count).toMatchObject({ accepted: 2, succeeded: 0, lost: 2 });
    expect(isClean(count)).toBe(false);
  });

  it("calls a job lost that is said to have succeeded although no handler has come to its end", () => {
    const count = decideLedger({ accepted: [accepted("a")], runs: [start("a")], ends: [ended("a")] });
    expect(count).toMatchObject({ succeeded: 0, lost: 1 });
  });

  it.each(["cancelled", "expired"])("calls a job lost that was %s, which nobody asked for", (state) => {
    const count = decideLedger({ accepted: [accepted("a")], runs: [], ends: [ended("a", { state })] });
    expect(count.lost).toBe(1);
  });

  it.each(["waiting", "scheduled", "running", "parked"])("calls a job that is %s not ended", (state) => {
    const count = decideLedger({ accepted: [accepted("a")], runs: [], ends: [ended("a", { state })] });
    expect(count).toMatchObject({ lost: 0, unfinished: 1 });
    expect(isClean(count)).toBe(false);
  });

  describe("of work that was done twice", () => {
    const runs = [start("a"), end("a"), start("a", 2), end("a", "done", 2)];

    it("says that nothing explains it when no worker was lost and nothing was handed back", () => {
      const count = decideLedger({ accepted: [accepted("a")], runs, ends: [ended("a")] });
      expect(count.runTwice).toEqual({ explained: 0, unexplained: 1 });
      expect(count.oddities).toEqual([{ id: "a", what: expect.stringContaining("twice") }]);
      expect(isClean(count)).toBe(false);
    });

    it.each([
      ["its worker was lost", { crashes: 1 }],
      ["it was handed back by a worker that drained", { entries: [entry("DRAINING")] }],
      ["it took too long and was left behind", { failures: 1, entries: [entry("JOB_TIMEOUT")] }],
    ])("finds it explained when %s", (_why, facts) => {
      const count = decideLedger({ accepted: [accepted("a")], runs, ends: [ended("a", facts)] });
      expect(count.runTwice).toEqual({ explained: 1, unexplained: 0 });
      expect(isClean(count)).toBe(true);
    });

    it("does not count a start that came to no end of its own", () => {
      const lines = [start("a"), start("a", 2), end("a", "aborted", 2), start("a", 3), end("a", "done", 3)];
      const count = decideLedger({ accepted: [accepted("a")], runs: lines, ends: [ended("a")] });
      expect(count.runTwice).toEqual({ explained: 0, unexplained: 0 });
    });
  });

  it("tells jobs that failed by the release that ran them last, and not those that were made to", () => {
    const failed = (release: string) => ({
      state: "failed",
      failures: 1,
      entries: [entry("INTERNAL", "v1"), entry("INTERNAL", release)],
    });
    const count = decideLedger({
      accepted: [accepted("a"), accepted("b"), accepted("c", "to-fail")],
      runs: ["a", "b", "c"].flatMap((id) => [start(id), end(id, "failed")]),
      ends: [ended("a", failed("v1")), ended("b", failed("v2")), ended("c", failed("v2"))],
    });
    expect(count.failed).toEqual({ asMade: 1, unreadable: 0, byRelease: { v1: 1, v2: 1 } });
    expect(isClean(count)).toBe(false);
  });

  it("counts a job that was made to fail and succeeded as a success", () => {
    const count = decideLedger({
      accepted: [accepted("a", "to-fail")],
      runs: [start("a"), end("a")],
      ends: [ended("a")],
    });
    expect(count).toMatchObject({ succeeded: 1, failed: { asMade: 0 } });
  });

  it.each(["DATA_INVALID", "TOO_NEW", "UPCAST_FAILED"])(
    "counts %s as a job that nobody could read",
    (code) => {
      const facts = { state: "quarantined", entries: [entry(code)] };
      const count = decideLedger({
        accepted: [accepted("a", "to-fail")],
        runs: [],
        ends: [ended("a", facts)],
      });
      expect(count.failed).toEqual({ asMade: 0, unreadable: 1, byRelease: {} });
      expect(isClean(count)).toBe(false);
    },
  );

  it("counts an attempt as burnt that no handler has failed, and no time limit", () => {
    const count = decideLedger({
      accepted: [accepted("a"), accepted("b"), accepted("c")],
      runs: ["a", "b", "c"].flatMap((id) => [start(id), end(id, "failed"), start(id, 2), end(id)]),
      ends: [
        ended("a", { failures: 1, entries: [entry("INTERNAL")] }),
        ended("b", { failures: 3, entries: [entry("INTERNAL")] }),
        ended("c", { failures: 2, entries: [entry("INTERNAL"), entry("JOB_TIMEOUT")] }),
      ],
    });
    expect(count.burnt).toBe(2);
  });

  it("counts what a handler enqueued as accepted, once, however often it said so", () => {
    const child = { ...start("a"), event: "child", childId: "k" } as const;
    const count = decideLedger({
      accepted: [accepted("a")],
      runs: [start("a"), child, child, end("a")],
      ends: [ended("a")],
    });
    expect(count).toMatchObject({ accepted: 2, succeeded: 1, lost: 1 });
  });

  it("puts every accepted job in exactly one place", () => {
    const states = [null, "succeeded", "failed", "quarantined", "waiting", "parked", "cancelled"];
    const job = fc.record({
      made: fc.constantFrom("to-succeed" as const, "to-fail" as const),
      state: fc.constantFrom(...states),
      runs: fc.array(fc.constantFrom("done" as const, "failed" as const, "aborted" as const), {
        maxLength: 4,
      }),
      crashes: fc.nat(2),
      code: fc.constantFrom("INTERNAL", "TOO_NEW", "DRAINING"),
    });
    fc.assert(
      fc.property(fc.array(job, { maxLength: 30 }), (jobs) => {
        const id = (index: number) => `job-${index}`;
        const count = decideLedger({
          accepted: jobs.map(({ made }, index) => accepted(id(index), made)),
          runs: jobs.flatMap(({ runs }, index) => runs.map((how, n) => end(id(index), how, n + 1))),
          ends: jobs.map(({ state, crashes, code }, index) =>
            ended(id(index), { state, crashes, entries: [entry(code)] }),
          ),
        });
        const { failed, succeeded, unfinished, lost } = count;
        const byRelease = Object.values(failed.byRelease).reduce((sum, it) => sum + it, 0);
        expect(succeeded + unfinished + lost + failed.asMade + failed.unreadable + byRelease).toBe(
          jobs.length,
        );
        const worked = jobs.filter(({ runs }) => runs.filter((it) => it === "done").length > 1).length;
        expect(count.runTwice.explained + count.runTwice.unexplained).toBe(worked);
      }),
    );
  });
});
