import { expect, onTestFinished, test } from "vitest";
import type { RetirementPorts } from "#autoscaler/control-api/retirement-routes";
import { buildControlServer } from "#autoscaler/control-api/server";
import { published, releaseOf, typeOf, without } from "../../shared/registry/registry-builder.ts";
import { laneView, OBSERVED_AT, queueView, snapshotOf, workerView } from "./build-look.ts";
import { calmPorts } from "./build-ports.ts";

const document = published(
  releaseOf("v1", typeOf("receipt.render", [[1, 1]])),
  releaseOf(
    "v2",
    typeOf("receipt.render", [
      [1, 1],
      [2, 2],
    ]),
  ),
);

const release = { app: "shop", publishedAt: OBSERVED_AT };

const snapshot = snapshotOf({
  queues: [
    queueView({
      lanes: [
        laneView({ readers: ["v1", "v2"], waiting: 1 }),
        laneView({ lane: "shop.r2", generation: 2, readers: ["v2"], retiredAt: null }),
      ],
    }),
  ],
  workers: [workerView({ release: "v1", busy: 2, worker: "w1" })],
  releases: [
    { ...release, release: "v1", state: "live", generations: { shop: 1 } },
    { ...release, release: "v2", state: "live", generations: { shop: 2 } },
  ],
});

async function ask(url: string, observation: RetirementPorts["observation"]) {
  const server = await buildControlServer(calmPorts({ snapshot: async () => snapshot, observation }));
  onTestFinished(() => server.close());
  return server.inject(url);
}

const seen = async () => ({ snapshot, document });

test("a release is told what is in the way, with when that was seen", async () => {
  const answer = await ask("/v1/releases/v1/retirement", seen);
  expect([answer.statusCode, answer.json()]).toEqual([
    200,
    {
      release: "v1",
      state: "live",
      observedAt: OBSERVED_AT,
      mayRetire: false,
      blockers: [{ code: "jobs-in-flight", what: "worker w1 has 2 jobs in flight", jobs: 2 }],
    },
  ]);
});

test("a release that may retire, or is retired, has nothing in the way", async () => {
  // The gate is at version 1, which v1 reads too.
  expect((await ask("/v1/releases/v2/retirement", seen)).json()).toMatchObject({
    mayRetire: true,
    blockers: [],
  });
  const retired = { ...release, release: "v2", state: "retired" as const, generations: { shop: 2 } };
  const after = async () => ({
    snapshot: { ...snapshot, releases: [retired] },
    document: without(document, "v2"),
  });
  expect((await ask("/v1/releases/v2/retirement", after)).json()).toMatchObject({
    state: "retired",
    mayRetire: true,
  });
});

test("a lane is told what is in the way, with when that was seen", async () => {
  const answer = await ask("/v1/lanes/shop.r1/retirement", seen);
  expect([answer.statusCode, answer.json()]).toEqual([
    200,
    {
      lane: "shop.r1",
      retiredAt: null,
      observedAt: OBSERVED_AT,
      mayRetire: false,
      blockers: [
        { code: "jobs-waiting", what: "1 job in shop.r1 waits", jobs: 1 },
        { code: "live-release", what: "release v1 is live and has this lane for its own" },
        { code: "new-jobs", what: "new jobs of receipt.render are written to shop.r1" },
      ],
    },
  ]);
});

test("a lane that is retired says since when", async () => {
  const lanes = [laneView({ retiredAt: "2026-02-01T00:00:00.000Z", readers: ["v2"] })];
  const answer = await ask("/v1/lanes/shop.r1/retirement", async () => ({
    snapshot: { ...snapshot, queues: [queueView({ lanes })] },
    document: without(document, "v1"),
  }));
  expect(answer.json()).toMatchObject({
    lane: "shop.r1",
    retiredAt: "2026-02-01T00:00:00.000Z",
    mayRetire: true,
  });
});

test.each([
  ["/v1/releases/v9/retirement", "RELEASE_NOT_FOUND"],
  ["/v1/releases/constructor/retirement", "RELEASE_NOT_FOUND"],
  ["/v1/releases/%3Cscript%3E/retirement", "RELEASE_NOT_FOUND"],
  ["/v1/lanes/shop.r9/retirement", "LANE_NOT_FOUND"],
  ["/v1/lanes/shop.parked/retirement", "LANE_NOT_FOUND"],
  ["/v1/lanes/shop/retirement", "LANE_NOT_FOUND"],
])("%s is a 404 %s that repeats nothing of the path", async (url, code) => {
  const answer = await ask(url, seen);
  expect([answer.statusCode, answer.json().code]).toEqual([404, code]);
  expect(answer.body).not.toMatch(/script|v9|constructor|parked/);
});

test.each(["/v1/releases/v1/retirement", "/v1/lanes/shop.r1/retirement"])(
  "%s is a 503 while Redis is away, for not known is not drained",
  async (url) => {
    const answer = await ask(url, () => Promise.reject(new Error("away")));
    expect([answer.statusCode, answer.json().code]).toEqual([503, "REDIS_UNAVAILABLE"]);
    expect(answer.headers["retry-after"]).toBe("1");
  },
);
