/** The three calls over HTTP: what passes, what is refused and noted, and what the asking side makes of it. */
import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { EngineError } from "#autoscaler/executor-service/docker-engine";
import { buildExecutorServer } from "#autoscaler/executor-service/executor-server";
import type {
  CommandAnswer,
  ExecutorStatus,
  FleetCommand,
  FleetExecutor,
  StopCommand,
} from "#autoscaler/fleet/fleet-executor";
import { RemoteExecutor } from "#autoscaler/fleet/remote-executor";
import { RoutedExecutor } from "#autoscaler/fleet/routed-executor";
import { StaleEpochError } from "#shared/errors";
import { createLog } from "#shared/log";

const TOKEN = "t".repeat(43);
const log = createLog("test", "silent");
const STATUS: ExecutorStatus = {
  epoch: 7,
  workers: [{ workerId: "w-1", release: "v1", queue: "shop", startedAtMs: 1_000, pid: null }],
  ended: ["w-0"],
  blocked: [],
  room: {},
};

class ScriptedExecutor implements FleetExecutor {
  readonly commands: (FleetCommand | StopCommand)[] = [];
  failure: Error | null = null;
  current = STATUS;

  async desired(command: FleetCommand): Promise<CommandAnswer> {
    if (this.failure !== null) throw this.failure;
    this.commands.push(command);
    return { started: ["w-2"], limitedBy: null };
  }

  async stop(command: StopCommand): Promise<void> {
    if (this.failure !== null) throw this.failure;
    this.commands.push(command);
  }

  async status(): Promise<ExecutorStatus> {
    return this.current;
  }
}

let executor: ScriptedExecutor;
let server: FastifyInstance;
let refused: string[];
let url: string;

beforeEach(async () => {
  executor = new ScriptedExecutor();
  refused = [];
  server = buildExecutorServer({
    executor,
    log,
    token: TOKEN,
    isDeclared: (queue, release) => queue === "shop" && release === "v1",
    refused: (reason) => refused.push(reason),
  });
  await server.listen({ host: "127.0.0.1", port: 0 });
  url = `http://127.0.0.1:${(server.server.address() as AddressInfo).port}`;
});

afterEach(() => server.close());

function commandOf(changes: object = {}) {
  const named = { queue: "shop", release: "v1", leaving: [], heard: [] };
  return { epoch: 7, sequence: 1, desired: 2, ...named, ...changes };
}

function send(payload: object, token = TOKEN) {
  const headers = { authorization: `Bearer ${token}` };
  return server.inject({ method: "POST", url: "/v1/desired", headers, payload });
}

describe("a request", () => {
  test("of a declared release is carried out", async () => {
    const answer = await send(commandOf());
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({ started: ["w-2"], limitedBy: null });
    expect(executor.commands).toEqual([commandOf()]);
  });

  test.each([
    ["another secret", commandOf(), "x".repeat(43), 401],
    ["no secret", commandOf(), "", 401],
    ["an image", commandOf({ image: "redis" }), TOKEN, 400],
    ["a mount", commandOf({ mounts: [{ source: "/" }] }), TOKEN, 400],
    ["a privilege", commandOf({ privileged: true }), TOKEN, 400],
    ["a number that is none", commandOf({ desired: -1 }), TOKEN, 400],
    ["a release that is a path", commandOf({ release: "../v1" }), TOKEN, 400],
    ["a release that is not declared", commandOf({ release: "v9" }), TOKEN, 403],
    ["a pool that is not declared", commandOf({ queue: "media" }), TOKEN, 403],
  ])("with %s is refused and noted, and does nothing", async (_what, payload, token, status) => {
    expect((await send(payload, token)).statusCode).toBe(status);
    expect(refused).toHaveLength(1);
    expect(refused.join()).not.toContain(token === "" ? "Bearer" : token);
    expect(executor.commands).toEqual([]);
  });

  test("for no worker of a release that has left the configuration is carried out", async () => {
    expect((await send(commandOf({ release: "v0", desired: 0 }))).statusCode).toBe(200);
  });

  test("for something else than the three calls is refused and noted, with the secret too", async () => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const answer = await server.inject({ method: "POST", url: "/containers/create", headers, payload: {} });
    expect(answer.statusCode).toBe(404);
    expect(refused).toHaveLength(1);
  });

  test("for /livez needs no secret, and the status does", async () => {
    expect((await server.inject({ url: "/livez" })).statusCode).toBe(200);
    expect((await server.inject({ url: "/v1/status" })).statusCode).toBe(401);
  });
});

