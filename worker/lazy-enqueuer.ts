/**
 * The worker's way to enqueue, opened when a handler first asks: a worker whose handlers never do has no connection
 * and no loops more.
 *
 * Its connection fails fast, unlike the worker's own: a handler that waits holds a slot.
 */
import type { Clock } from "#shared/clock";
import { OwnEnqueuer } from "#shared/enqueue/own-enqueuer";
import { connectFailingFast, disconnect, type RedisConnection, untilReady } from "#shared/redis/connection";
import { keysOf } from "#shared/redis/keys";

const OPEN_TIMEOUT_MS = 5_000;

export interface LazyEnqueuerPorts {
  readonly redisUrl: string;
  readonly prefix: string;
  readonly clock: Clock;
  /** Aborts when the worker has stopped. */
  readonly stop: AbortSignal;
}

export class LazyEnqueuer {
  readonly #ports: LazyEnqueuerPorts;
  #opening: Promise<OwnEnqueuer> | null = null;
  #running: Promise<void> | null = null;

  constructor(ports: LazyEnqueuerPorts) {
    this.#ports = ports;
  }

  /** One for all who ask. Rejects when Redis is away; the next who asks tries again. */
  open(): Promise<OwnEnqueuer> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = null;
      throw error;
    });
    return this.#opening;
  }

  /** Resolves when nothing runs any more, counts handed over; at once when it was never opened. */
  async closed(): Promise<void> {
    await this.#running;
  }

  async #open(): Promise<OwnEnqueuer> {
    const { redisUrl, prefix, clock, stop } = this.#ports;
    const redis = connectFailingFast(redisUrl, "sluice-worker-enqueue");
    try {
      await untilReady(redis, OPEN_TIMEOUT_MS);
      const enqueuer = await OwnEnqueuer.open(redis, keysOf(prefix), clock);
      this.#running = this.#run(enqueuer, redis, stop);
      return enqueuer;
    } catch (error) {
      disconnect(redis);
      throw error;
    }
  }

  async #run(enqueuer: OwnEnqueuer, redis: RedisConnection, stop: AbortSignal): Promise<void> {
    await enqueuer.run(stop);
    disconnect(redis);
  }
}
