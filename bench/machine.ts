/** What the numbers were measured on, and how: a number without it says nothing. */
import { createRequire } from "node:module";
import { cpus, release, totalmem } from "node:os";
import type { BenchOptions } from "./options.ts";
import { REDIS_SETTINGS, redisVersion } from "./redis-server.ts";

export interface Machine {
  readonly cpu: string;
  readonly cpus: number;
  readonly memoryGb: number;
  readonly kernel: string;
  readonly node: string;
  readonly redis: string;
  readonly bullmq: string;
  readonly ioredis: string;
  readonly fastify: string;
}

export function describeMachine(): Machine {
  const all = cpus();
  return {
    cpu: all[0]?.model ?? "unknown",
    cpus: all.length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.versions.node,
    redis: redisVersion(),
    bullmq: packageVersion("bullmq"),
    ioredis: packageVersion("ioredis"),
    fastify: packageVersion("fastify"),
  };
}

export function describeMethod({
  rounds,
  seconds,
  jobs,
  connections,
  redis,
}: BenchOptions): readonly string[] {
  const reached = redis === "tcp" ? "TCP on loopback" : "a Unix socket";
  const settings = Object.entries(REDIS_SETTINGS).map(([name, value]) => `${name} ${value || '""'}`);
  return [
    `${rounds} rounds, each side once a round, one after the other; median (min - max) of the rounds`,
    "each server, worker and load a process of its own; all share this machine's cores",
    `each measurement with an empty Redis of its own by ${reached}: ${settings.join(", ")}`,
    `HTTP: loopback, ${connections} connections in a closed loop, 192 bytes a body, 1 s of warm-up, then ${seconds} s`,
    "everything on: an idempotency key on each request, bounds of the backlog, a limits document with throttles",
    `stream: one request of lines, written as fast as it is taken, 1 s of warm-up, then ${seconds} s`,
    `raw adds: ${connections} calls of queue.add in flight, or one addBulk at a time, 1 s of warm-up, then ${seconds} s`,
    `workers: ${jobs} jobs wait before the worker starts; first job taken to last job finished`,
    "CPU time from /proc/<pid>/stat, all threads; Redis bytes: growth of used_memory by the jobs in it",
    "ratios are of the two neighbours in one round",
  ];
}

function packageVersion(name: string): string {
  const { version } = createRequire(import.meta.url)(`${name}/package.json`) as { version: string };
  return version;
}
