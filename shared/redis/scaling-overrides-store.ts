/**
 * The scaling overrides in Redis: read, compare-and-set, and the control loop's copy.
 *
 * What the document may become is decided in `shared/scaling/`; this file only moves it. Ends are set and looked at
 * by Redis' clock, which all who scale and all who freeze share.
 */
import type { OverridesChange } from "../scaling/change-overrides.ts";
import { NO_OVERRIDES, type ScalingOverrides, scalingOverrides } from "../scaling/overrides-document.ts";
import { overridesOf, type PoolOverrides } from "../scaling/resolve-overrides.ts";
import { CAS_ATTEMPTS_MAX, compareAndSet } from "./compare-and-set.ts";
import type { RedisConnection } from "./connection.ts";
import type { Keys } from "./keys.ts";

export interface ReadOverrides {
  readonly document: ScalingOverrides;
  /** When it was read, by Redis' clock, in milliseconds since the Unix epoch. */
  readonly nowMs: number;
}

export class ScalingOverridesStore {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;

  constructor(redis: RedisConnection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Nothing is set when nothing is stored. Rejects when Redis is away or what it holds is no such document. */
  async read(): Promise<ReadOverrides> {
    const [text, [seconds, microseconds]] = await Promise.all([
      this.#redis.get(this.#keys.scalingOverrides),
      this.#redis.time(),
    ]);
    const document = text === null ? NO_OVERRIDES : scalingOverrides.parse(JSON.parse(text));
    return { document, nowMs: Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000) };
  }

  /**
   * Stores what `next` makes of the document as it is, asking again when another was faster.
   *
   * @param expectedRevision the one that the caller has seen; `null`: any.
   */
  async change(
    next: (read: ReadOverrides) => OverridesChange,
    expectedRevision: number | null,
  ): Promise<OverridesChange> {
    const { scalingOverrides: key, scalingOverridesRevision: revisionKey } = this.#keys;
    for (let attempt = 0; attempt < CAS_ATTEMPTS_MAX; attempt += 1) {
      const before = await this.read();
      const { revision } = before.document;
      if (expectedRevision !== null && expectedRevision !== revision) return { kind: "conflict", revision };
      const change = next(before);
      if (change.kind !== "changed") return change;
      const { document } = change;
      if (await compareAndSet(this.#redis, { key, revisionKey, expected: revision, document })) return change;
    }
    throw new Error(`The scaling overrides changed ${CAS_ATTEMPTS_MAX} times while they were being written`);
  }
}

/** The control loop's copy, as new as its last `refresh`: nothing is set before the first. */
export class ScalingOverridesFollower {
  readonly #store: Pick<ScalingOverridesStore, "read">;
  #document: ScalingOverrides = NO_OVERRIDES;

  constructor(store: Pick<ScalingOverridesStore, "read">) {
    this.#store = store;
  }

  /** Rejects when Redis is away or holds what this build cannot read: then nobody knows whether to hold still. */
  async refresh(): Promise<void> {
    this.#document = (await this.#store.read()).document;
  }

  /** @param nowMs milliseconds since the Unix epoch, Redis' clock. */
  of(pool: string, nowMs: number): PoolOverrides {
    return overridesOf(this.#document, pool, nowMs);
  }
}
