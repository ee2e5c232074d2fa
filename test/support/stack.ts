/**
 * Real processes for end-to-end tests: an own Redis, the producer, workers and the autoscaler from
 * dist/, all on Unix sockets and free loopback ports, all ended by their own pids.
 */
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { test as base } from "vitest";
import { keysOf } from "#shared/redis/keys";
import { moveGate } from "#shared/redis/registry-store";
import { findRedisServer } from "../../ops/redis-server.mjs";
import { Child } from "./child.ts";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

export interface LedgerLine {
  readonly event: "start" | "end";
  readonly jobId: string;
  readonly n: number;
  readonly starts: number;
  readonly attempt: number;
  readonly release: string;
  readonly schemaVersion: number;
  readonly atMs: number;
  readonly pid: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: a test asserts on what it expects to be there.
  readonly body: any;
}

export const PROBE_APPS = {
  "probe-v1": join(ROOT, "test/support/apps/probe-v1.mjs"),
  "probe-v2": join(ROOT, "test/support/apps/probe-v2.mjs"),
  "probe-v2-broken": join(ROOT, "test/support/apps/probe-v2-broken.mjs"),
} as const;

export type ProbeRelease = keyof typeof PROBE_APPS;

export class Stack {
  readonly directory: string;
  readonly redisSocket: string;
  readonly ledgerPath: string;
  readonly #children: Child[] = [];
  #redisServer: Child | null = null;
  #redis: Redis | null = null;
  #apiUrl = "";
  #controlUrl = "";

  private constructor(directory: string) {
    this.directory = directory;
    this.redisSocket = join(directory, "redis.sock");
    this.ledgerPath = join(directory, "ledger.jsonl");
    appendFileSync(this.ledgerPath, "");
  }

  static async create(): Promise<Stack> {
    const stack = new Stack(await mkdtemp(join(tmpdir(), "sluice-e2e-")));
    await stack.startRedis();
    return stack;
  }

  get environment(): Record<string, string> {
    return {
      SLUICE_REDIS_URL: `unix://${this.redisSocket}`,
      SLUICE_DATA_DIR: this.directory,
      SLUICE_EXECUTOR_DIR: join(this.directory, "executor"),
      PROBE_LEDGER: this.ledgerPath,
    };
  }

  /** A client of the test's own, to look at what is really stored. */
  get redis(): Redis {
    this.#redis ??= new Redis({ path: this.redisSocket, maxRetriesPerRequest: null });
    return this.#redis;
  }

  /** Of the producer that was started last. */
  get apiUrl(): string {
    return this.#apiUrl;
  }

  get controlUrl(): string {
    return this.#controlUrl;
  }

