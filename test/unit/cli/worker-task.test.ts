import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { exitCodeOfTask, runWorkerTask, type WorkerTask } from "#cli/worker-task";
import { systemClock } from "#shared/system-clock";
import { neverStopped } from "./cli-harness.ts";

const directory = mkdtempSync(join(tmpdir(), "sluice-test-"));
afterAll(() => rmSync(directory, { recursive: true }));

const main = join(directory, "main.mjs");
const ports = { clock: systemClock, signals: neverStopped() };

function task(script: string, changes: Partial<WorkerTask> = {}): WorkerTask {
  writeFileSync(main, script);
  const command = [process.execPath, main, "--before"];
  return { command, task: "named", env: { A: "1" }, cwd: directory, timeoutMs: 60_000, ...changes };
}

describe("a task of a worker", () => {
  test("gets its name, its environment and its input, and its output is kept apart from its complaints", async () => {
    const script = `
      let text = "";
      for await (const chunk of process.stdin) text += chunk;
      console.error("a complaint");
      console.log(JSON.stringify([process.argv.slice(2), process.env.A, process.env.HOME ?? null, text]));
      process.exitCode = 3;
    `;
    const lines: string[] = [];
    const end = await runWorkerTask(
      task(script, { input: "given", onLine: (line) => lines.push(line) }),
      ports,
    );
    expect(end).toMatchObject({ code: 3, signal: null, complaint: "a complaint\n" });
    expect(JSON.parse(end.output)).toEqual([["--before", "named"], "1", null, "given"]);
    expect(lines.toSorted()).toEqual([end.output.trim(), "a complaint"].toSorted());
  });

  test("may end without reading its input", async () => {
    const end = await runWorkerTask(task("process.exit(4)", { input: "x".repeat(1_000_000) }), ports);
    expect(end.code).toBe(4);
  });

  test("that cannot be started is told as that", async () => {
    const broken = task("", { command: [join(directory, "no-such-program")] });
    await expect(runWorkerTask(broken, ports)).rejects.toMatchObject({
      failure: { code: "TASK_NOT_STARTED" },
    });
  });

  test("is ended when its time is up, also when something that it started holds its output open", async () => {
    const script = `
      import { spawn } from "node:child_process";
      const child = spawn(process.execPath, ["-e", "setTimeout(() => {}, 20000)"], { stdio: "inherit" });
      process.on("SIGTERM", () => { process.exit(0); });
      process.on("exit", () => { console.log(child.pid); });
      setInterval(() => {}, 1000);
    `;
    let pid = "";
    const hanging = task(script, { timeoutMs: 1_000, onLine: (line) => (pid = line) });
    const ended = runWorkerTask(hanging, ports);
    await expect(ended).rejects.toMatchObject({ failure: { exitCode: 7, code: "TASK_TIMEOUT" } });
    process.kill(Number(pid), "SIGKILL");
  });

  test("gets ^C passed on, and is killed by a second one", async () => {
    const [stop, insist] = [new AbortController(), new AbortController()];
    const signals = { stop: stop.signal, insist: insist.signal };
    const script = `
      process.on("SIGINT", () => console.log("asked"));
      setInterval(() => {}, 1000);
      console.log("ready");
    `;
    const onLine = (line: string) => {
      if (line === "ready") stop.abort();
      if (line === "asked") insist.abort();
    };
    const end = await runWorkerTask(task(script, { onLine }), { clock: systemClock, signals });
    expect(end).toMatchObject({ code: null, signal: "SIGKILL" });
  });
});

describe("the exit code for the end of a task", () => {
  test.for([
    [78, 2],
    [77, 4],
    [72, 4],
    [69, 6],
    [1, 1],
    [null, 1],
  ] as const)("%s is %d", ([code, exitCode]) => {
    expect(exitCodeOfTask(code)).toBe(exitCode);
  });
});
