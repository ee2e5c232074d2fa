/** The Docker executor: what it refuses, what it bounds, what it takes over, and what it does alone. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { EngineError } from "#autoscaler/executor-service/docker-engine";
import { DockerExecutor, UNLED_MS } from "#autoscaler/executor-service/docker-executor";
import { Templates } from "#autoscaler/executor-service/templates";
import type { FleetCommand } from "#autoscaler/fleet/fleet-executor";
import { createLog } from "#shared/log";
import { FakeClock } from "#test/support/fake-clock";
import { FakeWorkers } from "./fake-workers.ts";

let directory: string;
let clock: FakeClock;
let workers: FakeWorkers;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sluice-docker-executor-"));
  clock = new FakeClock();
  workers = new FakeWorkers(clock);
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

function executorOf(changes: { readonly workersMin?: number; readonly workersMax?: number } = {}) {
  const pool = { executor: "docker" as const, slotsPerWorker: 8, scaleInHoldMs: 60_000 };
  const config = {
    path: "/sluice.config.json",
    queues: { shop: { pickupPromiseMs: 5_000 } },
    pools: { shop: { ...pool, workersMin: 0, workersMax: 100, drainDeadlineMs: 20_000, ...changes } },
    releases: [
      { id: "v1", app: "/app/v1.js", command: null, image: "shop:1" },
      { id: "v2", app: "/app/v2.js", command: null, image: "shop:2" },
      { id: "local", app: "/app/v2.js", command: null },
    ],
  };
  const templates = new Templates(config, 30_000);
  const log = createLog("test", "silent");
  return new DockerExecutor({ directory, clock, log, templates: () => templates, workers });
}

function commandOf(changes: Partial<FleetCommand> = {}): FleetCommand {
  const named = { queue: "shop", release: "v1", leaving: [], heard: [] };
  return { epoch: 5, sequence: 1, desired: 2, ...named, ...changes };
}

describe("a command", () => {
  test("starts what is missing, and nothing when it is repeated", async () => {
    const executor = executorOf();
    expect(await executor.desired(commandOf())).toEqual({ started: ["w-1", "w-2"], limitedBy: null });
    expect(await executor.desired(commandOf({ sequence: 2 }))).toEqual({ started: [], limitedBy: null });
  });

  test("is carried out by an executor that was started anew, with the containers that it finds", async () => {
    await executorOf().desired(commandOf());
    const executor = executorOf();
    await executor.look();
    expect(await executor.desired(commandOf({ sequence: 2, desired: 3 }))).toMatchObject({
      started: ["w-3"],
    });
  });

  test("does not count workers that leave", async () => {
    const executor = executorOf();
    await executor.desired(commandOf());
    const answer = await executor.desired(commandOf({ sequence: 2, leaving: ["w-1"] }));
    expect(answer).toEqual({ started: ["w-3"], limitedBy: null });
  });

  test("starts nothing beyond the pool's maximum, of all releases together", async () => {
    const executor = executorOf({ workersMax: 3 });
    await executor.desired(commandOf());
    const answer = await executor.desired(commandOf({ sequence: 2, release: "v2" }));
    expect(answer).toEqual({ started: ["w-3"], limitedBy: "workers-max" });
  });

  test("of an earlier term is refused, also by an executor that was started anew, and noted", async () => {
    await executorOf().desired(commandOf());
    const executor = executorOf();
    await expect(executor.desired(commandOf({ epoch: 4 }))).rejects.toMatchObject({
      code: "EPOCH_STALE",
      newest: 5,
    });
    await expect(executor.stop({ epoch: 4, workers: ["w-1"] })).rejects.toMatchObject({
      code: "EPOCH_STALE",
    });
    expect(workers.acts).toEqual([]);
    const journal = readFileSync(join(directory, "journal.jsonl"), "utf8");
    expect(journal).toContain('"what":"refused","epoch":4,"newest":5');
  });

  test("that a later one of its term has overtaken is refused", async () => {
    const executor = executorOf();
    await executor.desired(commandOf({ sequence: 9 }));
    await expect(executor.desired(commandOf({ sequence: 8 }))).rejects.toMatchObject({ code: "EPOCH_STALE" });
  });

  test("for what the engine refuses is held back for longer each time, and says why", async () => {
    const executor = executorOf();
    workers.refusal = new EngineError("the engine has no image shop:1", 404);
    expect(await executor.desired(commandOf())).toEqual({ started: [], limitedBy: "start-failures" });
    workers.refusal = null;
    expect(await executor.desired(commandOf({ sequence: 2 }))).toMatchObject({ started: [] });
    const [blocked] = (await executor.status()).blocked;
    expect(blocked).toMatchObject({ queue: "shop", release: "v1" });
    expect(blocked?.reason).toContain("the engine has no image shop:1");
    // Two were tried at once, so the second failure's wait counts: 2 s.
    await clock.advance(2_000);
    expect(await executor.desired(commandOf({ sequence: 3 }))).toMatchObject({ limitedBy: null });
  });

  test("for a release whose workers end at birth is held back", async () => {
    const executor = executorOf();
    await executor.desired(commandOf());
    workers.end("w-1", 78);
    workers.end("w-2", 78);
    await executor.look();
    const answer = await executor.desired(commandOf({ sequence: 2 }));
    expect(answer).toEqual({ started: [], limitedBy: "start-failures" });
    const { ended, blocked } = await executor.status();
    expect(ended).toEqual(["w-1", "w-2"]);
    expect(blocked[0]?.reason).toContain("with exit code 78");
  });
});

describe("a stop", () => {
  test("drains whom it names, once, and kills after the deadline and four seconds", async () => {
    const executor = executorOf();
    await executor.desired(commandOf());
    await executor.stop({ epoch: 5, workers: ["w-2", "w-unknown"] });
    await executor.stop({ epoch: 5, workers: ["w-2"] });
    expect(workers.acts).toEqual(["drain w-2"]);
    // 20 s of the pool, and 4 s more.
    await clock.advance(23_999);
    await executor.look();
    expect(workers.acts).toEqual(["drain w-2"]);
    await clock.advance(1);
    await executor.look();
    expect(workers.acts).toEqual(["drain w-2", "kill w-2"]);
  });

  test("is not said again by an executor that was started anew", async () => {
    const before = executorOf();
    await before.desired(commandOf());
    await before.stop({ epoch: 5, workers: ["w-2"] });
    const executor = executorOf();
    await executor.look();
    await executor.stop({ epoch: 5, workers: ["w-2"] });
    expect(workers.acts).toEqual(["drain w-2"]);
  });
});

describe("without a leader", () => {
  test("the minimum of what was told last is kept, and no more", async () => {
    const executor = executorOf({ workersMin: 2 });
    await executor.desired(commandOf({ desired: 3 }));
    for (const id of ["w-1", "w-2", "w-3"]) workers.end(id, null);
    // They were well: a worker that ends at birth would be held back.
    await clock.advance(UNLED_MS - 1);
    await executor.look();
    expect((await executor.status()).workers).toEqual([]);
    await clock.advance(60_000);
    await executor.look();
    await executor.look();
    expect((await executor.status()).workers).toHaveLength(2);
  });

  test("a worker that leaves is made good for the minimum, and none before a leader was heard", async () => {
    const fresh = executorOf({ workersMin: 2 });
    await clock.advance(UNLED_MS);
    await fresh.look();
    expect(workers.containers.size).toBe(0);
    await fresh.desired(commandOf());
    await fresh.desired(commandOf({ sequence: 2, desired: 2, leaving: ["w-1"] }));
    workers.end("w-3", 0);
    await fresh.look();
    await clock.advance(UNLED_MS);
    await fresh.look();
    // w-1 leaves and w-2 stays; w-4 stands in for w-3.
    expect([...workers.containers.keys()]).toEqual(["w-1", "w-2", "w-4"]);
  });
});

describe("what it finds", () => {
  test("of no declared release is drained, and what is declared is taken over", async () => {
    workers.add("w-old", { queue: "shop", release: "gone" });
    workers.add("w-local", { queue: "shop", release: "local" });
    workers.add("w-mine", { queue: "shop", release: "v2" });
    const executor = executorOf();
    await executor.look();
    expect(workers.acts).toEqual(["drain w-old", "drain w-local"]);
    expect((await executor.status()).workers.map((it) => it.workerId)).toContain("w-mine");
  });

  test("missing at the next look has ended, whoever has removed it", async () => {
    const executor = executorOf();
    await executor.desired(commandOf({ desired: 1 }));
    workers.containers.clear();
    await executor.look();
    expect(await executor.status()).toMatchObject({ workers: [], ended: ["w-1"] });
  });
});

test("a stop of the process drains all workers, and starts none meanwhile", async () => {
  const executor = executorOf({ workersMin: 2 });
  await executor.desired(commandOf());
  const stopped = executor.stopAll();
  await clock.advance(UNLED_MS + 1_000);
  expect(await executor.desired(commandOf({ sequence: 2, desired: 3 }))).toMatchObject({ started: [] });
  expect(workers.acts).toEqual(["drain w-1", "drain w-2"]);
  workers.end("w-1", 0);
  workers.end("w-2", 0);
  await clock.advance(1_000);
  await stopped;
  expect(workers.containers.size).toBe(0);
});
