/** What Redis promises right now: looked at every 30 s, since an operator may change it under us. */
import type { Clock } from "../clock.ts";
import type { RedisConnection } from "./connection.ts";
import { type Durability, type DurabilityPolicy, readDurability } from "./durability.ts";

const LOOK_INTERVAL_MS = 30_000;

export class DurabilityWatch {
  readonly #redis: RedisConnection;
  readonly #policy: DurabilityPolicy;
  #found: Durability | null = null;

  constructor(redis: RedisConnection, policy: DurabilityPolicy) {
    this.#redis = redis;
    this.#policy = policy;
  }

  /** What the last look found, `null` before the first. */
  get found(): Durability | null {
    return this.#found;
  }

  get redisReachable(): boolean {
    return this.#redis.status === "ready";
  }

  async look(): Promise<Durability> {
    this.#found = await readDurability(this.#redis, this.#policy);
    return this.#found;
  }

  /** Looks again and again until `signal` aborts; a look that fails changes nothing. */
  async run(clock: Clock, signal: AbortSignal): Promise<void> {
    while ((await clock.sleep(LOOK_INTERVAL_MS, signal)) === "elapsed") {
      await this.look().catch(() => undefined);
    }
  }
}
