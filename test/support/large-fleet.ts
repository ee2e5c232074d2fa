/** A registry with many lanes, and a fleet of many workers in Redis as they would register and beat. */
import type { Redis } from "ioredis";
import { Observer, type ObserverPorts } from "#autoscaler/observe";
import { LoadEstimates } from "#autoscaler/scaling/load-estimates";
import { FleetStore } from "#shared/redis/fleet-store";
import { keysOf } from "#shared/redis/keys";
import { LoadStore } from "#shared/redis/load-store";
import type { RegistryDocument } from "#shared/registry/registry-document";
import { systemClock } from "#shared/system-clock";

export interface FleetSize {
  readonly queues: number;
  /** Reader generations of each queue, each with a release. */
  readonly lanesPerQueue: number;
  readonly workersPerQueue: number;
}

export function queueName(index: number): string {
  return `queue-${index}`;
}

export function releaseName(generation: number): string {
  return `release-${generation}`;
}

/** Each release reads its own generation and the one before. */
export function registryOf({ queues, lanesPerQueue }: FleetSize): RegistryDocument {
  const names = Array.from({ length: queues }, (_, index) => queueName(index));
  const numbers = Array.from({ length: lanesPerQueue }, (_, index) => index + 1);
  const group = (generation: number) => `job@${generation}`;
  return {
    revision: 1,
    types: {},
    queues: Object.fromEntries(
      names.map((name) => [
        name,
        { app: "shop", generations: numbers.map((it) => ({ generation: it, reads: [group(it)] })) },
      ]),
    ),
    releases: Object.fromEntries(
      numbers.map((it) => [
        releaseName(it),
        {
          app: "shop",
          state: "live",
          order: it,
          publishedAt: "2026-01-31T12:00:00.000Z",
          queues: Object.fromEntries(
            names.map((name) => [name, { generation: it, reads: [group(it), group(it - 1)] }]),
          ),
        },
      ]),
    ),
  } as unknown as RegistryDocument;
}

/** Puts jobs, counters and workers there; every worker has beaten once. */
export async function fillFleet(redis: Redis, prefix: string, size: FleetSize): Promise<void> {
  for (let index = 0; index < size.queues; index += 1) await fillQueue(redis, prefix, { ...size, index });
}

async function fillQueue(
  redis: Redis,
  prefix: string,
  { index, lanesPerQueue, workersPerQueue }: FleetSize & { readonly index: number },
): Promise<void> {
  const keys = keysOf(prefix);
  const fleet = new FleetStore(redis, keys);
  const queue = queueName(index);
  const pipeline = redis.pipeline();
  for (let generation = 1; generation <= lanesPerQueue; generation += 1) {
    const lane = `${prefix}:${queue}.r${generation}`;
    pipeline.lpush(`${lane}:wait`, "job-2", "job-1");
    pipeline.hset(`${lane}:job-1`, { timestamp: systemClock.nowMs(), delay: 0, opts: "{}" });
    pipeline.hincrby(keys.arrivals(queue), `job.a|r${generation}`, 1_000);
  }
  for (const counter of ["finished", "busyms", "pickupms", "p|100", "p|500", "r|1000", "r|2000"])
    pipeline.hincrby(keys.service(queue), `job.a|${counter}`, 1_000);
  await pipeline.exec();
  const workers = Array.from({ length: workersPerQueue }, (_, number) => number);
  await Promise.all(
    workers.map(async (number) => {
      const generation = 1 + (number % lanesPerQueue);
      const place = { release: releaseName(generation), queue };
      const workerId = `w-${index}-${number}`;
      const facts = { bootId: workerId, pid: 1, host: "here", bullmqMajor: "6", nodeVersion: "20.0.0" };
      const said = { ...place, ...facts, slots: 10, startupMs: 900 };
      const registration = await fleet.register(workerId, said);
      const lanes = [generation - 1, generation].filter((it) => it > 0).map((it) => `${queue}.r${it}`);
      await fleet.heartbeat({
        ...place,
        workerId,
        generation: registration.generation,
        serviceIncreases: {},
        status: {
          state: "ok",
          reason: null,
          lanes,
          trippedLanes: [],
          takes: "all",
          heldLanes: [],
          firstRuns: { finished: 1_000, failed: 3, failedElsewhere: 0, stalls: 0, inRow: 0 },
          busy: number % 10,
          lastStartedAtMs: systemClock.nowMs(),
          lastFinishedAtMs: systemClock.nowMs(),
          settled: { finished: 1_000, retry: 3 },
          eventLoopLagMs: 20.1,
          rssBytes: 100_000_000,
          clockOffsetMs: 1,
        },
      });
    }),
  );
}

/** An observer of it, without processes of its own. */
export function observerOf(redis: Redis, prefix: string, size: FleetSize): Observer {
  const keys = keysOf(prefix);
  const names = Object.keys(registryOf(size).queues);
  const ports = {
    clock: systemClock,
    config: configOf(names, size.lanesPerQueue),
    fleet: new FleetStore(redis, keys),
    load: new LoadStore(redis, keys),
    registry: { refresh: async () => false, document: registryOf(size) },
    executor: {
      refresh: async () => undefined,
      workers: () => [],
      hasEnded: () => false,
      blocked: () => null,
    },
    estimates: new LoadEstimates(),
    tickMs: 5_000,
    startDelayMs: () => 2_000,
  };
  // A registry that is not in Redis; what is given of the others is all that the observer asks of them.
  return new Observer(ports as unknown as ObserverPorts);
}

export function configOf(queues: readonly string[], releases: number) {
  const executor = "local" as const;
  const pool = { slotsPerWorker: 10, workersMin: 0, workersMax: 1_000, scaleInHoldMs: 60_000, executor };
  return {
    path: "/sluice.json",
    queues: Object.fromEntries(queues.map((queue) => [queue, { pickupPromiseMs: 30_000 }])),
    pools: Object.fromEntries(queues.map((queue) => [queue, pool])),
    releases: Array.from({ length: releases }, (_, index) => ({
      id: releaseName(index + 1),
      app: "/shop.mjs",
      command: null,
    })),
  };
}
