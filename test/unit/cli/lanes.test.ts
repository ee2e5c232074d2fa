import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { decideLaneState } from "#cli/commands/lanes/decide-lane-state";
import { type Answers, cliHarness, ESC, ok, problem } from "./cli-harness.ts";

const cli = cliHarness();

function lane(changes: object = {}) {
  return {
    lane: "shop.r1",
    generation: 1,
    waiting: 7,
    inFlight: 3,
    scheduled: 2,
    failed: 1,
    other: 0,
    retiredAt: null,
    oldestDueAgeMs: 1_000,
    readers: ["v1", "v2"],
    consumers: 1,
    orphaned: false,
    ...changes,
  };
}

function lanesAnswer(...lanes: readonly object[]) {
  const observedAt = "2026-01-31T12:00:00.000Z";
  return ok({
    observedAt,
    queues: [{ queue: "shop", pickupPromiseMs: 5_000, parked: 0, quarantined: 0, lanes }],
  });
}

const trip = { release: "v2", type: "receipt.render", targetVersion: 2, code: "UPCAST_FAILED" };
const held = { code: "jobs-waiting", what: `7 jobs in shop.r1 wait${ESC}[2J`, jobs: 7 };
const owned = { code: "live-release", what: "release v2 is live and has this lane for its own" };
const written = { code: "new-jobs", what: "new jobs of receipt.render are written to shop.r2" };

function retirement(...blockers: readonly object[]) {
  return ok({ observedAt: "2026-01-31T12:00:00.000Z", mayRetire: blockers.length === 0, blockers });
}

describe("the state of a lane", () => {
  const facts = { retiredAt: null, orphaned: false, trips: 0, blockers: ["new-jobs", "live-release"] };

  test("is what new jobs do, from the registry's point of view", () => {
    expect(decideLaneState(facts)).toBe("written");
    expect(decideLaneState({ ...facts, blockers: ["live-release"] })).toBe("open");
    expect(decideLaneState({ ...facts, blockers: ["jobs-waiting"] })).toBe("emptying");
    expect(decideLaneState({ ...facts, blockers: [] })).toBe("emptying");
  });

  test("is the gravest that there is", () => {
    expect(decideLaneState({ ...facts, trips: 1 })).toBe("tripped");
    expect(decideLaneState({ ...facts, trips: 1, retiredAt: "2026-01-31T12:00:00.000Z" })).toBe("retired");
    expect(decideLaneState({ ...facts, trips: 1, orphaned: true })).toBe("orphaned");
  });

  test("is not known while nobody said what keeps it from retiring", () => {
    expect(decideLaneState({ ...facts, blockers: null })).toBeNull();
  });
});

describe("lanes list", () => {
  test("shows jobs by state, readers, and the first thing that keeps each lane from retiring", async () => {
    const retiredAt = "2026-01-30T12:00:00.000Z";
    const answers: Answers = {
      "GET /v1/lanes": lanesAnswer(
        lane({ lane: "shop.r1", readers: [], retiredAt }),
        lane({ lane: "shop.r2" }),
        lane({ lane: "shop.r3", trips: [trip] }),
      ),
      "GET /v1/lanes/shop.r2/retirement": retirement(held, owned),
      "GET /v1/lanes/shop.r3/retirement": retirement(written),
    };
    const { exitCode, stdout, stderr } = await cli.run(["lanes", "list"], { answers });
    expect(stderr).toBe("");
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/shop\.r1 +retired +7 +3 +2 +0 +1 +- +since 2026-01-30T12:00:00\.000Z/);
    expect(stdout).toMatch(/shop\.r2 +open +7 +3 +2 +0 +1 +v1 v2 +no: 7 jobs in shop\.r1 wait\\x1b\[2J/);
    expect(stdout).toMatch(/shop\.r3 +tripped /);
    expect(stdout).not.toContain(ESC);
    const json = JSON.parse((await cli.run(["lanes", "list", "--json"], { answers })).stdout);
    expect(json).toMatchObject({ kind: "Lanes", queues: [{ queue: "shop" }] });
    expect(Object.keys(json.retirements)).toEqual(["shop.r2", "shop.r3"]);
  });

  test("does without the answer about a lane that is gone meanwhile", async () => {
    const { exitCode, stdout } = await cli.run(["lanes", "list"], {
      answers: { "GET /v1/lanes": lanesAnswer(lane()) },
    });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/shop\.r1 +\? .* \?$/m);
  });
});

