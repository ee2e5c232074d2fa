/** What this process says of itself once, when it registers. */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { bullmqMajor } from "#shared/redis/bullmq-version";
import type { WorkerFacts } from "#shared/redis/fleet-store";
import type { WorkerConfig } from "./config.ts";

export function factsOf({ release, queue, slots }: WorkerConfig): WorkerFacts {
  return {
    release,
    queue,
    slots,
    bootId: randomUUID(),
    pid: process.pid,
    host: hostname(),
    bullmqMajor,
    nodeVersion: process.versions.node,
    startupMs: Math.round(process.uptime() * 1_000),
  };
}
