/** The executor of one machine: what it refuses, what it bounds, and what it does alone. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { EpochFile } from "#autoscaler/fleet/epoch-file";
import type { FleetCommand } from "#autoscaler/fleet/fleet-executor";
import { KeepMinimum, LEADERLESS_MS } from "#autoscaler/fleet/keep-minimum";
import { LocalExecutor } from "#autoscaler/fleet/local-executor";
import type { WorkerEnd } from "#autoscaler/fleet/local-processes";
import { STARTS_MAX } from "#autoscaler/fleet/start-limits";
import type { RunningWorker } from "#autoscaler/fleet/worker-roster";
import { createLog } from "#shared/log";
import { FakeClock } from "#test/support/fake-clock";

let directory: string;
let clock: FakeClock;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sluice-executor-"));
  clock = new FakeClock();
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Workers that are this very process: it runs, and no signal is sent. */
function executorOf(
  changes: { readonly workersMin?: number; readonly workersMax?: number } = {},
  name = "w",
) {
  const signals: string[] = [];
  const ends = new Map<string, (end: Omit<WorkerEnd, "worker">) => void>();
  let number = 0;
  const executor = new LocalExecutor({
    directory,
    clock,
    log: createLog("test", "silent"),
    pools: ["probe"],
    bounds: () => ({ workersMin: 0, workersMax: 100, ...changes }),
    memory: () => ({ freeBytes: 1e9, totalBytes: 1e10 }),
    guard: () => undefined,
    processes: {
      start: (queue, release, onEnd) => {
        number += 1;
        const workerId = `${name}-${number}`;
        const worker: RunningWorker = {
          workerId,
          queue,
          release,
          startedAtMs: clock.nowMs(),
          pid: process.pid,
        };
        ends.set(workerId, (end) => onEnd({ worker, ...end }));
        return worker;
      },
      signal: (_pid, name) => signals.push(name),
      longestDrainMs: 0,
    },
  });
  const die = (workerId: string, code: number | null = 1, livedMs = 100) =>
    ends.get(workerId)?.({ code, signal: code === null ? "SIGKILL" : null, words: null, livedMs });
  return { executor, signals, die };
}

function commandOf(changes: Partial<FleetCommand> = {}): FleetCommand {
  return {
    epoch: 5,
    sequence: 1,
    queue: "probe",
    release: "v1",
    desired: 2,
    leaving: [],
    heard: [],
    ...changes,
  };
}