describe("lanes get", () => {
  test("shows everything that keeps the lane from retiring", async () => {
    const { stdout } = await cli.run(["lanes", "get", "shop.r1"], {
      answers: {
        "GET /v1/lanes": lanesAnswer(lane({ trips: [trip] })),
        "GET /v1/lanes/shop.r1/retirement": retirement(held, owned),
      },
    });
    expect(stdout).toContain("v2: its step of receipt.render to version 2 fails (UPCAST_FAILED)");
    expect(stdout).toMatch(/may retire +no\n/);
    expect(stdout).toContain("- 7 jobs in shop.r1 wait\\x1b[2J  (jobs-waiting)");
    expect(stdout).toContain("- release v2 is live and has this lane for its own  (live-release)");
  });

  test("exits with 3 when there is no such lane", async () => {
    const answers = {
      "GET /v1/lanes": lanesAnswer(),
      "GET /v1/lanes/x.r9/retirement": problem(404, "LANE_NOT_FOUND"),
    };
    expect((await cli.run(["lanes", "get", "x.r9"], { answers })).exitCode).toBe(3);
  });
});

describe("lanes migrate", () => {
  const releases = [
    { release: "v1", app: "shop", state: "live", generations: { shop: 1 } },
    { release: "v2", app: "shop", state: "live", generations: { shop: 2 } },
    { release: "v3", app: "shop", state: "retired", generations: { shop: 3 } },
    { release: "m1", app: "media", state: "live", generations: { media: 1 } },
  ];
  const answers: Answers = { "GET /v1/fleet": ok({ observedAt: "", workers: [], releases }) };
  const env = { SLUICE_REDIS_URL: "redis://127.0.0.1:1", SLUICE_CONFIG: "sluice.config.json" };
  const totals = { from: "shop.r1", to: "shop.r2", moved: 5, upcast: 4, quarantined: 1, known: 0 };

  /** A worker that notes its task and settings, prints these lines and ends. */
  function workerLogs(lines: readonly object[], exitCode = 0, more = ""): void {
    cli.workerIs(`
      import { writeFileSync } from "node:fs";
      const settings = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith("SLUICE_")));
      writeFileSync("seen.json", JSON.stringify({ task: process.argv[2], settings }));
      for (const line of ${JSON.stringify(lines)}) console.log(JSON.stringify(line));
      ${more}
      process.exitCode = ${exitCode};
    `);
  }

  const seen = () => JSON.parse(readFileSync(join(cli.directory, "seen.json"), "utf8"));

  beforeEach(() => {
    writeFileSync(join(cli.directory, "app.mjs"), "");
    const config = {
      queues: { shop: { pickupPromiseMs: 5_000 } },
      pools: { shop: {} },
      releases: ["v1", "v2"].map((id) => ({ id, app: "app.mjs" })),
    };
    writeFileSync(join(cli.directory, "sluice.config.json"), JSON.stringify(config));
  });

  test("has the newest live release's build move the jobs, and shows how far it is", async () => {
    const progress = {
      level: "info",
      msg: "migrating",
      ...totals,
      waiting: 3,
      scheduled: 2,
      inFlight: 1,
      left: 0,
    };
    const end = { level: "info", msg: "the older lane is empty", ...totals, left: {}, remaining: 0 };
    workerLogs([{ level: "warn", msg: `odd${ESC}[2J` }, progress, end]);
    const args = ["lanes", "migrate", "shop.r1", "--rate", "50", "--timeout", "2m"];
    const { exitCode, stdout, stderr } = await cli.run(args, { answers, env });
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: "shop.r1 -> shop.r2  5 moved (4 of them upcast), 1 quarantined, 0 still in shop.r1\n",
    });
    expect(stderr).toBe(
      "odd\\x1b[2J\nshop.r1 -> shop.r2: 5 moved (4 upcast); still there: 3 waiting, 2 scheduled, 1 in flight\n",
    );
    expect(seen()).toMatchObject({
      task: "migrate",
      settings: {
        SLUICE_RELEASE: "v2",
        SLUICE_APP: join(cli.directory, "app.mjs"),
        SLUICE_QUEUE: "shop",
        SLUICE_FROM_LANE: "shop.r1",
        SLUICE_JOBS_PER_SECOND: "50",
        SLUICE_MIGRATE_TIMEOUT_MS: "120000",
        SLUICE_REDIS_URL: "redis://127.0.0.1:1",
      },
    });
  });

  test("exits with 4 when the build leaves jobs, and with 7 when only time was missing", async () => {
    const migrate = ["lanes", "migrate", "shop.r1", "--release", "v2", "--json"];
    workerLogs([{ msg: "left", ...totals, left: { "upcast-failed": 2 }, remaining: 2 }], 11);
    const left = await cli.run(migrate, { env });
    expect(left.exitCode).toBe(4);
    expect(JSON.parse(left.stdout)).toMatchObject({ kind: "Migration", migration: { remaining: 2 } });
    workerLogs([{ msg: "left", ...totals, left: {}, remaining: 2 }], 11);
    expect((await cli.run(migrate, { env })).exitCode).toBe(7);
  });

  test("tells in the build's own words why it would not", async () => {
    workerLogs(
      [{ level: "error", msg: "worker could not run", err: { message: "v3 is newer than v2" } }],
      77,
    );
    const { exitCode, stderr } = await cli.run(["lanes", "migrate", "shop.r1"], { answers, env });
    expect(exitCode).toBe(4);
    expect(stderr).toContain("shop.r1 was not emptied: v3 is newer than v2. Nothing was moved.");
  });

  test("exits with 6 when Redis went away, and says that what has moved stays moved", async () => {
    const noise = { level: "warn", msg: "looking again", err: { message: "ECONNRESET" } };
    workerLogs([noise, { level: "error", msg: "migration was given up" }], 11);
    const { exitCode, stderr } = await cli.run(["lanes", "migrate", "shop.r1"], { answers, env });
    expect(exitCode).toBe(6);
    expect(stderr).toBe(
      "looking again: ECONNRESET\n✗ shop.r1 was not emptied: migration was given up. " +
        "What has moved stays moved; run it again to go on. (exit 6)\n",
    );
  });

  test("passes ^C on, and tells what was done until then", async () => {
    const end = { msg: "left", ...totals, left: {}, remaining: 2 };
    const onSignal = `process.on("SIGINT", () => { console.log('${JSON.stringify(end)}'); process.exit(11); });`;
    workerLogs([], 0, `${onSignal} setInterval(() => {}, 1000); console.log("ready");`);
    const stop = new AbortController();
    const signals = { stop: stop.signal, insist: new AbortController().signal };
    const running = cli.run(["lanes", "migrate", "shop.r1", "--release", "v2"], {
      env,
      signals,
      onNote: (text) => text.includes("ready") && stop.abort(),
    });
    const { exitCode, stdout } = await running;
    expect(exitCode).toBe(130);
    expect(stdout).toContain("2 still in shop.r1");
  });

  test("needs to know where the jobs are, and what the release is built from", async () => {
    const missing = await cli.run(["lanes", "migrate", "shop.r1"], { answers });
    expect(missing.exitCode).toBe(2);
    expect(missing.stderr).toContain("SLUICE_REDIS_URL");
    const unknown = await cli.run(["lanes", "migrate", "shop.r1", "--release", "v9"], { env });
    expect(unknown.exitCode).toBe(2);
    expect(unknown.stderr).toContain("--app");
    const queue = await cli.run(["lanes", "migrate", "none.r1"], { answers, env });
    expect(queue.exitCode).toBe(3);
  });

  test.for([
    [["lanes", "migrate", "shop"]],
    [["lanes", "migrate", "Shop.r1"]],
    [["lanes", "migrate", "shop.r0"]],
    [["lanes", "migrate", "shop.r1", "--rate", "0"]],
    [["lanes", "migrate", "shop.r1", "--rate", "10001"]],
    [["lanes", "migrate", "shop.r1", "--timeout", "10ms"]],
  ])("%j is a wrong usage", async ([wrong = []]) => {
    workerLogs([]);
    const before = existsSync(join(cli.directory, "seen.json")) ? seen() : null;
    expect((await cli.run(wrong, { answers, env })).exitCode).toBe(2);
    expect(existsSync(join(cli.directory, "seen.json")) ? seen() : null).toEqual(before);
  });
});
