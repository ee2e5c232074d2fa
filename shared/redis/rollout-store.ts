/**
 * Rollouts in Redis: a pool's newest document, the ones before it, the records of all, and who opened a channel.
 *
 * One Lua call a transition stores document and record together, or nothing: it compares the revision that its author
 * had and, for what a leader has observed, the leader's epoch. It keeps text; what is in a document is the
 * autoscaler's matter, and whether it may change so too.
 */
import { StaleEpochError } from "../errors.ts";
import type { RedisConnection } from "./connection.ts";
import type { Keys } from "./keys.ts";

export const PAST_ROLLOUTS_MAX = 50;
export const ROLLOUT_RECORDS_MAX = 500;

/**
 * KEYS: rollouts, past, records. ARGV: pool, the head that must still be there ("" for none), the new entry, record, most
 * past ones, most records. Returns 1 when it was stored.
 */
const BEGIN = `
local stored = redis.call("HGET", KEYS[1], ARGV[1])
local head = stored and string.match(stored, "^(%d+|[^|]*)|") or ""
if head ~= ARGV[2] then return 0 end
if stored then
  redis.call("LPUSH", KEYS[2], stored)
  redis.call("LTRIM", KEYS[2], 0, ARGV[5] - 1)
end
redis.call("HSET", KEYS[1], ARGV[1], ARGV[3])
redis.call("LPUSH", KEYS[3], ARGV[4])
redis.call("LTRIM", KEYS[3], 0, ARGV[6] - 1)
return 1
`;

/**
 * KEYS: rollouts, records, epoch. ARGV: pool, the head that must still be there, the new entry, record, term ("" for an
 * operator's act), most records. Returns whether it was stored, and the newest term.
 */
const CHANGE = `
local newest = tonumber(redis.call("GET", KEYS[3]) or "0") or 0
if ARGV[5] ~= "" and newest > tonumber(ARGV[5]) then return {0, newest} end
local stored = redis.call("HGET", KEYS[1], ARGV[1])
local head = stored and string.match(stored, "^(%d+|[^|]*)|") or ""
if head ~= ARGV[2] then return {0, 0} end
redis.call("HSET", KEYS[1], ARGV[1], ARGV[3])
redis.call("LPUSH", KEYS[2], ARGV[4])
redis.call("LTRIM", KEYS[2], 0, ARGV[6] - 1)
return {1, 0}
`;

/** KEYS: records, epoch. ARGV: record, term, most records. Returns the newest term; nothing is kept for a lower one. */
const NOTE = `
local newest = tonumber(redis.call("GET", KEYS[2]) or "0") or 0
if newest <= tonumber(ARGV[2]) then
  redis.call("LPUSH", KEYS[1], ARGV[1])
  redis.call("LTRIM", KEYS[1], 0, ARGV[3] - 1)
end
return newest
`;

/** What the store has to know of a document. The id holds no bar. */
export interface StoredRollout {
  readonly id: string;
  readonly pool: string;
  readonly revision: number;
}

export interface RolloutChange {
  /** The revision that must still be there. */
  readonly expected: number;
  readonly rollout: StoredRollout;
  readonly record: unknown;
  /** Of the leader's term; `null` for an operator's act, which any autoscaler stores. */
  readonly epoch: number | null;
}

export class RolloutStore {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;