describe("a command", () => {
  test("starts what is missing, and nothing when it is repeated", async () => {
    const { executor } = executorOf();
    expect(await executor.desired(commandOf())).toEqual({ started: ["w-1", "w-2"], limitedBy: null });
    expect(await executor.desired(commandOf({ sequence: 2 }))).toEqual({ started: [], limitedBy: null });
    expect(await executor.desired(commandOf({ sequence: 3, leaving: ["w-1"] }))).toMatchObject({
      started: ["w-3"],
    });
  });

  test("of an earlier term is refused, on disk, and so by another process of the machine too", async () => {
    const newer = executorOf().executor;
    const older = executorOf();
    await older.executor.desired(commandOf({ epoch: 5 }));
    await newer.desired(commandOf({ epoch: 6 }));
    const stale = { code: "EPOCH_STALE", epoch: 5, newest: 6 };
    await expect(older.executor.desired(commandOf({ sequence: 2, desired: 9 }))).rejects.toMatchObject(stale);
    await expect(older.executor.stop({ epoch: 5, workers: ["w-1"] })).rejects.toMatchObject(stale);
    expect(older.signals).toEqual([]);
    const journal = readFileSync(join(directory, "journal.jsonl"), "utf8").trim().split("\n");
    expect(journal.map((line) => JSON.parse(line).what)).toEqual(["start", "start", "refused", "refused"]);
  });

  test("to stop reaches a worker once, since a second signal would end the job that it still has", async () => {
    const { executor, signals } = executorOf();
    await executor.desired(commandOf());
    await executor.stop({ epoch: 5, workers: ["w-1"] });
    await executor.stop({ epoch: 5, workers: ["w-1"] });
    expect(signals).toEqual(["SIGTERM"]);
    await executor.stop({ epoch: 5, workers: ["w-1", "w-2"] });
    expect(signals).toEqual(["SIGTERM", "SIGTERM"]);
  });

  test("that a later one of its own term has overtaken is refused", async () => {
    const { executor } = executorOf();
    await executor.desired(commandOf({ sequence: 9 }));
    await expect(executor.desired(commandOf({ sequence: 8 }))).rejects.toMatchObject({ code: "EPOCH_STALE" });
    // The process begins anew and still knows.
    await expect(executorOf().executor.desired(commandOf({ sequence: 8 }))).rejects.toMatchObject({
      code: "EPOCH_STALE",
    });
  });

  test("never leads beyond the pool's maximum, all releases together", async () => {
    const { executor } = executorOf({ workersMax: 3 });
    await executor.desired(commandOf({ release: "v1", desired: 2 }));
    expect(await executor.desired(commandOf({ sequence: 2, release: "v2", desired: 5 }))).toEqual({
      started: ["w-3"],
      limitedBy: "workers-max",
    });
  });

  test("never starts workers faster than the rate, and the next one goes on", async () => {
    const { executor } = executorOf();
    const first = await executor.desired(commandOf({ desired: STARTS_MAX + 10 }));
    expect(first).toMatchObject({ limitedBy: "start-rate" });
    expect(first.started).toHaveLength(STARTS_MAX);
    await clock.advance(10_001);
    const second = await executor.desired(commandOf({ sequence: 2, desired: STARTS_MAX + 10 }));
    expect(second.started).toHaveLength(10);
  });

  test("is not carried out while the disk cannot be read, and says which file", async () => {
    const { executor } = executorOf();
    await executor.desired(commandOf());
    writeFileSync(join(directory, "epoch-5.json"), "{");
    const corrupt = { code: "EPOCH_FILE_CORRUPT", path: join(directory, "epoch-5.json") };
    await expect(executor.desired(commandOf({ epoch: 5, sequence: 2 }))).rejects.toMatchObject(corrupt);
    await expect(executor.desired(commandOf({ epoch: 6 }))).rejects.toMatchObject(corrupt);
    expect(() => executor.keepMinimum(() => true)).toThrow("cannot be read");
    rmSync(join(directory, "epoch-5.json"));
    expect((await executor.desired(commandOf({ epoch: 6 }))).started).toEqual([]);
  });
});

describe("workers that end at birth", () => {
  test("open the circuit after five in a row; one is tried at a time, and one that is heard of closes it", async () => {
    const { executor, die } = executorOf();
    const blocked = async () => (await executor.status()).blocked;
    let sequence = 0;
    const ask = (changes: Partial<FleetCommand> = {}) => {
      sequence += 1;
      return executor.desired(commandOf({ sequence, desired: 5, ...changes }));
    };
    for (const worker of (await ask()).started) die(worker);
    expect(await ask()).toEqual({ started: [], limitedBy: "start-failures" });
    expect((await blocked())[0]?.reason).toBe(
      "5 workers of v1 in a row ended at once (the last with exit code 1); next try in 16 s.",
    );
    await clock.advance(16_001);
    const trial = (await ask()).started;
    expect(trial).toHaveLength(1);
    expect((await ask()).started).toEqual([]);
    expect((await blocked())[0]?.reason).toContain("one is being tried");
    expect((await ask({ heard: trial })).started).toHaveLength(4);
    expect(await blocked()).toEqual([]);
  });

  test("say nothing of their release when Redis was away, or when they were well and are killed", async () => {
    const { executor, die } = executorOf();
    const [first = "", second = ""] = (await executor.desired(commandOf())).started;
    die(first, 69);
    await executor.desired(commandOf({ sequence: 2, desired: 1, heard: [second] }));
    die(second, null);
    expect((await executor.status()).blocked).toEqual([]);
  });
});

