import { describe, expect, test } from "vitest";
import { decideRolloutEnd } from "#cli/commands/rollout/decide-rollout-exit";
import { JobRates } from "#cli/commands/rollout/job-rates";
import type { Clock } from "#shared/clock";
import { systemClock } from "#shared/system-clock";
import { type Answers, cliHarness, ESC, ok, problem } from "./cli-harness.ts";
import { fleet, record, rollout, view, viewAt, worker } from "./rollout-answers.ts";

const cli = cliHarness();

/** A clock on which every sleep is over at once. */
function hurried(): Clock {
  let nowMs = 0;
  return {
    ...systemClock,
    monotonicMs: () => nowMs,
    sleep: async (durationMs) => {
      nowMs += durationMs;
      return "elapsed";
    },
  };
}

const answers: Answers = {
  "GET /v1/rollouts": ok({ rollouts: [view] }),
  "GET /v1/rollouts/mail": ok(view),
  "GET /v1/fleet": ok(fleet),
};

function along(...views: readonly object[]): Answers {
  return { ...answers, "GET /v1/rollouts/mail": views.map((it) => ok(it)) };
}

describe("rollout get", () => {
  test("shows steps, workers of both releases, gates with sample sizes, and what would change it", async () => {
    const { exitCode, stdout } = await cli.run(["rollout", "get", "mail"], { answers });
    expect(exitCode).toBe(0);
    expect(stdout).toContain(
      "mail-12  mail  mail-1 → mail-2   ⟳ soaking   25 % of slots   soak 1 m 8 s left\n",
    );
    expect(stdout).toContain(" ✓ probe  ✓ 5 %  ⟳ 25 %  ○ 100 %\n");
    expect(stdout).toMatch(/^ now +68 s of the soak are left\n changes with +the end of the soak$/m);
    expect(stdout).toMatch(/^⧉ mail-1 +old +4\/8 +- +0\.5 % +75 % of slots$/m);
    expect(stdout).toMatch(/^├─ w-1 +suspect +2\/4 +- +- +400 ms +no heartbeat for 11 s$/m);
    expect(stdout).toMatch(/^└─ w-2 +ok +2\/4 +- +- +400 ms +takes nothing$/m);
    expect(stdout).toMatch(/^⧉ mail-2 +new +2\/4 +- +0\.5 % +25 % of slots$/m);
    expect(stdout).toMatch(/^└─ w-9 +ok +2\/4 +- +0\.5 % +400 ms$/m);
    expect(stdout).toContain("GATES  ✓ failures: it fails 0.4 % of 212 (n=212, others 4000)\n");
    expect(stdout).not.toContain("w-x");
  });

  test("lists the pools' rollouts without a name, and passes them on in JSON", async () => {
    const { stdout } = await cli.run(["rollout", "get"], { answers });
    expect(stdout).toMatch(/^mail +mail-12 +mail-1 +mail-2 +soaking +25 % +\S+ +68 s of the soak are left$/m);
    const json = JSON.parse((await cli.run(["rollout", "get", "--json"], { answers })).stdout);
    expect(json).toMatchObject({ kind: "Rollouts", rollouts: [{ rollout: { more: 1 } }] });
    const one = JSON.parse((await cli.run(["rollout", "get", "mail", "--json"], { answers })).stdout);
    expect(one).toMatchObject({ kind: "Rollout", rollout: { share: 0.25 } });
  });

  test("tells who paused, forced or halted it, and the suspects, with strangers' text made visible", async () => {
    const hostile = {
      state: "halted",
      paused: { code: "operator", why: `lunch${ESC}[2J`, by: "ada" },
      bypass: { kind: "force", by: "eve", why: "incident", expiresAt: "2026-01-31T13:00:00Z" },
      halt: {
        gate: "failures",
        why: "it fails 34 %",
        suspects: [{ kind: "tenant", name: "acme\u202e", rate: 0.34, restRate: 0.01, finished: 41 }],
      },
      quarantined: [{ worker: "w-9", why: "it stalls" }],
      drainers: [{ release: "mail-0" }],
    };
    const halted = viewAt("halted", { rollout: hostile });
    const { stdout } = await cli.run(["rollout", "get", "mail"], { answers: along(halted) });
    expect(stdout).toContain("paused       by ada: lunch\\x1b[2J");
    expect(stdout).toContain("suspect      tenant acme\\u{202e} fails 34 % of 41, the rest 1 %");
    expect(stdout).toContain("force        by eve until 2026-01-31T13:00:00Z: incident");
    expect(stdout).toContain("quarantined  w-9: it stalls");
    expect(stdout).toMatch(/^⧉ mail-0 +leaving/m);
    expect(stdout).not.toContain(ESC);
  });

  test("exits with 3 for a pool that never had one", async () => {
    const none = { "GET /v1/rollouts/mail": problem(404, "ROLLOUT_NOT_FOUND"), "GET /v1/fleet": ok(fleet) };
    const { exitCode, stderr } = await cli.run(["rollout", "get", "mail"], { answers: none });
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining("`sluice rollout get` lists")]);
  });
});

