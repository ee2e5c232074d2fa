/**
 * Everything that enqueuing needs in a process, put together: the API's, the leader's and a worker's alike.
 */
import type { Clock } from "../clock.ts";
import type { RedisConnection } from "../redis/connection.ts";
import { JobReader } from "../redis/job-reader.ts";
import type { Keys } from "../redis/keys.ts";
import { LaneQueues } from "../redis/lane-queues.ts";
import { LimitsFollower, LimitsStore } from "../redis/limits-store.ts";
import { LoadStore } from "../redis/load-store.ts";
import { MemoryWatch } from "../redis/memory-watch.ts";
import { RegistryFollower } from "../redis/registry-store.ts";
import { ThrottleStore } from "../redis/throttle-store.ts";
import { Throttler } from "../throttle/throttler.ts";
import { ArrivalCounter } from "./arrival-counter.ts";
import { Backlogs } from "./backlogs.ts";
import { Enqueuer } from "./enqueuer.ts";

export interface EnqueuingPorts {
  /** Fails fast and resends nothing: a job that was asked for twice could be there twice. */
  readonly redis: RedisConnection;
  readonly keys: Keys;
  readonly clock: Clock;
}

const REGISTRY_INTERVAL_MS = 1_000;

export class Enqueuing {
  readonly enqueuer: Enqueuer;
  readonly queues: LaneQueues;
  readonly registry: RegistryFollower;
  readonly limits: LimitsFollower;
  readonly memory: MemoryWatch;
  readonly backlogs: Backlogs;
  readonly #arrivals: ArrivalCounter;
  readonly #clock: Clock;

  constructor({ redis, keys, clock }: EnqueuingPorts) {
    this.#clock = clock;
    this.backlogs = new Backlogs(clock);
    this.queues = new LaneQueues(redis, keys.prefix, (seen) => this.backlogs.seen(seen));
    this.registry = new RegistryFollower(redis, keys);
    this.limits = new LimitsFollower(new LimitsStore(redis, keys), clock);
    this.memory = new MemoryWatch(redis, keys);
    this.#arrivals = new ArrivalCounter(new LoadStore(redis, keys), clock);
    const limits = () => this.limits.limits;
    this.enqueuer = new Enqueuer({
      queues: this.queues,
      reader: new JobReader(redis, keys.prefix, () => this.registry.document),
      arrivals: this.#arrivals,
      clock,
      backlogs: this.backlogs,
      registry: this.registry,
      limits,
      throttler: new Throttler({ store: new ThrottleStore(redis, keys), limits }),
    });
  }

  /** Reads everything once; rejects when Redis is not reached. */
  async look(): Promise<void> {
    await Promise.all([this.registry.refresh(), this.limits.refresh(), this.memory.look()]);
  }

  /** Keeps everything up to date until `signal` aborts, then hands over what was counted. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([
      this.#followRegistry(signal),
      this.limits.run(signal),
      this.memory.run(this.#clock, signal),
      this.#arrivals.run(signal),
    ]);
  }

  /** Never waits for Redis. */
  close(): void {
    this.queues.close();
  }

  async #followRegistry(signal: AbortSignal): Promise<void> {
    while ((await this.#clock.sleep(REGISTRY_INTERVAL_MS, signal)) === "elapsed") {
      // While Redis is away the last copy serves; nothing can be enqueued anyway.
      await this.registry.refresh().catch(() => undefined);
    }
  }
}
