/** A producer and a worker with a Redis of their own, from dist/, for the fuzzer to work on. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { findRedisServer } from "../../ops/redis-server.mjs";
import { Child } from "../support/child.ts";

/** Its jobs end at once, so that there are results to ask for and no backlog. */
const APP = join(import.meta.dirname, "../support/apps/fuzz.mjs");

const ROOT = resolve(import.meta.dirname, "../..");

export interface Target {
  readonly baseUrl: string;
  stop(): Promise<void>;
}

export async function startTarget(): Promise<Target> {
  const directory = await mkdtemp(join(tmpdir(), "sluice-fuzz-"));
  const socket = join(directory, "redis.sock");
  const children: Child[] = [];
  const start = (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const child = new Child({ args, env: { SLUICE_REDIS_URL: `unix://${socket}`, ...env }, cwd: ROOT });
    children.push(child);
    return child;
  };
  const stop = async () => {
    for (const child of children.reverse()) {
      child.kill("SIGTERM");
      await child.exited;
    }
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await start(redisArguments(directory, socket)).said(/ready to accept connections/i);
    const worker = { SLUICE_RELEASE: "fuzz-1", SLUICE_APP: APP, SLUICE_QUEUE: "fuzz", SLUICE_SLOTS: "20" };
    const publishing = start([process.execPath, join(ROOT, "dist/worker/main.js"), "publish"], worker);
    const { code } = await publishing.exited;
    if (code !== 0) throw new Error(`the app was not published: ${publishing.output}`);
    const producer = start([process.execPath, join(ROOT, "dist/producer/main.js")], { SLUICE_API_PORT: "0" });
    const [, port] = await producer.said(/"port":(\d+)/);
    await start([process.execPath, join(ROOT, "dist/worker/main.js")], worker).said(/worker is taking jobs/);
    return { baseUrl: `http://127.0.0.1:${port}`, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function redisArguments(directory: string, socket: string): readonly string[] {
  const choice = findRedisServer();
  if (choice.kind !== "found") throw new Error("no Redis server on PATH");
  const settings = `--port 0 --appendonly yes --appendfsync always --maxmemory 512mb --maxmemory-policy noeviction`;
  return [choice.path, ...settings.split(" "), "--save", "", "--unixsocket", socket, "--dir", directory];
}