describe("rollout get --watch", () => {
  const over = viewAt("finished", { rollout: { state: "retired" }, isOver: true });

  test("says each change once outside a terminal, and ends with the last view", async () => {
    const later = viewAt("going-on", { sentence: "12 s of the soak are left" });
    const halted = viewAt("halted", { rollout: { state: "halted" }, sentence: "failures: it fails 34 %" });
    const { exitCode, stdout, stderr } = await cli.run(["rollout", "get", "mail", "-w"], {
      answers: along(view, later, halted, over),
      clock: hurried(),
    });
    expect(exitCode).toBe(0);
    expect(stderr.trimEnd().split("\n")).toEqual([
      "2026-01-31T12:00:52.000Z  soaking 25 % soaking  68 s of the soak are left",
      "2026-01-31T12:00:52.000Z  halted 25 % soaking  failures: it fails 34 %",
    ]);
    expect(stdout).toContain("✓ retired");
  });

  test("gives a sign of life every 15 s while nothing changes", async () => {
    const still = Array.from({ length: 32 }, () => view);
    const { stderr } = await cli.run(["rollout", "get", "mail", "-w"], {
      answers: along(...still, over),
      clock: hurried(),
    });
    // One a second for 31 s: the first, then after 15 and 30 s.
    expect(stderr.trimEnd().split("\n")).toHaveLength(3);
    expect(stderr).toContain("(no change)");
  });

  test("draws over itself in a terminal, cut at its width, and takes that away at the end", async () => {
    const { stdout, stderr } = await cli.run(["rollout", "get", "mail", "-w"], {
      answers: along(view, view, over),
      clock: hurried(),
      terminal: { columns: 60, rows: 30 },
      env: { NO_COLOR: "1" },
    });
    expect(stderr).toBe("");
    const [first = "", second = "", answer = ""] = stdout.split(new RegExp(`${ESC}\\[\\d+A\r`));
    const drawn = first.split("\n").map((line) => line.replaceAll(new RegExp(`${ESC}\\[[KJ]`, "g"), ""));
    expect(Math.max(...drawn.map((line) => [...line].length))).toBe(60);
    expect(second).toContain("⟳ soaking");
    // As many lines back as were drawn; the last piece ends with a newline of its own.
    expect(stdout).toContain(`${ESC}[${drawn.length - 1}A`);
    expect(answer).toContain("✓ retired");
  });

  test("waits for a control API that is away for a moment", async () => {
    const { exitCode, stderr } = await cli.run(["rollout", "get", "mail", "-w"], {
      answers: {
        ...answers,
        "GET /v1/rollouts/mail": [ok(view), problem(503, "REDIS_UNAVAILABLE"), ok(over)],
      },
      clock: hurried(),
    });
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining("waiting: Refused as REDIS_UNAVAILABLE")]);
  });

  test("takes the only rollout that goes on, and asks for a name where there are more", async () => {
    const one = { ...along(over), "GET /v1/rollouts": ok({ rollouts: [view, over] }) };
    expect((await cli.run(["rollout", "get", "-w"], { answers: one, clock: hurried() })).exitCode).toBe(0);
    const two = { ...answers, "GET /v1/rollouts": ok({ rollouts: [view, view] }) };
    const { exitCode, stderr } = await cli.run(["rollout", "get", "-w"], { answers: two });
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining("rollouts go on in mail, mail")]);
  });
});