  constructor(redis: RedisConnection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** The newest document of each pool, not checked. */
  async readAll(): Promise<ReadonlyMap<string, unknown>> {
    const stored = await this.#redis.hgetall(this.#keys.rollouts);
    return new Map(Object.entries(stored).map(([pool, text]) => [pool, documentIn(text)]));
  }

  /** The newest document of a pool, not checked; `null` when it never had one. */
  async read(pool: string): Promise<unknown> {
    const text = await this.#redis.hget(this.#keys.rollouts, pool);
    return text === null ? null : documentIn(text);
  }

  /**
   * Makes `rollout` the pool's newest, if `latest` still is that. Answers whether it was.
   *
   * @param latest `null`: the pool never had one.
   */
  async begin(
    rollout: StoredRollout,
    { latest, record }: { readonly latest: StoredRollout | null; readonly record: unknown },
  ): Promise<boolean> {
    const { rollouts, rolloutsPast, rolloutRecords } = this.#keys;
    const { pool } = rollout;
    const done = await this.#redis.eval(
      BEGIN,
      3,
      rollouts,
      rolloutsPast(pool),
      rolloutRecords(pool),
      pool,
      latest === null ? "" : headOf(latest),
      entryOf(rollout),
      JSON.stringify(record),
      PAST_ROLLOUTS_MAX,
      ROLLOUT_RECORDS_MAX,
    );
    return done === 1;
  }

  /**
   * Stores a transition: the document and its record. Answers whether it was; not when somebody else has changed it since.
   *
   * @throws {StaleEpochError} when a newer leader's term has begun.
   */
  async change({ expected, rollout, record, epoch }: RolloutChange): Promise<boolean> {
    const { rollouts, rolloutRecords, epoch: terms } = this.#keys;
    const { pool, id } = rollout;
    const [done, newest] = (await this.#redis.eval(
      CHANGE,
      3,
      rollouts,
      rolloutRecords(pool),
      terms,
      pool,
      headOf({ id, revision: expected }),
      entryOf(rollout),
      JSON.stringify(record),
      epoch === null ? "" : epoch,
      ROLLOUT_RECORDS_MAX,
    )) as [number, number];
    if (epoch !== null && newest > epoch) throw new StaleEpochError(epoch, newest);
    return done === 1;
  }

  /** Keeps a record of a look that changed nothing. @throws {StaleEpochError} */
  async note(pool: string, record: unknown, epoch: number): Promise<void> {
    const { rolloutRecords, epoch: terms } = this.#keys;
    const text = JSON.stringify(record);
    const newest = Number(
      await this.#redis.eval(NOTE, 2, rolloutRecords(pool), terms, text, epoch, ROLLOUT_RECORDS_MAX),
    );
    if (newest > epoch) throw new StaleEpochError(epoch, newest);
  }

  /** Documents of the rollouts before the newest, newest first, not checked. */
  async past(pool: string): Promise<readonly unknown[]> {
    const texts = await this.#redis.lrange(this.#keys.rolloutsPast(pool), 0, PAST_ROLLOUTS_MAX - 1);
    return texts.map(documentIn);
  }

  /** Newest first, not checked. */
  async records(pool: string, limit: number): Promise<readonly unknown[]> {
    const last = Math.min(Math.max(limit, 1), ROLLOUT_RECORDS_MAX) - 1;
    const texts = await this.#redis.lrange(this.#keys.rolloutRecords(pool), 0, last);
    return texts.map(parsed);
  }

  /** Who opened which channel, not checked; what is over is still there. */
  async bypasses(): Promise<readonly unknown[]> {
    return (await this.#redis.hvals(this.#keys.rolloutBypasses)).map(parsed);
  }

  /** Opens a channel to a release, in place of who opened it before. */
  async bypass(opened: { readonly channel: string; readonly release: string }): Promise<void> {
    const field = `${opened.channel}|${opened.release}`;
    await this.#redis.hset(this.#keys.rolloutBypasses, field, JSON.stringify(opened));
  }

  /** Redis' clock, in milliseconds since 1970: what documents are dated by. */
  async nowMs(): Promise<number> {
    const [seconds, micros] = await this.#redis.time();
    return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
  }
}

function headOf({ id, revision }: Pick<StoredRollout, "id" | "revision">): string {
  return `${revision}|${id}`;
}

function entryOf(rollout: StoredRollout): string {
  return `${headOf(rollout)}|${JSON.stringify(rollout)}`;
}

function documentIn(text: string): unknown {
  const [, json = ""] = /^\d+\|[^|]*\|(.*)$/s.exec(text) ?? [];
  return parsed(json);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
