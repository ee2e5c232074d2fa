/** What one measurement of one side found. */
import type { CpuReading } from "./cpu-time.ts";

export interface Sample {
  readonly jobs: number;
  readonly seconds: number;
  readonly perSecond: number;
  /** CPU time of the measured Node process. */
  readonly nodeUsPerJob: number;
  /** CPU time of the Redis server; `null` where there is none. */
  readonly redisUsPerJob: number | null;
  /** Growth of Redis' memory; `null` where there is none. */
  readonly redisBytesPerJob: number | null;
  /** Latency of an answered request; `null` where there are none. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  /** When the measured span began and ended, monotonic; for cutting a profile. */
  readonly span: { readonly fromMs: number; readonly untilMs: number };
}

export interface Measured {
  readonly jobs: number;
  readonly before: CpuReading;
  readonly after: CpuReading;
  readonly hasRedis?: boolean;
  readonly redisBytesPerJob?: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
}

export function sampleOf(measured: Measured): Sample {
  const { jobs, before, after, hasRedis = true } = measured;
  const seconds = (after.atMs - before.atMs) / 1_000;
  return {
    jobs,
    seconds,
    perSecond: jobs / seconds,
    nodeUsPerJob: (after.nodeUs - before.nodeUs) / jobs,
    redisUsPerJob: hasRedis ? (after.redisUs - before.redisUs) / jobs : null,
    redisBytesPerJob: measured.redisBytesPerJob ?? null,
    p50Ms: measured.p50Ms ?? null,
    p99Ms: measured.p99Ms ?? null,
    span: { fromMs: before.atMs, untilMs: after.atMs },
  };
}
