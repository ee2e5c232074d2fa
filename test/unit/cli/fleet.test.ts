import { describe, expect, test } from "vitest";
import { cliHarness, ESC, ok, problem } from "./cli-harness.ts";
import { fleet } from "./rollout-answers.ts";

const cli = cliHarness();

const hold = {
  worker: "w-1",
  order: "quarantine",
  by: `ada${ESC}[2J`,
  why: "its disk",
  at: "2026-01-31T12:00:00Z",
};

describe("fleet list", () => {
  test("shows the workers, and who holds which and why", async () => {
    const { exitCode, stdout } = await cli.run(["fleet", "list"], {
      answers: { "GET /v1/fleet": ok(fleet), "GET /v1/fleet/holds": ok({ holds: [hold] }) },
    });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /^w-1 +mail-1 +mail +suspect +2\/4 +400 ms +no heartbeat for 11 s +quarantine by ada\\x1b\[2J: its disk$/m,
    );
    expect(stdout).toMatch(/^w-2 .* takes nothing +-$/m);
  });
});

describe("fleet drain, quarantine and run", () => {
  test.each([
    ["drain", "drains"],
    ["quarantine", "takes nothing"],
    ["run", "takes jobs again"],
  ])("%s asks for it with who and why", async (order, said) => {
    const args = ["fleet", order, "w-1", "--why", "its disk is full", "--by", "ada"];
    const { exitCode, stdout } = await cli.run(args, {
      answers: { [`POST /v1/fleet/workers/w-1/${order}`]: ok({ hold: { ...hold, order } }) },
    });
    expect([exitCode, stdout]).toEqual([0, `w-1  ${said}, with the leader's next round\n`]);
    expect(cli.received).toEqual([{ why: "its disk is full", by: "ada" }]);
  });

  test("exits with 3 for a worker that is not there, and with 4 for one that a rollout holds", async () => {
    const run = (code: string, status: number) =>
      cli.run(["fleet", "run", "w-1", "--why", "it is well"], {
        answers: { "POST /v1/fleet/workers/w-1/run": problem(status, code) },
      });
    const gone = await run("WORKER_NOT_FOUND", 404);
    expect([gone.exitCode, gone.stderr]).toEqual([3, expect.stringContaining("`sluice fleet list`")]);
    expect((await run("WORKER_HELD", 409)).exitCode).toBe(4);
  });
});
