/**
 * An enqueuer for a process that is no producer: what a handler or a schedule hands in passes the same gate, the
 * same throttles of its tenant and type, and the same admission as what comes over HTTP.
 */
import type { Clock } from "../clock.ts";
import type { RedisConnection } from "../redis/connection.ts";
import type { Keys } from "../redis/keys.ts";
import type { RegistryDocument } from "../registry/registry-document.ts";
import type { OncePorts } from "./enqueue-once.ts";
import { Enqueuing } from "./enqueuing.ts";

export class OwnEnqueuer implements OncePorts {
  readonly enqueue: OncePorts["enqueue"];
  readonly #enqueuing: Enqueuing;

  private constructor(enqueuing: Enqueuing) {
    this.#enqueuing = enqueuing;
    this.enqueue = (request, terms) => enqueuing.enqueuer.enqueue(request, terms);
  }

  /** Rejects when Redis is away. */
  static async open(redis: RedisConnection, keys: Keys, clock: Clock): Promise<OwnEnqueuer> {
    const enqueuing = new Enqueuing({ redis, keys, clock });
    await enqueuing.look();
    return new OwnEnqueuer(enqueuing);
  }

  registry(): RegistryDocument {
    return this.#enqueuing.registry.document;
  }

  /** Keeps everything up to date and hands counts over, until `signal` aborts. */
  run(signal: AbortSignal): Promise<void> {
    return this.#enqueuing.run(signal);
  }
}