describe("alone", () => {
  test("the executor keeps the minimum of what it was told last, and no more", async () => {
    const { executor, die } = executorOf({ workersMin: 2 });
    await executor.desired(commandOf({ desired: 3 }));
    for (const worker of ["w-1", "w-2", "w-3"]) die(worker, null, 60_000);
    await clock.advance(60_000);
    let leaderlessMs = LEADERLESS_MS - 1;
    const lock = { hold: () => true, release: () => undefined };
    const keeper = new KeepMinimum({
      clock,
      log: createLog("test", "silent"),
      lock,
      executor,
      leaderlessMs: () => leaderlessMs,
    });
    keeper.look();
    expect((await executor.status()).workers).toEqual([]);
    leaderlessMs = LEADERLESS_MS;
    keeper.look();
    keeper.look();
    expect((await executor.status()).workers.map((it) => it.release)).toEqual(["v1", "v1"]);
  });

  test("workers that were told to leave are no part of the minimum, for whoever of the machine keeps it", async () => {
    const { executor, die } = executorOf({ workersMin: 2 });
    await executor.desired(commandOf({ desired: 3 }));
    await executor.desired(commandOf({ sequence: 2, desired: 2, leaving: ["w-3"] }));
    const next = executorOf({ workersMin: 2 }, "next").executor;
    next.keepMinimum(() => true);
    expect((await next.status()).workers).toHaveLength(3);
    die("w-2", null, 60_000);
    next.keepMinimum(() => true);
    next.keepMinimum(() => true);
    expect((await next.status()).workers.map((it) => it.workerId)).toEqual(["w-1", "w-3", "next-1"]);
  });

  test("it starts nothing that no leader has asked for", async () => {
    const { executor } = executorOf({ workersMin: 2 });
    executor.keepMinimum(() => true);
    await executor.desired(commandOf({ desired: 0 }));
    executor.keepMinimum(() => true);
    expect((await executor.status()).workers).toEqual([]);
  });
});

describe("the last autoscaler that stops", () => {
  test("ends the workers that are there, and leaves those that another starts in the meantime", async () => {
    const { executor, signals } = executorOf();
    const next = executorOf({}, "next").executor;
    await executor.desired(commandOf({ desired: 1 }));
    let isStopped = false;
    const stopped = executor.stopAll().then(() => {
      isStopped = true;
    });
    await next.desired(commandOf({ epoch: 6, desired: 2 }));
    await clock.advance(3_900);
    expect({ signals, isStopped }).toEqual({ signals: ["SIGTERM"], isStopped: false });
    await clock.advance(200);
    await stopped;
    expect(signals).toEqual(["SIGTERM", "SIGKILL"]);
    expect((await next.status()).workers.map((it) => it.workerId)).toContain("next-1");
  });
});

describe("the epochs on disk", () => {
  test("are read with what leaves left out, as the first files had it", () => {
    const pools = { probe: { sequence: 4, desired: { v1: 2 } } };
    writeFileSync(join(directory, "epoch-2.json"), JSON.stringify({ epoch: 2, pools }));
    expect(new EpochFile(directory).read()?.pools.probe?.leaving).toEqual([]);
  });

  test("never fall, even when an older leader writes after a newer one", async () => {
    const file = new EpochFile(directory);
    await file.write({ epoch: 2, pools: {} });
    await file.write({ epoch: 3, pools: {} });
    expect(readdirSync(directory)).toEqual(["epoch-3.json"]);
    // A leader that was paused between its look and its write.
    writeFileSync(join(directory, "epoch-2.json"), JSON.stringify({ epoch: 2, pools: {} }));
    expect(file.highest()).toBe(3);
    await expect(file.write({ epoch: 2, pools: {} })).rejects.toMatchObject({ newest: 3 });
  });
});
