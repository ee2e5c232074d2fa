/**
 * What each release has run in a queue, by the names in `release-counters.ts`.
 *
 * Workers add to it with their heartbeats (`fleet-scripts.ts`), and so does whoever strikes off a lost worker; here it is
 * only read. It is gone when no worker has added to it for thirty days.
 */
import type { RedisConnection } from "./connection.ts";
import type { Keys } from "./keys.ts";
import { ReadBatch } from "./read-batch.ts";

export class ReleaseCountersStore {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;

  constructor(redis: RedisConnection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Every counter by release; of a release that has run nothing there are none. */
  async read(
    queue: string,
    releases: readonly string[],
    batch?: ReadBatch,
  ): Promise<Readonly<Record<string, Readonly<Record<string, number>>>>> {
    const own = batch ?? new ReadBatch(this.#redis);
    const asking = own.ask((pipeline) => {
      for (const release of releases) pipeline.hgetall(this.#keys.releaseRuns(queue, release));
    });
    if (batch === undefined) await own.send();
    const replies = (await asking) as readonly Readonly<Record<string, string>>[];
    return Object.fromEntries(releases.map((release, index) => [release, numbersIn(replies[index] ?? {})]));
  }
}

function numbersIn(stored: Readonly<Record<string, string>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(stored).map(([counter, text]) => [counter, Number(text)]));
}
