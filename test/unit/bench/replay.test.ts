import { describe, expect, test } from "vitest";
import { machineOf, measuredRun, startDelayAt } from "../../../bench/replay/measures.ts";
import { completedJobs, readFacts } from "../../../bench/replay/read-facts.ts";
import { compare } from "../../../bench/replay/report.ts";
import { compressed, loadOf, sliceOf } from "../../../bench/replay/slice.ts";

const MINUTE_MS = 60_000;

describe("sliceOf", () => {
  test("takes the most uneven window whose busiest minute the machine can run, scaled to five slots", () => {
    // Windows of four: 0 to 3 is even; of 4 to 7 the peak is 3 times the mean, which is allowed; with bin 10 it would be
    // 4 times the mean, which is not.
    const counts = Float64Array.from([9, 9, 9, 9, 1, 1, 9, 1, 0, 0, 40, 0]);
    const slice = sliceOf(
      { kind: "counts", binMs: 5 * MINUTE_MS, counts },
      { name: "t", spanMs: 20 * MINUTE_MS },
    );
    expect(slice.horizonMs).toBe(20 * MINUTE_MS);
    expect(slice.source).toContain("bins 4 to 7");
    // 5 slots x 1,200 s / 30 s a job = 200 jobs, spread as a Poisson process: 5 standard deviations are 71.
    expect(slice.arrivalsMs.length).toBeGreaterThan(129);
    expect(slice.arrivalsMs.length).toBeLessThan(271);
    expect(slice.arrivalsMs).toEqual(slice.arrivalsMs.toSorted());
  });

  test("thins out requests that are too many for the machine, and keeps their durations", () => {
    // A request a second of 10 s: 10 slots, so about half of them stay.
    const arrivalsMs = Float64Array.from({ length: 1_200 }, (_, n) => n * 1_000);
    const serviceMs = arrivalsMs.map(() => 10_000);
    const slice = sliceOf({ kind: "requests", arrivalsMs, serviceMs }, { name: "t", spanMs: 10 * MINUTE_MS });
    expect(loadOf(slice)).toBeGreaterThan(4);
    expect(loadOf(slice)).toBeLessThan(6);
    expect(new Set(slice.serviceMs)).toEqual(new Set([10_000]));
    expect(slice.arrivalsMs.every((ms) => ms >= 0 && ms < slice.horizonMs)).toBe(true);
  });

  test("refuses a trace of which nothing can be run, by name", () => {
    const counts = Float64Array.from([0, 0, 0, 0, 0, 50]);
    const trace = { kind: "counts", binMs: MINUTE_MS, counts } as const;
    expect(() => sliceOf(trace, { name: "spike", spanMs: 6 * MINUTE_MS })).toThrow(/^spike: no window/);
  });

  test("compressing keeps the load", () => {
    const arrivalsMs = Float64Array.from({ length: 600 }, (_, n) => n * 1_000);
    const serviceMs = arrivalsMs.map(() => 4_000);
    const slice = sliceOf({ kind: "requests", arrivalsMs, serviceMs }, { name: "t", spanMs: 10 * MINUTE_MS });
    const fast = compressed(slice, 5);
    expect(loadOf(fast)).toBeCloseTo(loadOf(slice));
    expect(fast.horizonMs).toBe(2 * MINUTE_MS);
  });
});

const workload = {
  arrivalsMs: Float64Array.from([0, 1_000, 2_000]),
  serviceMs: Float64Array.from([500, 500, 500]),
  horizonMs: 10_000,
};