describe("the asking side", () => {
  const remoteOf = (address = url, token = TOKEN) => new RemoteExecutor({ url: address, token, log });

  test("says and hears the same", async () => {
    const remote = remoteOf();
    expect(await remote.desired(commandOf())).toEqual({ started: ["w-2"], limitedBy: null });
    await remote.stop({ epoch: 7, workers: ["w-1"] });
    expect(executor.commands).toEqual([commandOf(), { epoch: 7, workers: ["w-1"] }]);
    expect(await remote.status()).toEqual(STATUS);
  });

  test("is told of the past, and knows the newer epoch then", async () => {
    const remote = remoteOf();
    executor.failure = new StaleEpochError(7, 9);
    await expect(remote.desired(commandOf())).rejects.toMatchObject({ code: "EPOCH_STALE", newest: 9 });
    await expect(remote.stop({ epoch: 7, workers: [] })).rejects.toMatchObject({ code: "EPOCH_STALE" });
    expect(remote.epoch).toBe(9);
  });

  test.each([
    ["an engine that fails", () => remoteOf(), new EngineError("no space left", 500), "no space left"],
    ["another secret", () => remoteOf(url, "y".repeat(43)), null, "TOKEN_REFUSED"],
    ["an executor that is away", () => remoteOf("http://127.0.0.1:9"), null, "ECONNREFUSED"],
  ])("goes on with %s, and tells the reason at the release", async (_what, make, failure, said) => {
    const remote = make();
    executor.failure = failure;
    expect(await remote.desired(commandOf())).toEqual({ started: [], limitedBy: "start-failures" });
    await remote.stop({ epoch: 7, workers: ["w-1"] });
    const { blocked } = await remote.status();
    expect(blocked).toMatchObject([{ queue: "shop", release: "v1" }]);
    expect(blocked[0]?.reason).toContain(said);
  });

  test("forgets the reason with the next command that is obeyed", async () => {
    const remote = remoteOf();
    executor.failure = new EngineError("no space left", 500);
    await remote.desired(commandOf());
    executor.failure = null;
    await remote.desired(commandOf({ sequence: 2 }));
    expect((await remote.status()).blocked).toEqual([]);
  });

  test("shows workers as they were while it is not answered", async () => {
    const remote = remoteOf();
    await remote.status();
    await server.close();
    expect((await remote.status()).workers).toEqual(STATUS.workers);
  });
});

describe("two executors as one", () => {
  test("have a pool's command go to its own, a stop to both, and are seen together", async () => {
    const local = new ScriptedExecutor();
    local.current = { ...STATUS, epoch: 8, workers: [], ended: ["w-9"], room: { media: 3 } };
    const routed = new RoutedExecutor({ local, remote: executor, remotePools: new Set(["shop"]) });
    await routed.desired(commandOf());
    await routed.desired(commandOf({ queue: "media" }));
    await routed.stop({ epoch: 7, workers: ["w-1"] });
    expect(executor.commands).toEqual([commandOf(), { epoch: 7, workers: ["w-1"] }]);
    expect(local.commands).toEqual([commandOf({ queue: "media" }), { epoch: 7, workers: ["w-1"] }]);
    expect(await routed.status()).toEqual({
      epoch: 8,
      workers: STATUS.workers,
      ended: ["w-9", "w-0"],
      blocked: [],
      room: { media: 3 },
    });
  });
});
