/**
 * How much of Redis' memory is left for new jobs, measured a few times a second and told to the admission
 * script, which takes from it as it admits.
 *
 * Jobs are taken up to 85 % of `maxmemory`. The rest is a reserve: workers, retries and operators write too, and at
 * the limit itself Redis would refuse even what makes room.
 */
import type { Clock } from "../clock.ts";
import type { RedisConnection } from "./connection.ts";
import type { Keys } from "./keys.ts";

/** Jobs are refused from here on. */
export const MEMORY_REFUSE_SHARE = 0.85;

/** From here on the leader cleans finished jobs away, and operators are told. */
export const MEMORY_WARN_SHARE = 0.7;

const INTERVAL_MS = 250;

export interface MemoryUse {
  readonly usedBytes: number;
  /** 0: no limit is set, or the server does not tell. */
  readonly maxBytes: number;
}

export class MemoryWatch {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  #use: MemoryUse | null = null;

  constructor(redis: RedisConnection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** `null` before the first look. */
  get use(): MemoryUse | null {
    return this.#use;
  }

  /** Looks until `signal` aborts. While Redis is away what was told last stays. */
  async run(clock: Clock, signal: AbortSignal): Promise<void> {
    while ((await clock.sleep(INTERVAL_MS, signal)) === "elapsed") await this.look().catch(() => undefined);
  }

  async look(): Promise<MemoryUse> {
    const use = memoryUseIn(await this.#redis.info("memory"));
    this.#use = use;
    const room = Math.floor(use.maxBytes * MEMORY_REFUSE_SHARE - use.usedBytes);
    try {
      if (use.maxBytes > 0) await this.#redis.hset(this.#keys.admission, "room", room);
      else await this.#redis.hdel(this.#keys.admission, "room");
    } catch (error) {
      // At the limit itself Redis takes no job either, whatever is told of room.
      if (!isOutOfMemory(error)) throw error;
    }
    return use;
  }
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("OOM");
}

/** What `INFO memory` says. */
export function memoryUseIn(info: string): MemoryUse {
  return { usedBytes: numberIn(info, "used_memory"), maxBytes: numberIn(info, "maxmemory") };
}

function numberIn(info: string, name: string): number {
  return Number(new RegExp(`^${name}:(\\d+)`, "m").exec(info)?.[1] ?? 0);
}
