/** The autoscaler's task `simulate`: what it is given, what it answers, how it refuses. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { printSimulation } from "#autoscaler/simulate-task";

const directory = mkdtempSync(join(tmpdir(), "sluice-simulate-"));
afterAll(() => rmSync(directory, { recursive: true }));

/** Ten minutes, a job of 2 s every second. */
const TRACE = join(directory, "steady.csv");
writeFileSync(
  TRACE,
  `arrival_s,duration_s\n${Array.from({ length: 600 }, (_, second) => `${second},2`).join("\n")}\n`,
);

const CONFIG = join(directory, "sluice.json");
writeFileSync(
  CONFIG,
  JSON.stringify({
    queues: { shop: { pickupPromiseMs: 20_000 } },
    pools: { shop: { slotsPerWorker: 2, workersMax: 3 } },
    releases: [{ id: "a", app: "./app.js" }],
  }),
);

const INPUT = {
  configPath: null,
  pools: [{ pool: "shop", trace: TRACE }],
  pickupPromiseMs: 30_000,
  slotsPerWorker: null,
  workersMin: null,
  workersMax: null,
  startDelayMs: 5_000,
  startDelayScv: 0,
  startFailureShare: 0,
  crashesPerWorkerHour: 0,
  loadSlots: 20,
  serviceMeanMs: 30_000,
  seeds: 2,
  policies: ["sluice", "static-peak"],
  missesPercentMax: 1,
  cold: false,
  plot: false,
};

interface ToldPool {
  readonly pool: string;
  readonly loadSlots: number;
  readonly workHours: number;
  readonly svg: string | null;
  readonly policies: readonly { readonly name: string; readonly policy: string; readonly metrics: object }[];
}

interface Told {
  readonly exitCode: number;
  /** The first, for most tests. */
  readonly pool: ToldPool | undefined;
  readonly pools: readonly ToldPool[];
  readonly failure: { readonly code?: string; readonly message?: string };
}

async function simulate(changes: object, text?: string): Promise<Told> {
  let [out, complaint] = ["", ""];
  const sink = (hear: (piece: string) => void) => ({
    write: (piece: string | Uint8Array, done?: unknown) => {
      hear(String(piece));
      if (typeof done === "function") done();
      return true;
    },
  });
  const exitCode = await printSimulation({
    stdin: (async function* () {
      yield text ?? JSON.stringify({ ...INPUT, ...changes });
    })(),
    stdout: sink((piece) => {
      out += piece;
    }) as NodeJS.WriteStream,
    stderr: sink((piece) => {
      complaint += piece;
    }) as NodeJS.WriteStream,
  });
  const pools: readonly ToldPool[] = out === "" ? [] : JSON.parse(out).pools;
  return { exitCode, pool: pools[0], pools, failure: complaint === "" ? {} : JSON.parse(complaint) };
}

describe("the task simulate", () => {
  test("plays every policy over every seed, and tells the work itself", async () => {
    const { exitCode, pool } = await simulate({});
    expect(exitCode).toBe(0);
    expect(pool).toMatchObject({ pool: "shop", trace: "steady.csv", kind: "requests", svg: null });
    // 600 jobs of 2 s in 599 s: two slots, a third of an hour.
    expect(pool?.loadSlots).toBeCloseTo(2, 1);
    expect(pool?.workHours).toBeCloseTo(1_200 / 3_600, 9);
    expect(pool?.policies.map((it) => it.name)).toEqual(["sluice", "static-peak"]);
    expect(pool?.policies[1]?.policy).toBe("static peak, 2 workers");
    expect(pool?.policies[0]?.metrics).toMatchObject({ jobs: { mean: 600 }, jobsKilled: { mean: 0 } });
  });

  test("takes promise, slots and bounds from the pool of the configuration, unless they are given", async () => {
    const known = { configPath: CONFIG, pickupPromiseMs: null };
    expect((await simulate(known)).pool).toMatchObject({
      pickupPromiseMs: 20_000,
      fleet: { slotsPerWorker: 2, workersMin: 0, workersMax: 3 },
    });
    const given = await simulate({ ...known, pickupPromiseMs: 9_000, slotsPerWorker: 1, workersMax: 7 });
    expect(given.pool).toMatchObject({
      pickupPromiseMs: 9_000,
      fleet: { slotsPerWorker: 1, workersMax: 7 },
    });
  });

  test("simulates several pools, each on its own", async () => {
    const pools = ["one", "two"].map((pool) => ({ pool, trace: TRACE }));
    const told = (await simulate({ pools, seeds: 1 })).pools;
    expect(told.map((it) => it.pool)).toEqual(["one", "two"]);
    expect({ ...told[1], pool: "one" }).toEqual(told[0]);
  });

  test("draws a plot with its axes, in which names cannot be markup", async () => {
    const pools = [{ pool: `"><script>alert(1)</script>`, trace: TRACE }];
    const svg = (await simulate({ pools, plot: true, seeds: 1 })).pool?.svg;
    expect(svg).toMatch(/^<svg [^>]+viewBox/);
    for (const word of [
      "workers",
      "oldest age, s",
      "minutes from the beginning",
      "supply",
      "demand",
      "prefers-color-scheme: dark",
    ]) {
      expect(svg).toContain(word);
    }
    expect(svg).not.toContain("<script");
    expect(svg).not.toContain("NaN");
  });

  test.each([
    ["no JSON", "{", "CONFIG_INVALID", /is no JSON/],
    ["a field that is wrong", JSON.stringify({ ...INPUT, seeds: 0 }), "CONFIG_INVALID", /\/seeds/],
    [
      "a trace that is not there",
      JSON.stringify({ ...INPUT, pools: [{ pool: "a", trace: "/none.csv" }] }),
      "TRACE_INVALID",
      /none\.csv: it cannot be read/,
    ],
    [
      "a pool that is not there",
      JSON.stringify({ ...INPUT, configPath: CONFIG, pools: [{ pool: "a", trace: TRACE }] }),
      "CONFIG_INVALID",
      /no pool a; it has shop/,
    ],
    ["no promise", JSON.stringify({ ...INPUT, pickupPromiseMs: null }), "CONFIG_INVALID", /pickupPromiseMs/],
    [
      "bounds that cross",
      JSON.stringify({ ...INPUT, workersMin: 5, workersMax: 2 }),
      "CONFIG_INVALID",
      /workersMin/,
    ],
  ])("refuses %s with code, words and the exit code of bad input", async (_what, text, code, message) => {
    const { exitCode, failure } = await simulate({}, text);
    expect(exitCode).toBe(78);
    expect(failure.code).toBe(code);
    expect(failure.message).toMatch(message);
  });
});
