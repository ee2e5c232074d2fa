/** Worker containers against an engine that is a script: what is asked of it, and what is read out of its answers. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DockerEngine } from "#autoscaler/executor-service/docker-engine";
import { DockerWorkers } from "#autoscaler/executor-service/docker-workers";
import { ImagePins } from "#autoscaler/executor-service/image-pins";
import { createLog } from "#shared/log";
import { FakeClock } from "#test/support/fake-clock";

type Answer = readonly [status: number, body?: unknown];

let directory: string;
let server: Server;
let asked: string[];
let answers: Record<string, Answer>;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "sluice-engine-"));
  asked = [];
  answers = {};
  server = createServer((request, response) => {
    const line = `${request.method} ${request.url}`;
    asked.push(line);
    const [, [status, body]] = Object.entries(answers).find(([start]) => line.startsWith(start)) ?? [
      "",
      [404, {}],
    ];
    response.statusCode = status;
    response.end(typeof body === "string" ? body : JSON.stringify(body ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(join(directory, "engine.sock"), resolve));
});

afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
  rmSync(directory, { recursive: true, force: true });
});

const log = createLog("test", "silent");
const stack = { stack: "sluice", network: "sluice-jobs", secretPath: "/srv/redis-url", environment: {} };
const container = { memoryMb: 256, cpus: 1, pids: 64, user: "1000:1000" };
const pool = { queue: "shop", workersMin: 0, workersMax: 4, slots: 8, drainDeadlineMs: 20_000, container };
const release = { release: "v1", image: "shop:1", app: "/app/app.js", command: null };
const worker = {
  workerId: "w-1",
  release: "v1",
  queue: "shop",
  startedAtMs: Date.UTC(2026, 0, 31, 12),
  pid: null,
  containerId: "c1",
  isRunning: true,
  drainsUntilMs: null,
};

function pinsOf(pull: "missing" | "never" = "never") {
  return new ImagePins({ directory, engine: new DockerEngine(join(directory, "engine.sock")), log, pull });
}

function workersOf() {
  const engine = new DockerEngine(join(directory, "engine.sock"));
  return new DockerWorkers({ engine, pins: pinsOf(), stack, clock: new FakeClock(), log });
}

test("a container that cannot be started is removed again, and the engine's words are told", async () => {
  answers = {
    "GET /v1.41/images/shop%3A1/json": [200, { Id: "sha256:1" }],
    "POST /v1.41/containers/create": [201, { Id: "c1" }],
    "POST /v1.41/containers/c1/start": [500, { message: "network sluice-jobs not found" }],
    "DELETE /v1.41/containers/c1": [204],
  };
  await expect(workersOf().start(pool, release, 7)).rejects.toThrow("network sluice-jobs not found");
  expect(asked.at(-1)).toContain("DELETE /v1.41/containers/c1");
});

test("a drain is on the container's name before it is signalled, and is signalled once", async () => {
  answers = { "POST /v1.41/containers/c1/": [204] };
  const workers = workersOf();
  const drains = await workers.drain(worker, 1_234);
  await workers.drain(drains, 5_678);
  expect(asked).toEqual([
    "POST /v1.41/containers/c1/rename?name=sluice-drains-1234-w-1",
    "POST /v1.41/containers/c1/kill?signal=SIGTERM",
  ]);
});

test("what an executor before it has started is read from labels and names", async () => {
  const labels = { "sluice.worker": "w-1", "sluice.release": "v1", "sluice.pool": "shop" };
  const listed = [
    { Id: "c1", Names: ["/sluice-drains-1234-w-1"], State: "running", Created: 2, Labels: labels },
    {
      Id: "c0",
      Names: ["/sluice-shop-w-0"],
      State: "exited",
      Created: 1,
      Labels: { ...labels, "sluice.worker": "w-0" },
    },
    { Id: "c2", Names: ["/other"], State: "running", Created: 3, Labels: null },
  ];
  answers = { "GET /v1.41/containers/json": [200, listed] };
  expect(await workersOf().list()).toMatchObject([
    { workerId: "w-0", isRunning: false, drainsUntilMs: null, startedAtMs: 1_000 },
    { workerId: "w-1", isRunning: true, drainsUntilMs: 1_234, startedAtMs: 2_000 },
  ]);
});

test.each([
  ["an exit code", { ExitCode: 78, OOMKilled: false }, { code: 78, signal: null }],
  ["a signal", { ExitCode: 137, OOMKilled: false }, { code: null, signal: "SIGKILL" }],
])(
  "%s is what a worker has ended with, and its last words are its log's last error",
  async (_what, state, end) => {
    const frame = "\u0001\u0000\u0000\u0000\u0000\u0000\u0000\u0042";
    const lines = [
      {
        level: "error",
        err: { message: "SLUICE_QUEUE: must be\na queue's name" },
        msg: "worker could not run",
      },
    ].map((it) => `${frame}${JSON.stringify(it)}\n`);
    answers = {
      "GET /v1.41/containers/c1/json": [200, { State: { ...state, StartedAt: "", FinishedAt: "" } }],
      "GET /v1.41/containers/c1/logs": [200, lines.join("")],
      "DELETE /v1.41/containers/c1": [204],
    };
    const taken = await workersOf().takeDown(worker);
    expect(taken).toMatchObject({ ...end, words: { text: "SLUICE_QUEUE: must be a queue's name" } });
  },
);

test("a worker that was out of memory is told so", async () => {
  const state = { ExitCode: 137, OOMKilled: true, StartedAt: "", FinishedAt: "" };
  answers = {
    "GET /v1.41/containers/c1/json": [200, { State: state }],
    "DELETE /v1.41/containers/c1": [204],
  };
  expect((await workersOf().takeDown(worker)).words?.text).toContain("out of memory");
});

test("a release stays the image that it was first, wherever its tag is moved", async () => {
  answers = { "GET /v1.41/images/shop%3A1/json": [200, { Id: "sha256:1" }] };
  expect(await pinsOf().idOf(release)).toBe("sha256:1");
  answers = { "GET /v1.41/images/shop%3A1/json": [200, { Id: "sha256:2" }] };
  expect(await pinsOf().idOf(release)).toBe("sha256:1");
  expect(() => pinsOf().requireSame([{ ...release, image: "shop:2" }])).toThrow("needs a new release id");
});

test("an image that is not there is pulled, unless that is forbidden", async () => {
  await expect(pinsOf().idOf(release)).rejects.toThrow("the engine has no image shop:1");
  answers = { "POST /v1.41/images/create?fromImage=shop%3A1": [200, '{"status":"…"}\n{"error":"denied"}'] };
  await expect(pinsOf("missing").idOf(release)).rejects.toThrow("denied");
});
