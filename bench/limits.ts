/**
 * The limits document that Sluice's side has: a queue that holds all that a measurement brings, and throttles as
 * they are in use.
 */
import { type LimitsBase, queueLimits } from "#shared/limits/limits-document";
import { keysOf } from "#shared/redis/keys";
import { LimitsStore } from "#shared/redis/limits-store";
import type { RedisServer } from "./redis-server.ts";

const ALL = 100_000_000;

const QUEUES = {
  receipts: queueLimits.parse({ depthMax: ALL, bytesMax: 1e12, waitMaxMs: 604_800_000, tenantDepthMax: ALL }),
};

/** Each job looks for its throttles and finds none: they are of another tenant. */
const OF_ANOTHER: LimitsBase["throttles"] = [
  {
    name: "other-rate",
    per: "tenant",
    value: "other",
    algorithm: "token-bucket",
    limit: 100,
    windowMs: 1_000,
  },
  { name: "other-cap", per: "tenant", value: "other", algorithm: "concurrency", limit: 10, windowMs: 1_000 },
];

/** One that every job passes. */
const OF_EACH: LimitsBase["throttles"] = [
  { name: "rate", per: "tenant", value: "*", algorithm: "token-bucket", limit: 1_000_000, windowMs: 1_000 },
];

export async function publishLimits({ redis }: RedisServer, isThrottled: boolean): Promise<void> {
  const throttles = isThrottled ? [...OF_ANOTHER, ...OF_EACH] : OF_ANOTHER;
  await new LimitsStore(redis, keysOf("sluice")).publishBase({ queues: QUEUES, throttles }, 0);
}
