/**
 * One real Redis server for the whole run, on a Unix socket in a directory of its own: no port to clash with,
 * nothing to configure, and durable as in production (every write is on disk before its answer).
 *
 * Tests reach it by `inject("redisSocketPath")` and keep apart by their own key prefix.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { redisAdvice } from "../../ops/decide-redis.mjs";
import { findRedisServer } from "../../ops/redis-server.mjs";

declare module "vitest" {
  interface ProvidedContext {
    /** Unix socket of the Redis server that this run started. */
    readonly redisSocketPath: string;
  }
}

const READY_MAX_MS = 10_000;
/** Redis writes out what it holds on SIGTERM; one that takes longer is killed. */
const STOP_MAX_MS = 5_000;
const LOG_CHARS_SHOWN = 4_000;

/** @throws when no server is on PATH, or it is not ready in time; both say what to do. */
export default async function startRedisServer(project: TestProject): Promise<() => Promise<void>> {
  const choice = findRedisServer();
  if (choice.kind !== "found") {
    const what = choice.kind === "missing" ? "no redis-server on PATH" : `${choice.path} is too old`;
    throw new Error(`The tests need a real Redis: ${what}.\n${redisAdvice("test")}`);
  }
  const directory = await mkdtemp(join(tmpdir(), "sluice-redis-"));
  const socketPath = join(directory, "redis.sock");
  const server = spawnServer(choice.path, directory, socketPath);
  // Covers a run that ends without its teardown, by a signal or a second Ctrl-C.
  const leaveNothing = () => {
    server.kill("SIGKILL");
    rmSync(directory, { recursive: true, force: true });
  };
  process.once("exit", leaveNothing);

  const stop = async () => {
    await stopServer(server);
    process.off("exit", leaveNothing);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await untilReady(server);
  } catch (error) {
    await stop();
    throw error;
  }
  project.provide("redisSocketPath", socketPath);
  return stop;
}

function spawnServer(program: string, directory: string, socketPath: string): ChildProcess {
  const options: Record<string, string> = {
    port: "0",
    unixsocket: socketPath,
    unixsocketperm: "700",
    dir: directory,
    appendonly: "yes",
    appendfsync: "always",
    maxmemory: "512mb",
    "maxmemory-policy": "noeviction",
    save: "",
  };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  return spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
}

/** Goes on reading the log after the server is ready: a full pipe would stop the server. */
function untilReady(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = "";
    const fail = (reason: string) => {
      clearTimeout(timer);
      reject(new Error(`The Redis server for the tests ${reason}:\n${log}`));
    };
    const timer = setTimeout(() => fail(`was not ready within ${READY_MAX_MS / 1000} s`), READY_MAX_MS);
    server.once("error", (error) => fail(`could not be started (${error.message})`));
    server.once("exit", (code, signal) => fail(`ended with ${code ?? signal}`));
    const onText = (chunk: Buffer) => {
      log = (log + chunk.toString()).slice(-LOG_CHARS_SHOWN);
      // Redis 7.0 with --port 0 writes "ready to accept connections", later ones and Valkey "Ready".
      if (/ready to accept connections/i.test(log)) {
        clearTimeout(timer);
        resolve();
      }
    };
    server.stdout?.on("data", onText);
    server.stderr?.on("data", onText);
  });
}

async function stopServer(server: ChildProcess): Promise<void> {
  // No pid: it never started.
  if (server.pid === undefined || server.exitCode !== null || server.signalCode !== null) return;
  const exited = new Promise((resolve) => server.once("exit", resolve));
  server.kill("SIGTERM");
  const timer = setTimeout(() => server.kill("SIGKILL"), STOP_MAX_MS);
  await exited;
  clearTimeout(timer);
}
