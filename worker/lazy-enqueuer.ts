/**
 * The worker's way to enqueue, opened when a handler first asks: a worker whose handlers never do has no connection
 * and no loops more.
 *
 * Its connection fails fast, unlike the worker's own: a handler that waits holds a slot.
 */
import type { Clock } from "#shared/clock";
import type { OncePorts } from "#shared/enqueue/enqueue-once";
import { Enqueuing } from "#shared/enqueue/enqueuing";
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
  #opening: Promise<OncePorts> | null = null;
  #running: Promise<void> | null = null;

  constructor(ports: LazyEnqueuerPorts) {
    this.#ports = ports;
  }

  /** One for all who ask. Rejects when Redis is away; the next who asks tries again. */
  open(): Promise<OncePorts> {
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

  async #open(): Promise<OncePorts> {
    const { redisUrl, prefix, clock, stop } = this.#ports;
    const redis = connectFailingFast(redisUrl, "sluice-worker-enqueue");
    try {
      await untilReady(redis, OPEN_TIMEOUT_MS);
      const enqueuing = new Enqueuing({ redis, keys: keysOf(prefix), clock });
      await enqueuing.look();
      this.#running = run(enqueuing, redis, stop);
      return {
        enqueue: (request, terms) => enqueuing.enqueuer.enqueue(request, terms),
        registry: () => enqueuing.registry.document,
      };
    } catch (error) {
      disconnect(redis);
      throw error;
    }
  }
}

async function run(enqueuing: Enqueuing, redis: RedisConnection, stop: AbortSignal): Promise<void> {
  await enqueuing.run(stop);
  enqueuing.close();
  disconnect(redis);
}