describe("rollout status", () => {
  const run = (views: readonly object[], args: readonly string[] = []) =>
    cli.run(["rollout", "status", "mail", ...args], { answers: along(...views), clock: hurried() });

  test.each([
    ["current", 0],
    ["finished", 0],
    ["halted", 8],
    ["rolled-back", 8],
  ])("ends when it is %s, with %i", async (verdict, code) => {
    const { exitCode, stdout } = await run([view, view, viewAt(verdict)]);
    expect([exitCode, stdout]).toEqual([code, expect.stringContaining(`mail-1 → mail-2  ${verdict}`)]);
  });

  test("prints only what changes, and why it was halted", async () => {
    const later = viewAt("going-on", { sentence: "3 s of the soak are left" });
    const halt = { gate: "failures", why: "it fails 34 %", suspects: [] };
    const halted = viewAt("halted", { rollout: { state: "halted", halt }, sentence: "failures" });
    const { stdout, stderr } = await run([view, later, later, halted]);
    expect(stderr.trimEnd().split("\n")).toHaveLength(2);
    expect(stdout).toBe("✖ mail-12  mail-1 → mail-2  halted: it fails 34 %\n");
  });

  test("waits out a pause, and ends with 7 when the time is over", async () => {
    const paused = viewAt("paused", { rollout: { paused: { code: "operator", why: "lunch", by: "ada" } } });
    const { exitCode, stderr } = await run([paused], ["--timeout", "5s"]);
    expect(exitCode).toBe(7);
    expect(stderr).toContain("paused: lunch");
    expect(stderr).toContain("The rollout is soaking after 5 s: 68 s of the soak are left.");
  });

  test("says one JSON object, whatever happens", async () => {
    const json = JSON.parse((await run([viewAt("rolled-back")], ["--json"])).stdout);
    expect(json).toMatchObject({ kind: "RolloutStatus", verdict: "rolled-back", rollout: { share: 0.25 } });
    const late = JSON.parse((await run([view], ["--json", "--timeout", "1s"])).stdout);
    expect(late).toMatchObject({ kind: "Error", error: { code: "WAIT_TIMEOUT", exitCode: 7 } });
    expect((await run([view], ["--timeout", "tomorrow"])).exitCode).toBe(2);
  });

  test("takes a verdict that it does not know for one that settles nothing", () => {
    expect(decideRolloutEnd("levitating")).toBeNull();
  });
});

describe("rollout start and lint", () => {
  const why = ["--why", "new tax rules"];

  test("asks with who and why, and says how to watch it", async () => {
    const { exitCode, stdout } = await cli.run(
      ["rollout", "start", "mail", "--to", "mail-2", ...why, "--by", "ada", "--bypass-channel", "1h"],
      { answers: { "POST /v1/rollouts": { status: 201, body: { rollout } } } },
    );
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining("sluice rollout get mail -w")]);
    const body = {
      pool: "mail",
      to: "mail-2",
      why: "new tax rules",
      by: "ada",
      bypassChannelForMs: 3_600_000,
    };
    expect(cli.received).toEqual([body]);
  });

  test("exits with 4 and names everything that is in the way", async () => {
    const errors = [
      { pointer: "", rule: "contract", message: `lane mail.r1${ESC}[2J would be left without a reader` },
      { pointer: "", rule: "window-open", message: "close it first" },
    ];
    const { exitCode, stderr } = await cli.run(["rollout", "start", "mail", "--to", "mail-2", ...why], {
      answers: { "POST /v1/rollouts": problem(409, "ROLLOUT_BLOCKED", { errors }) },
    });
    expect(exitCode).toBe(4);
    expect(stderr).toContain("\n  - lane mail.r1\\x1b[2J would be left without a reader  (contract)\n");
    expect(stderr).toContain("\n  - close it first  (window-open)\n");
  });

  test("says when it is not known whether it began", async () => {
    const { exitCode, stderr } = await cli.run(["rollout", "start", "mail", "--to", "mail-2", ...why], {
      answers: { "POST /v1/rollouts": problem(503, "ROLLOUT_CHANGE_UNKNOWN") },
    });
    expect([exitCode, stderr]).toEqual([
      6,
      expect.stringContaining("It is not known whether the rollout changed."),
    ]);
  });

  test("lint exits with 4 when something would be in the way, else with 0", async () => {
    const lint = (mayStart: boolean, blockers: readonly object[]) =>
      cli.run(["rollout", "lint", "mail", "--to", "mail-2"], {
        answers: { "POST /v1/rollouts/mail/lint": ok({ mayStart, blockers }) },
      });
    expect(await lint(true, [])).toMatchObject({ exitCode: 0, stdout: "✓ may begin  mail-2 in mail\n" });
    const blocked = await lint(false, [{ code: "contract", what: "no reader" }]);
    expect(blocked).toMatchObject({
      exitCode: 4,
      stdout: expect.stringContaining("- no reader  (contract)"),
    });
  });
});

