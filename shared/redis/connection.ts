/**
 * Connections to Redis, one kind for each way of failing.
 *
 * A producer must fail fast and must never send a command twice: a resent add could be a second job.
 * Workers and the autoscaler must instead sit out an outage and be back within a second of its end.
 * `redis://`, `rediss://` and `unix:///path` URLs are understood.
 */
import { Redis, type RedisOptions } from "ioredis";

export type RedisConnection = Redis;

/** Longest pause between two attempts to connect, so that work resumes soon after an outage. */
const RECONNECT_MS_MAX = 1_000;

/** A command not answered by then has an unknown outcome. */
const PRODUCER_COMMAND_TIMEOUT_MS = 2_000;

const shared = {
  lazyConnect: true,
  connectTimeout: 5_000,
  keepAlive: 5_000,
  retryStrategy: (times: number) => Math.min(RECONNECT_MS_MAX, 50 * 2 ** Math.min(times, 8)),
};

/** For requests: fails at once when Redis is away, resends nothing, gives up after two seconds. */
export function connectFailingFast(url: string, name: string): RedisConnection {
  return withQuietErrors(
    openRedis(url, {
      ...shared,
      connectionName: name,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      commandTimeout: PRODUCER_COMMAND_TIMEOUT_MS,
    }),
  );
}

/** For loops: commands wait for Redis to come back, for as long as it takes. */
export function connectPatient(url: string, name: string): RedisConnection {
  return withQuietErrors(openRedis(url, { ...shared, connectionName: name, maxRetriesPerRequest: null }));
}

/**
 * Waits until the connection can be used.
 *
 * @throws the last connection error when that takes longer than `timeoutMs`.
 */
export async function untilReady(redis: RedisConnection, timeoutMs: number): Promise<void> {
  if (redis.status === "ready") return;
  let lastError: unknown = new Error(`Redis did not answer within ${timeoutMs} ms`);
  const onError = (error: unknown) => {
    lastError = error;
  };
  redis.on("error", onError);
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = AbortSignal.timeout(timeoutMs);
      timer.addEventListener("abort", () => reject(lastError), { once: true });
      redis.once("ready", () => resolve());
      if (redis.status === "wait") redis.connect().catch(onError);
    });
  } finally {
    redis.off("error", onError);
  }
}

/** Ends the connection without waiting for an answer; safe when Redis is gone, and twice. */
export function disconnect(redis: RedisConnection): void {
  redis.disconnect();
}

/** ioredis would leave the path of a socket percent-encoded. */
function openRedis(url: string, options: Omit<RedisOptions, "replyMapping">): Redis {
  if (!url.startsWith("unix://")) return new Redis(url, options);
  return new Redis({ ...options, path: decodeURIComponent(new URL(url).pathname) });
}

/** ioredis prints errors that nobody listens to; every command's own failure is handled where it is sent. */
function withQuietErrors(redis: Redis): Redis {
  // Every BullMQ queue on the connection adds its own listeners.
  redis.setMaxListeners(0);
  return redis.on("error", () => undefined);
}