describe("measuredRun", () => {
  test("pays from start to exit within the slice, and what is left of its work at its end", () => {
    const facts = {
      workers: [
        { worker: "a", startedMs: 0, readyMs: 1_000, exitedMs: 4_000 },
        { worker: "b", startedMs: 9_000, readyMs: 9_500, exitedMs: null },
      ],
      runs: [
        { n: 0, pid: 7, takenMs: 1_000, endedMs: 1_500, starts: 1, completed: true },
        { n: 1, pid: 7, takenMs: 1_500, endedMs: 2_000, starts: 1, completed: true },
        { n: 2, pid: 7, takenMs: 9_900, endedMs: 10_400, starts: 1, completed: true },
      ],
    };
    // a: 4 s; b: 1 s until the end; the last job runs on for 0.4 s.
    expect(measuredRun(facts, workload, 5_000)).toMatchObject({
      workerSeconds: 5.4,
      // Only the last was taken later than 5 s after it came.
      missesPercent: expect.closeTo(100 / 3),
      pickupP50Ms: 1_000,
      processesPeak: 1,
      workersStarted: 2,
      killedRuns: 0,
      lostJobs: 0,
      duplicatedJobs: 0,
    });
  });

  test("tells jobs that were lost, killed and done twice", () => {
    const runs = [
      { n: 0, pid: 7, takenMs: 100, endedMs: 200, starts: 1, completed: false },
      { n: 0, pid: 7, takenMs: 300, endedMs: 400, starts: 2, completed: true },
      { n: 1, pid: 7, takenMs: 1_000, endedMs: 1_100, starts: 1, completed: true },
      { n: 1, pid: 7, takenMs: 1_050, endedMs: 1_150, starts: 2, completed: true },
    ];
    expect(measuredRun({ workers: [], runs }, workload, 5_000)).toMatchObject({
      killedRuns: 3,
      lostJobs: 1,
      duplicatedJobs: 1,
      missesPercent: expect.closeTo(100 / 3),
    });
  });

  const life = { worker: "a", startedMs: 1_000, readyMs: 3_000, exitedMs: null };

  test("start delays are measured of workers that came up, and of none there is no answer", () => {
    const later = { ...life, startedMs: 8_000, readyMs: 12_000 };
    const machine = machineOf({ workers: [later, { ...life, readyMs: null }, life], runs: [] }, workload);
    expect(machine.starts).toEqual([
      { atMs: 1_000, delayMs: 2_000 },
      { atMs: 8_000, delayMs: 4_000 },
    ]);
    // 4,400 is nearer to 1,000 than to 8,000; 4,600 is not.
    expect(startDelayAt(machine, 4_400)).toBe(2_000);
    expect(startDelayAt(machine, 4_600)).toBe(4_000);
    expect(() => machineOf({ workers: [{ ...life, readyMs: null }], runs: [] }, workload)).toThrow(
      /no worker/,
    );
  });

  test("what a slot loses between jobs counts only where the next job was there already", () => {
    const run = (n: number, takenMs: number, endedMs: number) => {
      return { n, pid: 7, takenMs, endedMs, starts: 1, completed: true };
    };
    // Job 1 came at 1,000, before job 0 ended: 40 ms are lost. Job 2 came at 2,000, after job 1 ended: nothing is known.
    const runs = [run(0, 900, 1_200), run(1, 1_240, 1_700), run(2, 2_005, 2_500)];
    expect(machineOf({ workers: [life], runs }, workload).betweenJobsMs).toBe(40);
  });
});

describe("readFacts", () => {
  const startedAtMs = Date.UTC(2026, 0, 31, 12);

  test("reads ledger and log, and leaves out what is half written or of nobody", () => {
    const run = {
      n: 0,
      pid: 7,
      takenAtMs: startedAtMs + 5,
      endedAtMs: startedAtMs + 9,
      starts: 1,
      completed: true,
    };
    const log = [
      "not JSON",
      JSON.stringify({ msg: "worker is starting", time: "2026-01-31T12:00:01.000Z", worker: "w-1" }),
      JSON.stringify({ msg: "worker is taking jobs", time: "2026-01-31T12:00:02.500Z", worker: "w-1" }),
      JSON.stringify({ msg: "worker has exited", time: "2026-01-31T12:00:09.000Z", worker: "w-1" }),
      JSON.stringify({ msg: "worker has exited", time: "2026-01-31T12:00:09.000Z", worker: "w-0" }),
    ].join("\n");
    const ledger = `${JSON.stringify(run)}\n{"n":1,"takenAt`;
    expect(readFacts(ledger, log, startedAtMs)).toEqual({
      runs: [{ n: 0, pid: 7, takenMs: 5, endedMs: 9, starts: 1, completed: true }],
      workers: [{ worker: "w-1", startedMs: 1_000, readyMs: 2_500, exitedMs: 9_000 }],
    });
    expect(completedJobs(ledger)).toBe(1);
  });
});

describe("compare", () => {
  const measures = measuredRun(
    {
      workers: [{ worker: "a", startedMs: 0, readyMs: 1, exitedMs: 10_000 }],
      runs: [0, 1, 2].map((n) => ({
        n,
        pid: 7,
        takenMs: 2_000 + n,
        endedMs: 2_500 + n,
        starts: 1,
        completed: true,
      })),
    },
    workload,
    5_000,
  );
  const judged = (simulated: Partial<typeof measures>) =>
    compare({
      slice: "s",
      source: "",
      real: [measures],
      simulated: [{ ...measures, ...simulated }],
      startDelaysMs: [1],
      betweenJobsMs: [1],
      loadAverages: [1],
      sentLateMs: [0],
    });

  test("15 % of the worker-seconds and one point of missed jobs are the most that may be off", () => {
    expect(judged({})).toMatchObject({ workerSecondsAgree: true, missesAgree: true, isClean: true });
    expect(judged({ workerSeconds: 11.4 }).workerSecondsAgree).toBe(true);
    expect(judged({ workerSeconds: 11.6 }).workerSecondsAgree).toBe(false);
    expect(judged({ workerSeconds: 8.4 }).workerSecondsAgree).toBe(false);
    expect(judged({ missesPercent: 0.9 }).missesAgree).toBe(true);
    expect(judged({ missesPercent: 1.1 }).missesAgree).toBe(false);
  });
});