  async startRedis(): Promise<void> {
    const choice = findRedisServer();
    if (choice.kind !== "found") throw new Error("no Redis server on PATH");
    const settings = "--port 0 --appendonly yes --appendfsync always --maxmemory 512mb";
    const server = this.#spawn([
      choice.path,
      ...settings.split(" "),
      "--save",
      "",
      "--maxmemory-policy",
      "noeviction",
      "--unixsocket",
      this.redisSocket,
      "--dir",
      this.directory,
    ]);
    await server.said(/ready to accept connections/i);
    this.#redisServer = server;
  }

  async killRedis(): Promise<void> {
    this.#redisServer?.kill("SIGKILL");
    await this.#redisServer?.exited;
  }

  /** Its connections stay, and nothing is answered any more. */
  hangRedis(): void {
    this.#redisServer?.kill("SIGSTOP");
  }

  async publish(...releases: readonly ProbeRelease[]): Promise<void> {
    for (const release of releases) {
      const settings = { SLUICE_RELEASE: release, SLUICE_APP: PROBE_APPS[release] };
      const { code, output } = await this.runWorkerMain(["publish"], settings);
      if (code !== 0) throw new Error(`publish ended with ${code}: ${output}`);
    }
  }

  /** Lets jobs be written as `version`, as an operator would who raises the gate by force. */
  async openGate(version = 2, type = "probe.task"): Promise<void> {
    const request = { type, version, expected: null, force: true, sunset: null };
    const readiness = { readerSlots: 0, loadSlots: null };
    const change = { at: "2026-01-31T12:00:00.000Z", by: "test", why: "the test needs it" };
    const decision = await moveGate(this.redis, keysOf("sluice"), { request, readiness, change });
    if (decision.kind === "refused") throw new Error(`the gate stays: ${decision.reason}`);
  }

  async startProducer(settings: Readonly<Record<string, string>> = {}): Promise<Child> {
    const child = this.#spawn([process.execPath, join(ROOT, "dist/producer/main.js")], {
      SLUICE_API_PORT: "0",
      ...settings,
    });
    const [, port] = await child.said(/"port":(\d+)/);
    this.#apiUrl = `http://127.0.0.1:${port}`;
    return child;
  }

  async startWorker(
    release: ProbeRelease,
    settings: { readonly slots?: number; readonly drainDeadlineMs?: number; readonly workerId?: string } = {},
  ): Promise<Child> {
    const child = this.#spawn([process.execPath, join(ROOT, "dist/worker/main.js")], {
      SLUICE_RELEASE: release,
      SLUICE_APP: PROBE_APPS[release],
      SLUICE_QUEUE: "probe",
      SLUICE_SLOTS: String(settings.slots ?? 4),
      SLUICE_DRAIN_DEADLINE_MS: String(settings.drainDeadlineMs ?? 30_000),
      ...(settings.workerId === undefined ? {} : { SLUICE_WORKER_ID: settings.workerId }),
    });
    await child.said(/worker is taking jobs/);
    return child;
  }

  /** Starts emptying `probe.r1` with the build of a release; ends by itself. */
  startMigration(release: ProbeRelease, settings: Readonly<Record<string, string>> = {}): Child {
    return this.#spawn([process.execPath, join(ROOT, "dist/worker/main.js"), "migrate"], {
      SLUICE_RELEASE: release,
      SLUICE_APP: PROBE_APPS[release],
      SLUICE_QUEUE: "probe",
      SLUICE_FROM_LANE: "probe.r1",
      ...settings,
    });
  }

  async startAutoscaler(
    releases: readonly ProbeRelease[],
    pool: Readonly<Record<string, number>> = {},
    settings: Readonly<Record<string, string>> = {},
  ): Promise<Child> {
    const path = join(this.directory, "sluice.config.json");
    const config = {
      queues: { probe: { pickupPromiseMs: 2_000 } },
      pools: { probe: { slotsPerWorker: 4, workersMin: 0, workersMax: 3, scaleInHoldMs: 2_000, ...pool } },
      releases: releases.map((id) => ({ id, app: PROBE_APPS[id] })),
    };
    writeFileSync(path, JSON.stringify(config));
    const child = this.#spawn([process.execPath, join(ROOT, "dist/autoscaler/main.js")], {
      SLUICE_CONTROL_PORT: "0",
      SLUICE_CONFIG: path,
      ...settings,
    });
    const [, port] = await child.said(/"port":(\d+)/);
    this.#controlUrl = `http://127.0.0.1:${port}`;
    return child;
  }

  /** Runs the worker's main to its end. */
  async runWorkerMain(args: readonly string[], env: Readonly<Record<string, string>>) {
    return this.#runToEnd([join(ROOT, "dist/worker/main.js"), ...args], env);
  }

  /** Runs the producer's main to its end. */
  async runProducerMain() {
    return this.#runToEnd([join(ROOT, "dist/producer/main.js")], { SLUICE_API_PORT: "0" });
  }

  async post(body: unknown, contentType = "application/json"): Promise<Answer> {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    return this.request(`${this.#apiUrl}/v1/jobs`, {
      method: "POST",
      headers: { "content-type": contentType },
      body: text,
    });
  }

  /** Enqueues a probe job and gives its id. */
  async enqueue(
    data: Readonly<Record<string, unknown>>,
    schemaversion = 1,
    type = "probe.task",
  ): Promise<string> {
    const { status, body } = await this.post({ type, schemaversion, data });
    if (status !== 202) throw new Error(`not accepted: ${status} ${JSON.stringify(body)}`);
    return body.id;
  }

  async job(id: string): Promise<Answer["body"]> {
    return (await this.request(`${this.#apiUrl}/v1/jobs/${id}`)).body;
  }

  async control(path: string): Promise<Answer["body"]> {
    return (await this.request(`${this.#controlUrl}${path}`)).body;
  }

  async api(path: string, init: RequestInit = {}): Promise<Answer> {
    return this.request(`${this.#apiUrl}${path}`, init);
  }

  async request(url: string, init: RequestInit = {}): Promise<Answer> {
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(15_000) });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get("content-type") ?? "");
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  }

  ledger(): readonly LedgerLine[] {
    return readFileSync(this.ledgerPath, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as LedgerLine);
  }

  /** Ends everything, the hard way for what does not end by itself. */
  async stop(): Promise<void> {
    this.#redis?.disconnect();
    const others = this.#children.filter((child) => child !== this.#redisServer);
    for (const child of others) child.kill("SIGTERM");
    const insist = setTimeout(() => {
      for (const child of others) child.kill("SIGKILL");
    }, 8_000);
    await Promise.all(others.map((child) => child.exited));
    clearTimeout(insist);
    this.#redisServer?.kill("SIGKILL");
    await Promise.all(this.#children.map((child) => child.exited));
    await rm(this.directory, { recursive: true, force: true });
  }

  async #runToEnd(args: readonly string[], env: Readonly<Record<string, string>>) {
    const child = this.#spawn([process.execPath, ...args], env);
    const { code } = await child.exited;
    return { code, output: child.output };
  }

  #spawn(args: readonly string[], env: Readonly<Record<string, string>> = {}): Child {
    const child = new Child({ args, env: { ...this.environment, ...env }, cwd: ROOT });
    this.#children.push(child);
    return child;
  }
}

/** `test` with a stack of its own; only Redis runs at first. */
export const stackTest = base.extend<{ stack: Stack }>({
  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads the fixture's needs from the pattern.
  stack: async ({}, use) => {
    const stack = await Stack.create();
    try {
      await use(stack);
    } finally {
      await stack.stop();
    }
  },
});
