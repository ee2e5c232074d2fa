/** A producer and a Redis on one core, a load on the other, and what they are asked. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { DEFAULT_QUEUE_LIMITS, type QueueLimits } from "#shared/limits/limits-document";
import { keysOf } from "#shared/redis/keys";
import { LimitsStore } from "#shared/redis/limits-store";
import type { Stack } from "#test/support/stack";
import { type KindResult, OpenLoop } from "./open-loop.ts";

export interface Door {
  readonly load: OpenLoop;
  readonly producerPid: number;
}

/** Starts the producer and a load; the fleet is the test's. */
export async function openDoor(
  stack: Stack,
  {
    limits,
    settings = {},
  }: { readonly limits: Partial<QueueLimits>; readonly settings?: Record<string, string> },
): Promise<Door> {
  await new LimitsStore(stack.redis, keysOf("sluice")).publishBase(
    { queues: { probe: { ...DEFAULT_QUEUE_LIMITS, ...limits } }, throttles: [] },
    Date.now(),
  );
  const producer = await stack.startProducer(settings);
  const redisPid = Number(/process_id:(\d+)/.exec(await stack.redis.info("server"))?.[1]);
  const load = await openLoad(stack);
  for (const pid of [producer.pid, redisPid]) pin(pid, 0);
  return { load, producerPid: producer.pid };
}

export async function openLoad(stack: Stack): Promise<OpenLoop> {
  const load = await OpenLoop.start(Number(new URL(stack.apiUrl).port));
  pin(load.pid, 1);
  return load;
}

/** Without taskset, as on macOS, everything shares its cores with the load. */
function pin(pid: number, core: number): void {
  try {
    execFileSync("taskset", ["-apc", String(core), String(pid)], { stdio: "ignore" });
  } catch {
    // The numbers are then those of a busier machine.
  }
}

/** What a probe job is asked to do, and what else its envelope carries. */
export function probeJob(ms: number, more: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({ type: "probe.task", schemaversion: 1, data: { n: 1, ms }, ...more });
}

/** Waits until nothing waits or runs. */
export async function untilEmpty(stack: Stack): Promise<void> {
  const unfinished = async () =>
    (await stack.redis.llen("sluice:probe.r1:wait")) + (await stack.redis.llen("sluice:probe.r1:active"));
  await expect.poll(unfinished, { timeout: 300_000, interval: 50 }).toBe(0);
}

export async function finishedIn(stack: Stack): Promise<number> {
  return stack.redis.zcard("sluice:probe.r1:completed");
}

/** Resident memory of a process. */
export function memoryMiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1_024;
}

/** A table on standard output, for whoever runs the suite to read. */
export function show(title: string, rows: readonly Readonly<Record<string, unknown>>[]): void {
  const lines = rows.map((row) =>
    Object.entries(row)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => `${name} ${typeof value === "object" ? JSON.stringify(value) : value}`)
      .join("  "),
  );
  process.stdout.write(`${title}\n${lines.map((line) => `  ${line}\n`).join("")}`);
}

/** A result with two decimals. */
export function rounded(result: KindResult): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(result).map(([name, value]) => [
      name,
      typeof value === "number" ? Math.round(value * 100) / 100 : value,
    ]),
  );
}
