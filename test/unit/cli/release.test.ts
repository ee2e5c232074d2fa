import { describe, expect, test } from "vitest";
import { type Answers, cliHarness, ESC, ok, problem } from "./cli-harness.ts";

const cli = cliHarness();

const observedAt = "2026-01-31T12:00:00.000Z";
const releases = [
  { release: "v1", app: "shop", state: "retired", publishedAt: observedAt, generations: { shop: 1 } },
  {
    release: "v2",
    app: "shop",
    state: "live",
    publishedAt: observedAt,
    generations: { shop: 2, media: 1 },
    more: 1,
  },
];
const workers = [
  { worker: "w-1", release: "v2", queue: "shop", state: "ok", reason: null, slots: 8, busy: 3 },
  { worker: "w-2", release: "v2", queue: "media", state: "ok", reason: null, slots: 2, busy: 1 },
];
const lane = {
  waiting: 0,
  inFlight: 0,
  scheduled: 0,
  failed: 0,
  oldestDueAgeMs: null,
  consumers: 1,
  orphaned: false,
};
const lanes = [
  { ...lane, lane: "shop.r1", readers: ["v2"] },
  { ...lane, lane: "shop.r2", readers: ["v2"] },
  { ...lane, lane: "shop.r3", readers: ["v3"] },
];
const blockers = [
  { code: "jobs-in-flight", what: `worker w-1${ESC}[2J has 3 jobs in flight`, jobs: 3 },
  { code: "version-without-reader", what: "version 2 of receipt.render is active" },
];

const answers: Answers = {
  "GET /v1/fleet": ok({ observedAt, workers, releases }),
  "GET /v1/lanes": ok({
    observedAt,
    queues: [{ queue: "shop", pickupPromiseMs: 5_000, parked: 0, quarantined: 0, lanes }],
  }),
  "GET /v1/releases/v2/retirement": ok({ release: "v2", state: "live", mayRetire: false, blockers }),
};

describe("release list", () => {
  test("shows each release with its lanes, workers and the first thing that keeps it from retiring", async () => {
    const { exitCode, stdout } = await cli.run(["release", "list"], { answers });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^v1 +shop +retired +\S+ +shop\.r1 +0 +0\/0 +-$/m);
    expect(stdout).toMatch(
      /^v2 +shop +live +\S+ +shop\.r2 media\.r1 +2 +4\/10 +no: worker w-1\\x1b\[2J has 3/m,
    );
  });

  test("passes the answers on as they came in JSON", async () => {
    const json = JSON.parse((await cli.run(["release", "list", "--json"], { answers })).stdout);
    expect(json).toMatchObject({ kind: "Releases", observedAt, releases, retirements: { v2: { blockers } } });
  });
});

describe("release get", () => {
  test("shows what it reads and everything that keeps it from retiring", async () => {
    const { exitCode, stdout } = await cli.run(["release", "get", "v2"], { answers });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/own lanes +shop\.r2 media\.r1\n/);
    expect(stdout).toMatch(/reads +shop\.r1 shop\.r2\n/);
    expect(stdout).toContain("- worker w-1\\x1b[2J has 3 jobs in flight  (jobs-in-flight)");
    expect(stdout).toContain("- version 2 of receipt.render is active  (version-without-reader)");
    const json = JSON.parse((await cli.run(["release", "get", "v2", "--json"], { answers })).stdout);
    expect(json).toMatchObject({ kind: "Release", release: { more: 1, reads: ["shop.r1", "shop.r2"] } });
  });

  test("exits with 3 when there is no such release", async () => {
    const unknown = { ...answers, "GET /v1/releases/v9/retirement": problem(404, "RELEASE_NOT_FOUND") };
    expect((await cli.run(["release", "get", "v9"], { answers: unknown })).exitCode).toBe(3);
  });
});
