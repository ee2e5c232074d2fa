/**
 * Golden samples of published versions: a few documents each, written once with the version, that every
 * later build must read.
 *
 * Apart from the registry, because every process reads that whole and none of them needs these.
 */
import type { RedisConnection } from "./connection.ts";
import type { Keys } from "./keys.ts";

/** Documents by `sampleName`. */
export type Samples = ReadonlyMap<string, readonly unknown[]>;

/** The name that a version's samples are kept under. */
export function sampleName(type: string, version: number): string {
  return `${type}@${version}`;
}

export class SampleStore {
  readonly #redis: RedisConnection;
  readonly #key: string;

  constructor(redis: RedisConnection, keys: Keys) {
    this.#redis = redis;
    this.#key = keys.samples;
  }

  /** Keeps the samples of versions that have none yet. */
  async keep(samples: Samples): Promise<void> {
    const pipeline = this.#redis.pipeline();
    for (const [version, documents] of samples)
      pipeline.hsetnx(this.#key, version, JSON.stringify(documents));
    const failed = ((await pipeline.exec()) ?? []).find(([error]) => error !== null)?.[0];
    if (failed) throw failed;
  }

  /** Samples of every version that has some. */
  async all(): Promise<Samples> {
    const stored = await this.#redis.hgetall(this.#key);
    return new Map(Object.entries(stored).map(([version, text]) => [version, JSON.parse(text) as unknown[]]));
  }
}
