/**
 * Takes jobs that have ended out of their tenants' open sets.
 *
 * Gathered and sent ten times a second, so that a job costs no call of its own and a tenant at its bound has its places
 * back at about the rate at which its jobs end. What a killed worker had gathered is found by the admission script when a
 * tenant is at its bound, and by the leader's sweep.
 */
import type { Clock } from "../clock.ts";
import type { RedisConnection } from "./connection.ts";
import type { Keys } from "./keys.ts";

const FLUSH_INTERVAL_MS = 100;

/** Ids in one command: it holds up every other client of Redis while it runs. */
const IDS_MAX = 500;

/** Kept while Redis is away; beyond that the sweep has to find them. */
const GATHERED_MAX = 100_000;

export class OpenJobs {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #queue: string;
  #ended = new Map<string, string[]>();
  #count = 0;

  constructor(redis: RedisConnection, keys: Keys, queue: string) {
    this.#redis = redis;
    this.#keys = keys;
    this.#queue = queue;
  }

  ended(tenant: string, jobId: string): void {
    if (this.#count >= GATHERED_MAX) return;
    this.#count += 1;
    const ids = this.#ended.get(tenant);
    if (ids === undefined) this.#ended.set(tenant, [jobId]);
    else ids.push(jobId);
  }

  /** Sends what was gathered until `signal` aborts. */
  async run(clock: Clock, signal: AbortSignal): Promise<void> {
    while ((await clock.sleep(FLUSH_INTERVAL_MS, signal)) === "elapsed") {
      // What is lost here the sweep finds.
      await this.flush().catch(() => undefined);
    }
  }

  async flush(): Promise<void> {
    if (this.#count === 0) return;
    const ended = this.#ended;
    this.#ended = new Map();
    this.#count = 0;
    const pipeline = this.#redis.pipeline();
    for (const [tenant, ids] of ended) {
      const key = this.#keys.open(this.#queue, tenant);
      for (let at = 0; at < ids.length; at += IDS_MAX) pipeline.zrem(key, ...ids.slice(at, at + IDS_MAX));
    }
    await pipeline.exec();
  }
}
