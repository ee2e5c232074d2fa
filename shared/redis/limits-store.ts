/**
 * The limits document in Redis: read, compare-and-set, and a copy that follows it.
 *
 * What the document may become is decided in `shared/limits/`; this file only moves it. The revision lies
 * beside the document so that followers need not read all of it each second.
 */
import type { Clock } from "../clock.ts";
import { type LimitsChange, withBase, withOverride, withoutOverride } from "../limits/change-limits.ts";
import {
  EMPTY_LIMITS,
  type LimitOverride,
  type LimitsBase,
  type LimitsDocument,
  limitsDocument,
} from "../limits/limits-document.ts";
import { type Limits, resolveLimits } from "../limits/resolve-limits.ts";
import { CAS_ATTEMPTS_MAX, compareAndSet } from "./compare-and-set.ts";
import type { RedisConnection } from "./connection.ts";
import type { Keys } from "./keys.ts";

const FOLLOW_INTERVAL_MS = 1_000;

/** When a change is made, and which revision its maker has seen; `null`: any. */
export interface ChangeTerms {
  /** Milliseconds since the Unix epoch. */
  readonly nowMs: number;
  readonly expectedRevision: number | null;
}

export class LimitsStore {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;

  constructor(redis: RedisConnection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** The document; the empty one when none is stored. Rejects when Redis is away or what it holds is none. */
  async read(): Promise<LimitsDocument> {
    const text = await this.#redis.get(this.#keys.limits);
    return text === null ? EMPTY_LIMITS : limitsDocument.parse(JSON.parse(text));
  }

  /** The revision alone; 0 when nothing is stored. */
  async revision(): Promise<number> {
    return Number((await this.#redis.get(this.#keys.limitsRevision)) ?? 0);
  }

  /** Makes what the configuration says the base; overrides stay, throttles that it no longer has go. */
  publishBase(base: LimitsBase, nowMs: number): Promise<LimitsChange> {
    return this.#change((document) => withBase(document, base, nowMs), null);
  }

  /** Sets an override, unless it cannot be: then nothing is stored. */
  setOverride(override: LimitOverride, { nowMs, expectedRevision }: ChangeTerms): Promise<LimitsChange> {
    return this.#change((document) => withOverride(document, override, nowMs), expectedRevision);
  }

  dropOverride(path: string, { nowMs, expectedRevision }: ChangeTerms): Promise<LimitsChange> {
    return this.#change((document) => withoutOverride(document, path, nowMs), expectedRevision);
  }

  async #change(
    next: (document: LimitsDocument) => LimitsChange,
    expectedRevision: number | null,
  ): Promise<LimitsChange> {
    for (let attempt = 0; attempt < CAS_ATTEMPTS_MAX; attempt += 1) {
      const before = await this.read();
      const { revision } = before;
      if (expectedRevision !== null && expectedRevision !== revision) return { kind: "conflict", revision };
      const change = next(before);
      if (change.kind !== "changed" || (await this.#set(revision, change.document))) return change;
    }
    throw new Error(`The limits changed ${CAS_ATTEMPTS_MAX} times while they were being written`);
  }

  #set(expected: number, document: LimitsDocument): Promise<boolean> {
    const { limits, limitsRevision } = this.#keys;
    return compareAndSet(this.#redis, { key: limits, revisionKey: limitsRevision, expected, document });
  }
}

/**
 * A copy of the limits that is as new as its last `refresh`: the defaults, and no throttle, before the first.
 *
 * Overrides end by this process's clock. While Redis is away, or holds what this build cannot read, the last
 * copy serves.
 */
export class LimitsFollower {
  readonly #store: LimitsStore;
  readonly #clock: Clock;
  #document: LimitsDocument = EMPTY_LIMITS;
  #limits: Limits = resolveLimits(EMPTY_LIMITS, 0);

  constructor(store: LimitsStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  get document(): LimitsDocument {
    return this.#document;
  }

  /** What is in force now. The same object as long as nothing changes. */
  get limits(): Limits {
    const { nextExpiryMs } = this.#limits;
    if (nextExpiryMs !== null && nextExpiryMs <= this.#clock.nowMs()) {
      this.#limits = resolveLimits(this.#document, this.#clock.nowMs());
    }
    return this.#limits;
  }

  /** Reads the document if its revision is another one than ours. Answers whether it changed. */
  async refresh(): Promise<boolean> {
    if ((await this.#store.revision()) === this.#document.revision) return false;
    this.#document = await this.#store.read();
    this.#limits = resolveLimits(this.#document, this.#clock.nowMs());
    return true;
  }

  /** Refreshes each second until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while ((await this.#clock.sleep(FOLLOW_INTERVAL_MS, signal)) === "elapsed") {
      await this.refresh().catch(() => undefined);
    }
  }
}
