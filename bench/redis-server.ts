/**
 * A Redis server of its own for each measurement, empty, in a directory of its own.
 *
 * Both sides of a comparison get the same: every write is on disk before its answer (AOF always),
 * nothing is evicted, and the AOF is not rewritten in the middle of a measurement.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { freePort } from "#test/support/free-port";
import { redisAdvice } from "../ops/decide-redis.mjs";
import { findRedisServer } from "../ops/redis-server.mjs";
import { Child } from "./child.ts";
import type { Cleanup } from "./cleanup.ts";

export const REDIS_SETTINGS: Readonly<Record<string, string>> = {
  appendonly: "yes",
  appendfsync: "always",
  "auto-aof-rewrite-percentage": "0",
  save: "",
  maxmemory: "2gb",
  "maxmemory-policy": "noeviction",
};

/** How it is reached: over TCP on loopback, or by a Unix socket, which costs less for every write. */
export const TRANSPORTS = ["tcp", "socket"] as const;
export type Transport = (typeof TRANSPORTS)[number];

export interface RedisServer {
  /** `unix://<path>` or `redis://<host>:<port>`. */
  readonly url: string;
  readonly pid: number;
  /** The bench's own connection, for looking. */
  readonly redis: Redis;
  usedMemoryBytes(): Promise<number>;
}

/** @throws when there is no Redis server program, or it does not start. */
export async function startRedis(cleanup: Cleanup, transport: Transport): Promise<RedisServer> {
  const directory = mkdtempSync(join(tmpdir(), "sluice-bench-"));
  const remove = () => rmSync(directory, { recursive: true, force: true });
  cleanup.add({ undo: async () => remove(), undoNow: remove });

  const socketPath = join(directory, "redis.sock");
  const port = transport === "tcp" ? await freePort() : 0;
  const url = transport === "tcp" ? `redis://127.0.0.1:${port}` : `unix://${socketPath}`;
  const reached = { bind: "127.0.0.1", port: String(port), unixsocket: socketPath };
  const settings = { ...reached, dir: directory, ...REDIS_SETTINGS };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const server = Child.start({ name: "redis-server", command: foundServer().path, args }, cleanup);
  await server.untilPrinted(/ready to accept connections/i);

  const redis = new Redis({ path: socketPath, maxRetriesPerRequest: 1 });
  redis.on("error", () => undefined);
  const disconnect = () => redis.disconnect();
  cleanup.add({ undo: async () => disconnect(), undoNow: disconnect });
  return { url, pid: server.pid, redis, usedMemoryBytes: () => usedMemoryBytes(redis) };
}

export function redisVersion(): string {
  return foundServer().version;
}

function foundServer() {
  const choice = findRedisServer();
  if (choice.kind === "found") return choice;
  throw new Error(`The bench needs a real Redis.\n${redisAdvice("test")}`);
}

async function usedMemoryBytes(redis: Redis): Promise<number> {
  const found = /^used_memory:(\d+)/m.exec(await redis.info("memory"))?.[1];
  if (found === undefined) throw new Error("Redis does not say how much memory it uses");
  return Number(found);
}
