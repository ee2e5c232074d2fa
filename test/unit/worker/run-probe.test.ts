/** What a build goes through before it gets jobs, and how that is told. */
import { describe, expect, test } from "vitest";
import type { ProbeOutcome } from "#shared/rollout/release-orders";
import { FakeClock, settled } from "#test/support/fake-clock";
import { defineJob, type Probe, type ResolvedApp, resolveApp } from "#worker/app";
import { ProbeRunner } from "#worker/probe-runner";
import { type ProbePorts, type ProbeResult, runProbe } from "#worker/run-probe";
import { contractOf, recordingLog } from "./job-builder.ts";

function appWith(probe?: Probe): ResolvedApp {
  const app = resolveApp({ name: "shop", jobs: [defineJob(contractOf(), () => "done")] });
  return probe === undefined ? app : { ...app, probe };
}

function probing(changes: Partial<ProbePorts> = {}) {
  const clock = new FakeClock();
  const { log, lines } = recordingLog();
  const stop = new AbortController();
  const steps: string[] = [];
  const outcome = runProbe({
    app: appWith(),
    release: "shop-v2",
    clock,
    log,
    stop: stop.signal,
    readSamples: async () => {
      steps.push("samples");
      return { read: 3, problems: [] };
    },
    runOwnJob: async () => {
      steps.push("job");
    },
    ...changes,
  });
  return { clock, lines, stop, steps, outcome };
}

describe("a probe", () => {
  test("succeeds when the samples are read, its own job ran and the app says nothing against it", async () => {
    const { outcome, steps, lines } = probing({
      app: appWith(({ release, log }) => log("the mail server answers", { release })),
    });
    const detail = "it read 3 golden samples and ran a job of its own; the app's probe passed";
    expect(await outcome).toEqual({ outcome: "succeeded", detail });
    expect(steps).toEqual(["samples", "job"]);
    expect(lines).toMatchObject([{ msg: "the mail server answers", release: "shop-v2" }]);
  });

  test("needs no probe of the app's", async () => {
    expect((await probing().outcome).detail).toMatch(/; the app has no probe$/);
  });

  test("fails with the first sample that cannot be read, and goes no further", async () => {
    const problems = ["golden sample 1 of a.b version 1 cannot be read by this build: no", "another"];
    const { outcome, steps } = probing({ readSamples: async () => ({ read: 4, problems }) });
    expect(await outcome).toEqual({ outcome: "failed", detail: `2 of 4 golden samples: ${problems[0]}` });
    expect(steps).toEqual([]);
  });

  test.each([
    [
      "the golden samples could not be read: gone",
      { readSamples: async () => Promise.reject(new Error("gone")) },
    ],
    ["a job of its own failed: gone", { runOwnJob: async () => Promise.reject(new Error("gone")) }],
    ["the app's probe failed: gone", { app: appWith(() => Promise.reject("gone")) }],
    [
      "the app's probe failed: gone",
      {
        app: appWith(() => {
          throw new Error("gone");
        }),
      },
    ],
    [
      "the app's probe failed: a thrown object",
      {
        app: appWith(() =>
          Promise.reject({
            toString: () => {
              throw new Error("no");
            },
          }),
        ),
      },
    ],
  ])("fails with a sentence: %s", async (detail, ports) => {
    expect(await probing(ports).outcome).toEqual({ outcome: "failed", detail });
  });

  test("gives the app's probe 30 s, tells it, and waits no longer for one that does not hear", async () => {
    const heard: string[] = [];
    const app = appWith(({ signal }) => {
      signal.addEventListener("abort", () => heard.push("told"));
      return new Promise<void>(() => undefined);
    });
    const { clock, outcome } = probing({ app });
    await settled();
    await clock.advance(29_999);
    expect(heard).toEqual([]);
    await clock.advance(1);
    expect(heard).toEqual(["told"]);
    expect(await outcome).toEqual({
      outcome: "failed",
      detail: "the app's probe failed: it took longer than 30 s",
    });
    expect(clock.waiting).toBe(0);
  });

  test("ends when the worker stops", async () => {
    const { stop, outcome } = probing({ app: appWith(() => new Promise<void>(() => undefined)) });
    await settled();
    stop.abort(new Error("the worker stops"));
    expect((await outcome).detail).toBe("the app's probe failed: the worker stops");
  });

  test("tells at most 500 characters, as the word about it may have", async () => {
    const { outcome } = probing({ runOwnJob: async () => Promise.reject(new Error("x".repeat(9_000))) });
    expect((await outcome).detail).toHaveLength(500);
  });
});

describe("a try of the probe", () => {
  function runnerOf(result: ProbeResult = { outcome: "succeeded", detail: "well" }) {
    const said: string[] = [];
    const state = { runs: 0, isAway: false };
    const runner = new ProbeRunner({
      workerId: "w-1",
      log: recordingLog().log,
      run: async () => {
        state.runs += 1;
        return result;
      },
      say: async ({ attempt, worker, outcome }: ProbeOutcome) => {
        if (state.isAway && outcome !== "pending") throw new Error("Redis is away");
        said.push(`${worker} ${attempt} ${outcome}`);
      },
    });
    return { runner, said, state };
  }

  test("is run once however often it is asked for, and said to be pending before", async () => {
    const { runner, said, state } = runnerOf();
    runner.wanted(1);
    runner.wanted(1);
    await settled();
    runner.wanted(1);
    await settled();
    expect(said).toEqual(["w-1 1 pending", "w-1 1 succeeded"]);
    expect(state.runs).toBe(1);
    runner.wanted(2);
    await settled();
    expect(said.slice(2)).toEqual(["w-1 2 pending", "w-1 2 succeeded"]);
  });

  test("is run again when what it came to could not be told", async () => {
    const { runner, said, state } = runnerOf({ outcome: "failed", detail: "no" });
    state.isAway = true;
    runner.wanted(1);
    await settled();
    state.isAway = false;
    runner.wanted(1);
    await settled();
    expect(said).toEqual(["w-1 1 pending", "w-1 1 pending", "w-1 1 failed"]);
    expect(state.runs).toBe(2);
  });
});