describe("rollout acts", () => {
  const done = {
    rollout: { ...rollout, revision: 8 },
    record: { ...record, to: "rolling-back", sentence: "back" },
  };

  test.each([
    [["pause"], "pause", {}],
    [["promote"], "promote", {}],
    [["promote", "--full"], "promote-full", {}],
    [["force", "--expires", "30m"], "force", { expiresInMs: 1_800_000 }],
    [["abort", "--expected", "7"], "abort", { expected: 7 }],
    [["revise", "--to", "mail-3"], "revise", { to: "mail-3" }],
    [["close"], "close", {}],
  ])("%j posts to %s", async ([act = "", ...options], path, more) => {
    const args = ["rollout", act, "mail", ...options, "--why", "an incident", "--by", "ada"];
    const { exitCode, stdout } = await cli.run(args, {
      answers: { [`POST /v1/rollouts/mail/${path}`]: ok(done) },
    });
    expect([exitCode, stdout]).toEqual([0, "mail-12  soaking → rolling-back (revision 8): back\n"]);
    expect(cli.received).toEqual([{ why: "an incident", by: "ada", ...more }]);
  });

  test("exit with 4 when the state does not allow it, and with 2 without a reason or an end", async () => {
    const refused = { "POST /v1/rollouts/mail/undo": problem(409, "ROLLOUT_STATE") };
    const undo = await cli.run(["rollout", "undo", "mail", "--why", "slow"], { answers: refused });
    expect([undo.exitCode, undo.stderr]).toEqual([
      4,
      expect.stringContaining("`sluice rollout get mail` shows"),
    ]);
    expect((await cli.run(["rollout", "abort", "mail"])).exitCode).toBe(2);
    expect((await cli.run(["rollout", "force", "mail", "--why", "now"])).exitCode).toBe(2);
  });
});

describe("rollout history", () => {
  test("shows what was before, and every transition with its reason", async () => {
    const { stdout } = await cli.run(["rollout", "history", "mail", "--limit", "2"], {
      answers: {
        "GET /v1/rollouts/mail/history": ok({ rollouts: [{ ...rollout, id: "mail-11", state: "retired" }] }),
        "GET /v1/rollouts/mail/records?limit=2": ok({ records: [record, { ...record, from: "verifying" }] }),
      },
    });
    expect(stdout).toMatch(/^ {2}mail-11 +mail-1 +mail-2 +retired/m);
    expect(stdout).toMatch(/verifying → soaking +soaking +rollout +68 s of the soak are left$/m);
  });
});

test("rates are jobs a second between looks that are far enough apart", () => {
  const rates = new JobRates();
  const at = (succeeded: number, atMs: number) =>
    rates.see([{ ...worker(), settled: { succeeded } } as never], atMs);
  at(100, 0);
  expect(rates.bySecond.get("w-9")).toBeUndefined();
  at(103, 1_000);
  expect(rates.bySecond.get("w-9")).toBeUndefined();
  at(112, 3_000);
  // 12 jobs in 3 s.
  expect(rates.bySecond.get("w-9")).toBe(4);
  at(113, 4_000);
  expect(rates.bySecond.get("w-9")).toBe(4);
});
