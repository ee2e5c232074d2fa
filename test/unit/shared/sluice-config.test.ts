import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ConfigInvalidError } from "#shared/errors";
import { DEFAULT_QUEUE_LIMITS } from "#shared/limits/limits-document";
import { limitsBaseOf, readSluiceConfig, rolloutPolicyOf } from "#shared/sluice-config";

let directory: string;
let written = 0;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "sluice-config-"));
});

afterAll(async () => {
  await rm(directory, { recursive: true });
});

const queue = { pickupPromiseMs: 5_000 };
const pool = { slotsPerWorker: 2, workersMin: 1, workersMax: 3 };
const release = { id: "shop-v1", app: "./apps/shop.js" };
const whole = { queues: { shop: queue }, pools: { shop: pool }, releases: [release] };

async function fileOf(content: unknown): Promise<string> {
  written += 1;
  const path = join(directory, `sluice-${written}.json`);
  await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

async function problemsOf(content: unknown): Promise<readonly string[]> {
  const error: unknown = await readSluiceConfig(await fileOf(content)).catch((it: unknown) => it);
  if (!(error instanceof ConfigInvalidError)) throw new Error("the file was not refused", { cause: error });
  return error.problems;
}

describe("readSluiceConfig", () => {
  test("reads paths relative to the file and fills in defaults", async () => {
    const path = await fileOf({
      ...whole,
      pools: { shop: {} },
      releases: [release, { ...release, id: "v2", command: ["node", "w.js"] }],
    });
    const config = await readSluiceConfig(path);
    expect(config.path).toBe(path);
    expect(config.queues).toEqual({ shop: queue });
    expect(config.pools).toEqual({
      shop: { slotsPerWorker: 10, workersMin: 0, workersMax: 4, scaleInHoldMs: 60_000, executor: "local" },
    });
    expect(config.releases).toEqual([
      { id: "shop-v1", app: join(directory, "apps/shop.js"), command: null },
      { id: "v2", app: join(directory, "apps/shop.js"), command: ["node", "w.js"] },
    ]);
  });

  test("reads limits and throttles, with the defaults of what is left out", async () => {
    const throttle = { name: "free", per: "tenant", value: "*", algorithm: "token-bucket", limit: 5 };
    const path = await fileOf({
      ...whole,
      queues: { shop: { ...queue, limits: { depthMax: 7 } }, csv: queue },
      pools: { shop: {}, csv: {} },
      throttles: [throttle],
    });
    expect(limitsBaseOf(await readSluiceConfig(path))).toEqual({
      queues: { shop: { ...DEFAULT_QUEUE_LIMITS, depthMax: 7 }, csv: DEFAULT_QUEUE_LIMITS },
      throttles: [{ ...throttle, windowMs: 1_000 }],
    });
    const none = limitsBaseOf(await readSluiceConfig(await fileOf(whole)));
    expect(none).toEqual({ queues: { shop: DEFAULT_QUEUE_LIMITS }, throttles: [] });
  });

  test("says that a missing file cannot be read, and names it", async () => {
    await expect(readSluiceConfig(join(directory, "none.json"))).rejects.toThrow(/none\.json.*ENOENT/s);
  });

  test.each(["", "{", "queues:", "[1,]"])("says that %j is not JSON", async (text) => {
    expect(await problemsOf(text)).toEqual([expect.stringMatching(/^it cannot be read as JSON: /)]);
  });

  test.each([["text"], [[]], [null], [7]])("refuses %j, which is no object", async (value) => {
    expect(await problemsOf(JSON.stringify(value))).toEqual([expect.stringMatching(/^\(file\): /)]);
  });

  test.each([
    ["queues", { queues: undefined }],
    ["pools", { pools: undefined }],
    ["releases", { releases: undefined }],
    ["releases", { releases: [] }],
    ["queues.shop.pickupPromiseMs", { queues: { shop: {} } }],
    ["queues.shop.pickupPromiseMs", { queues: { shop: { pickupPromiseMs: "5s" } } }],
    ["queues.shop.pickupPromiseMs", { queues: { shop: { pickupPromiseMs: 99 } } }],
    ["queues.shop", { queues: { shop: { ...queue, promise: 1 } } }],
    ["queues.shop.limits.depthMax", { queues: { shop: { ...queue, limits: { depthMax: -1 } } } }],
    ["queues.shop.limits", { queues: { shop: { ...queue, limits: { depth: 1 } } } }],
    ["throttles.0.limit", { throttles: [{ name: "a", per: "key", value: "*", algorithm: "fixed-window" }] }],
    ["pools.shop.slotsPerWorker", { pools: { shop: { ...pool, slotsPerWorker: 0 } } }],
    ["pools.shop.workersMin", { pools: { shop: { ...pool, workersMin: -1 } } }],
    ["pools.shop.workersMax", { pools: { shop: { ...pool, workersMax: 1.5 } } }],
    ["pools.shop.drainDeadlineMs", { pools: { shop: { ...pool, drainDeadlineMs: 3_600_001 } } }],
    ["pools.shop.scaleInHoldMs", { pools: { shop: { ...pool, scaleInHoldMs: 999 } } }],
    ["pools.shop.posture", { pools: { shop: { ...pool, posture: "eager" } } }],
    ["pools.shop.forecast", { pools: { shop: { ...pool, forecast: true } } }],
    ["pools.shop.errorBudget", { pools: { shop: { ...pool, errorBudget: 0 } } }],
    ["pools.shop.stepMax", { pools: { shop: { ...pool, stepMax: 0 } } }],
    ["pools.shop.downstreamSlotsMax", { pools: { shop: { ...pool, downstreamSlotsMax: 1 } } }],
    ["releases.0.id", { releases: [{ ...release, id: "Shop v1" }] }],
    ["releases.0.app", { releases: [{ ...release, app: "" }] }],
    ["releases.1.command", { releases: [release, { ...release, id: "v2", command: [] }] }],
    ["releases.0", { releases: [{ ...release, picture: "x" }] }],
    ["releases.0.image", { releases: [{ ...release, image: "--privileged" }] }],
    ["pools.shop.container.user", { pools: { shop: { ...pool, container: { user: "0:0" } } } }],
    ["pools.shop.container", { pools: { shop: { ...pool, container: { privileged: true } } } }],
    ["(file)", { pool: {} }],
  ])("names %s when it is wrong", async (field, change) => {
    expect(await problemsOf({ ...whole, ...change })).toEqual([
      expect.stringMatching(new RegExp(`^${field.replace(/[().]/g, "\\$&")}: `)),
    ]);
  });

  test("names a queue by its rule when its name is none", async () => {
    const problems = await problemsOf({ ...whole, queues: { shop: queue, "Shop.r1": queue } });
    expect(problems).toEqual([
      "queues.Shop.r1: a queue's name is lower-case letters, digits and dashes, at most 64 characters",
    ]);
  });

  test("names both bounds when the lower is above the upper", async () => {
    expect(await problemsOf({ ...whole, pools: { shop: { workersMin: 5, workersMax: 4 } } })).toEqual([
      "pools.shop: workersMin must not be above workersMax",
    ]);
  });

  test("names each queue without a pool and each pool without a queue", async () => {
    const problems = await problemsOf({
      ...whole,
      queues: { shop: queue, mail: queue },
      pools: { shop: pool, csv: pool },
    });
    expect(problems).toEqual([
      "pools: the queue mail has no pool",
      "queues: the pool csv has no queue with a pickupPromiseMs",
    ]);
  });

  test("takes no name of JavaScript's own for a pool", async () => {
    expect(await problemsOf({ ...whole, queues: { shop: queue, constructor: queue } })).toEqual([
      "pools: the queue constructor has no pool",
    ]);
  });

  test("names a release id that is used twice, once", async () => {
    expect(await problemsOf({ ...whole, releases: [release, release, release] })).toEqual([
      "releases: the id shop-v1 is used more than once",
    ]);
  });

  test("lists all that is wrong at once", async () => {
    const problems = await problemsOf({
      queues: { shop: { pickupPromiseMs: 0 } },
      pools: { shop: { slotsPerWorker: "many" } },
      releases: [{ id: "", app: "" }],
    });
    expect(problems.map((it) => it.split(": ")[0])).toEqual([
      "queues.shop.pickupPromiseMs",
      "pools.shop.slotsPerWorker",
      "releases.0.id",
      "releases.0.app",
    ]);
  });
});

describe("rollouts in the configuration", () => {
  test("have defaults, with the queue's promise", async () => {
    const pools = { shop: { takeover: "rollout", rollout: { steps: [0.1, 1], soakMs: 5 } } };
    const config = await readSluiceConfig(await fileOf({ ...whole, pools }));
    expect(config.pools.shop?.takeover).toBe("rollout");
    const policy = rolloutPolicyOf(config, "shop");
    expect(policy).toMatchObject({ steps: [0.1, 1], soakMs: 5, jobsMin: 50, pickupPromiseMs: 5_000 });
    expect(rolloutPolicyOf(await readSluiceConfig(await fileOf(whole)), "shop").steps).toHaveLength(4);
  });

  test("are refused with the field when they cannot be", async () => {
    const pools = { shop: { rollout: { steps: [0.5, 0.2], pickupPromiseMs: 1 } } };
    const problems = await problemsOf({ ...whole, pools });
    expect(problems.join("\n")).toContain("pools.shop.rollout.steps");
    expect(problems.join("\n")).toContain("pickupPromiseMs");
  });

  test("go through channels of known pools, each in one", async () => {
    const channels = [
      { name: "a", pools: ["shop", "mail"], soakMs: 0 },
      { name: "a", pools: ["shop"], soakMs: 0 },
    ];
    expect(await problemsOf({ ...whole, channels })).toEqual([
      "channels: the name a is used more than once",
      "channels: the pool shop is in more than one place",
      "channels: there is no pool mail",
    ]);
  });
});
