import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readRunLines } from "#cli/demo/read-run-lines";
import { app as demoV1 } from "#examples/demo/releases/demo-v1";
import { app as demoV2 } from "#examples/demo/releases/demo-v2";
import { app as demoV3 } from "#examples/demo/releases/demo-v3";
import { RunLedger } from "#examples/demo/run-ledger";
import { createDemo, type OrderBuild } from "#examples/demo/take-orders";
import { readSluiceConfig } from "#shared/sluice-config";
import { describeApp, type HandlerContext } from "#worker/app";

const RELEASES = new URL("../../../examples/demo/releases/", import.meta.url);

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sluice-orders-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const contextOf = (more: Partial<HandlerContext> = {}, starts = 1): HandlerContext => ({
  signal: new AbortController().signal,
  fence: { jobId: "demo~1", starts },
  attempt: 1,
  release: "demo-test",
  enqueue: async () => ({ id: "demo~child", isNew: true }),
  progress: () => undefined,
  log: () => undefined,
  ...more,
});

function run(build: OrderBuild, options: { data?: object; context?: HandlerContext; worker?: string } = {}) {
  const app = createDemo(build, new RunLedger(directory, options.worker ?? "w-1"));
  const data = { n: 1, workMs: 1, ...options.data };
  const job = { jobId: "demo~1", type: "demo.order", data, schemaVersion: 1, attributes: {} };
  return Promise.resolve(app.jobs[0]?.handler(job, options.context ?? contextOf()));
}

const events = async () => (await readRunLines(directory)).map(({ event, how }) => how ?? event);

describe("the releases of the demo", () => {
  it("break the version before, which each reads by a step of its own", () => {
    const types = [demoV1, demoV2, demoV3].map((app) => describeApp(app, "demo").types[0]);
    expect(types.map((it) => it?.versions.map(({ minReaderVersion }) => minReaderVersion))).toEqual([
      [1],
      [1, 2],
      [1, 2, 3],
    ]);
    expect(types[2]?.versions.map(({ hasUpcast }) => hasUpcast)).toEqual([false, true, true]);
    expect(types[1]?.policy).toEqual(types[0]?.policy);
  });

  it("are all named in the demo's own readme", () => {
    const readme = readFileSync(new URL("../README.md", RELEASES), "utf8");
    for (const file of readdirSync(RELEASES)) expect(readme).toContain(`\`${file.replace(".ts", "")}\``);
  });

  it("begin with a configuration that is valid", async () => {
    const config = await readSluiceConfig(fileURLToPath(new URL("../sluice.config.json", RELEASES)));
    expect(config.releases.map(({ id }) => id)).toEqual(["demo-v1"]);
  });
});

describe("an order", () => {
  it("leaves a line at its start and one at its end", async () => {
    await run({ version: 1 });
    expect(await readRunLines(directory)).toEqual([
      expect.objectContaining({ event: "start", jobId: "demo~1", starts: 1, release: "demo-test" }),
      expect.objectContaining({ event: "end", how: "done", worker: "w-1" }),
    ]);
  });

  it("that asks to fail leaves that it failed, and one that was told to end that it was stopped", async () => {
    await expect(run({ version: 1 }, { data: { act: "throw" } })).rejects.toThrow("asks to fail");
    const draining = contextOf({ signal: AbortSignal.abort(new Error("draining")) });
    const endless = { version: 1, faults: { endless: true } } as const;
    await expect(run(endless, { data: { act: "endless" }, context: draining })).rejects.toThrow("draining");
    expect(await events()).toEqual(["start", "failed", "start", "aborted"]);
  });

  it("that never ends on one build ends on another", async () => {
    await run({ version: 2 }, { data: { act: "endless" } });
    expect(await events()).toEqual(["start", "done"]);
  });

  it("tells each order that it enqueued, also when the next one is refused", async () => {
    let calls = 0;
    const enqueue = async () => {
      calls += 1;
      if (calls === 2) throw new Error("refused");
      return { id: "demo~child", isNew: true };
    };
    const build = { version: 2, faults: { children: 2 } } as const;
    await expect(run(build, { context: contextOf({ enqueue }) })).rejects.toThrow("refused");
    expect(await events()).toEqual(["start", "child", "failed"]);
  });

  it("fails on a bad build whenever that runs it", async () => {
    const build = { version: 2, faults: { failShare: 1 } } as const;
    for (const starts of [1, 2]) {
      await expect(run(build, { context: contextOf({}, starts) })).rejects.toThrow("bug");
    }
  });

  it("fails on the second worker that a bad machine's build has, and on no other", async () => {
    const build = { version: 2, faults: { badWorkerFailShare: 1 } } as const;
    await run(build, { worker: "w-1" });
    await expect(run(build, { worker: "w-2" })).rejects.toThrow("machine");
    await run(build, { worker: "w-3" });
    expect((await events()).filter((it) => it === "failed")).toHaveLength(1);
  });
});
