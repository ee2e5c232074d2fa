/** `sluice scale simulate`: what it asks the autoscaler's task, and how it shows the answer. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { POLICY_NAMES } from "#autoscaler/simulator/contest";
import { POLICIES } from "#cli/commands/scale/simulate-options";
import { cliHarness, ESC } from "./cli-harness.ts";

const harness = cliHarness();

const interval = (mean: number, ci95: number | null = null) => ({ mean, ci95 });

const METRICS = {
  missesPercent: interval(0.25, 0.1),
  workerHours: interval(12.5, 0.5),
  pickupP50Ms: interval(100),
  pickupP95Ms: interval(2_000),
  pickupP99Ms: interval(9_000),
  jobsKilled: interval(0),
  jobsRunTwice: interval(0),
  flipsPerHour: interval(3),
  workersPeak: interval(7),
};

const POOL = {
  pool: "shop",
  trace: "day.csv",
  kind: "counts",
  pickupPromiseMs: 60_000,
  hours: 24,
  loadSlots: 20,
  workHours: 480,
  policies: [{ name: "sluice", policy: "sluice", metrics: METRICS }],
  impossible: ["keda-tuned"],
  svg: null,
};

/** The task gives this answer, and writes down what it was asked. */
function taskAnswers(pools: readonly object[]): void {
  harness.workerIs(`
    import { writeFileSync } from "node:fs";
    let text = "";
    for await (const piece of process.stdin) text += piece;
    writeFileSync("asked.json", JSON.stringify({ args: process.argv.slice(2), input: JSON.parse(text) }));
    console.log(${JSON.stringify(JSON.stringify({ pools }))});
  `);
}

function asked() {
  return JSON.parse(readFileSync(join(harness.directory, "asked.json"), "utf8"));
}

const RUN = ["scale", "simulate", "--trace", "day.csv"];

describe("sluice scale simulate", () => {
  test("asks the task for what the options say", async () => {
    taskAnswers([POOL]);
    const { exitCode } = await harness.run([
      ...RUN,
      ...["--pool", "shop", "--promise", "30s", "--start-delay", "500ms", "--slots", "4", "--seeds", "3"],
      ...["--start-failures", "10", "--policy", "judoscale"],
    ]);
    expect(exitCode).toBe(0);
    expect(asked().args).toEqual(["simulate"]);
    expect(asked().input).toMatchObject({
      configPath: null,
      pools: [{ pool: "shop", trace: join(harness.directory, "day.csv") }],
      pickupPromiseMs: 30_000,
      startDelayMs: 500,
      slotsPerWorker: 4,
      seeds: 3,
      startFailureShare: 0.1,
      policies: ["sluice", "judoscale"],
      plot: false,
    });
  });

  test("takes the promise from the configuration when there is one", async () => {
    taskAnswers([POOL]);
    await harness.run([...RUN, "--pool", "shop"], { env: { SLUICE_CONFIG: "sluice.json" } });
    expect(asked().input).toMatchObject({
      configPath: join(harness.directory, "sluice.json"),
      pickupPromiseMs: null,
    });
  });

  test("shows a table, what no setting can do, and what the columns mean", async () => {
    taskAnswers([POOL]);
    const { stdout } = await harness.run([...RUN, "--promise", "60s"]);
    expect(stdout).toContain("shop on day.csv (counts): a job starts within 60 s");
    expect(stdout).toMatch(/sluice +0\.250 \+-0\.100 +12\.50 \+-0\.50 +0\.1 +2\.0 +9\.0/);
    expect(stdout).toContain("keda-tuned: no setting of it keeps to that.");
  });

  test("gives the answer as JSON, without the plot", async () => {
    taskAnswers([{ ...POOL, svg: "<svg/>" }]);
    const { stdout } = await harness.run([...RUN, "--promise", "60s", "--svg", "day.svg", "--json"]);
    const told = JSON.parse(stdout);
    expect(told).toMatchObject({ kind: "ScalingSimulation", plots: [join(harness.directory, "day.svg")] });
    expect(told.pools[0]).not.toHaveProperty("svg");
  });

  test("writes a plot for each pool", async () => {
    taskAnswers([
      { ...POOL, pool: "shop", svg: "<svg>1</svg>" },
      { ...POOL, pool: "mail", svg: "<svg>2</svg>" },
    ]);
    const names = ["--pool", "shop", "mail", "--promise", "60s", "--svg", "day.svg"];
    await harness.run([...RUN, ...names]);
    expect(readFileSync(join(harness.directory, "day-shop.svg"), "utf8")).toBe("<svg>1</svg>");
    expect(readFileSync(join(harness.directory, "day-mail.svg"), "utf8")).toBe("<svg>2</svg>");
  });

  test("makes visible what a name does to a terminal", async () => {
    taskAnswers([{ ...POOL, trace: `${ESC}[31mday` }]);
    const { stdout } = await harness.run([...RUN, "--promise", "60s"]);
    expect(stdout).not.toContain(ESC);
  });

  test("passes on what the task says of a bad trace", async () => {
    harness.workerIs(`
      console.error(JSON.stringify({ code: "TRACE_INVALID", message: "The trace day.csv: it has no rows." }));
      process.exit(78);
    `);
    const { exitCode, stderr } = await harness.run([...RUN, "--promise", "60s"]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("The trace day.csv: it has no rows.");
  });

  test.each([
    [["--promise", "soon"], /--promise must be a length of time/],
    [[], /--promise is missing/],
    [["--promise", "60s", "--seeds", "0"], /--seeds must be a whole number from 1/],
    [["--promise", "60s", "--start-failures", "200"], /--start-failures must be a number from 0 to 100/],
    [["--promise", "60s", "--load", "0"], /--load must be above 0/],
    [["--promise", "60s", "--policy", "magic"], /--policy magic is none that is known/],
    [["--promise", "60s", "--pool", "a", "a"], /--pool names a twice/],
    [
      ["--promise", "60s", "--trace", "x.csv", "--pool", "a", "b", "c"],
      /--trace was given 2 times and --pool 3 times/,
    ],
  ])("refuses %j", async (options, message) => {
    const { exitCode, stderr } = await harness.run([...RUN, ...options]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(message);
  });

  test("knows the policies that the simulator knows", () => {
    expect(POLICIES).toEqual(POLICY_NAMES);
  });
});
