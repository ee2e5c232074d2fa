/**
 * Decision records: why each pool has as many workers as it has, and had at any moment that is still kept.
 *
 * A record is found by its id in one step, and by its time through two indexes: one of its pool, and one of the
 * newest of all pools. What is kept is bounded for each pool by count and bytes, so that a pool that changes often
 * pushes out its own records only. It moves texts and does not read them, except those of the one list in which an
 * earlier version kept everything: they are moved over once.
 *
 * A record of a leader whose term is over is not stored: its term's number is in the id.
 */
import { fromRfc3339 } from "../system-clock.ts";
import type { RedisConnection } from "./connection.ts";
import type { Keys } from "./keys.ts";

/** Records kept of one pool: over an hour of one every five seconds. */
export const RECORDS_KEPT_MAX = 1_000;

/** Bytes kept of one pool. */
const POOL_BYTES_MAX = 2 * 1_024 * 1_024;

/** Bytes kept of all pools together; each has an equal share. */
const ALL_BYTES_MAX = 32 * 1_024 * 1_024;

/** Ids in the index of all pools. */
const NEWEST_KEPT_MAX = 2_000;

/**
 * KEYS: records, index and facts of the pool, index of all. ARGV: id, time, text, term, records kept, bytes kept,
 * ids kept. Returns 1, or 0 when the pool has records of a later term.
 */
const RECORD = `
local records, index, facts, newest = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local term = tonumber(ARGV[4])
if term < tonumber(redis.call("HGET", facts, "term") or "0") then return 0 end
if redis.call("HSETNX", records, ARGV[1], ARGV[3]) == 0 then return 1 end
redis.call("ZADD", index, ARGV[2], ARGV[1])
redis.call("ZADD", newest, ARGV[2], ARGV[1])
redis.call("ZREMRANGEBYRANK", newest, 0, -tonumber(ARGV[7]) - 1)
local bytes = tonumber(redis.call("HGET", facts, "bytes") or "0") + #ARGV[3]
local count = redis.call("ZCARD", index)
while count > 1 and (count > tonumber(ARGV[5]) or bytes > tonumber(ARGV[6])) do
  local oldest = redis.call("ZPOPMIN", index)[1]
  bytes = bytes - redis.call("HSTRLEN", records, oldest)
  redis.call("HDEL", records, oldest)
  count = count - 1
end
redis.call("HSET", facts, "term", term, "bytes", bytes)
return 1
`;

/**
 * KEYS: index. ARGV: start of the records' keys, latest time ("": any), id after which the page begins ("": none),
 * records wanted. Returns whether older ones are kept, then id, time and text ("": no longer kept) of each.
 */
const PAGE = `
local start = 0
local after = ARGV[3] ~= "" and redis.call("ZREVRANK", KEYS[1], ARGV[3])
if after then start = after + 1
elseif ARGV[2] ~= "" then start = redis.call("ZCOUNT", KEYS[1], "(" .. ARGV[2], "+inf") end
local found = redis.call("ZREVRANGE", KEYS[1], start, start + tonumber(ARGV[4]) - 1, "WITHSCORES")
local answer = {redis.call("ZCARD", KEYS[1]) > start + tonumber(ARGV[4]) and 1 or 0}
for i = 1, #found, 2 do
  local pool = string.match(found[i], "^[^~]*")
  answer[#answer + 1] = found[i]
  answer[#answer + 1] = found[i + 1]
  answer[#answer + 1] = redis.call("HGET", ARGV[1] .. pool, found[i]) or ""
end
return answer
`;

export interface StoredDecision {
  /** `<pool>~<term>-<number>`: names its pool and the leader that decided. */
  readonly id: string;
  /** Milliseconds since the Unix epoch, Redis' clock. */
  readonly atMs: number;
}

/** From where to list. */
export interface DecisionRange {
  /** `null`: of all pools. */
  readonly pool: string | null;
  readonly limit: number;
  /** Those decided then or earlier, so the first is what was in force; `null`: from the newest. */
  readonly atMs: number | null;
  /** The last one of the page before. */
  readonly after: StoredDecision | null;
}

export interface DecisionPage {
  /** Newest first; what a record says, `null` when it is no JSON. */
  readonly records: readonly unknown[];
  /** Where the next page begins; `null` when nothing older is kept. */
  readonly next: StoredDecision | null;
}

export class DecisionStore {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  /** Whether what an earlier version kept has been moved. */
  #moved = false;

  constructor(redis: RedisConnection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /**
   * Keeps a record. Answers whether it was: not when a later leader has decided on the pool.
   *
   * @param pools how many pools share the room. @throws {TypeError} when the id is none.
   */
  async record({ id, atMs }: StoredDecision, record: object, pools = 1): Promise<boolean> {
    if (!this.#moved) {
      await this.#moveOldList(pools);
      this.#moved = true;
    }
    return this.#write({ id, atMs }, JSON.stringify(record), pools);
  }

  /** What the record says, `null` when it is not kept. */
  async find(id: string): Promise<unknown> {
    const parts = partsOf(id);
    if (parts === null) return null;
    const text = await this.#redis.hget(this.#recordsOf(parts.pool), id);
    return text === null ? null : parsed(text);
  }

  /** Records of a pool, or of all, newest first. */
  async page({ pool, limit, atMs, after }: DecisionRange): Promise<DecisionPage> {
    const index = pool === null ? `${this.#keys.decisions}:newest` : `${this.#keys.decisions}:index:${pool}`;
    // A record that is gone by now marks its place by its time.
    const latestMs = after === null ? atMs : after.atMs - 1;
    const [more, ...rows] = (await this.#redis.eval(
      PAGE,
      1,
      index,
      this.#recordsOf(""),
      latestMs ?? "",
      after?.id ?? "",
      limit,
    )) as [number, ...string[]];
    const texts = rows.filter((text, at) => at % 3 === 2 && text !== "");
    const next = more === 1 ? { id: rows.at(-3) ?? "", atMs: Number(rows.at(-2)) } : null;
    return { records: texts.map(parsed), next };
  }

  /** The newest record of each of these pools that has one. */
  async newestOf(pools: readonly string[]): Promise<readonly unknown[]> {
    const pages = await Promise.all(
      pools.map((pool) => this.page({ pool, limit: 1, atMs: null, after: null })),
    );
    return pages.flatMap(({ records }) => records);
  }

  async #write({ id, atMs }: StoredDecision, text: string, pools: number): Promise<boolean> {
    const parts = partsOf(id);
    if (parts === null) throw new TypeError(`${id} is no id of a decision`);
    const { decisions } = this.#keys;
    const { pool, term } = parts;
    const places = [
      this.#recordsOf(pool),
      `${decisions}:index:${pool}`,
      `${decisions}:facts:${pool}`,
      `${decisions}:newest`,
    ];
    const bytesMax = Math.min(POOL_BYTES_MAX, Math.floor(ALL_BYTES_MAX / Math.max(pools, 1)));
    const bounds = [RECORDS_KEPT_MAX, bytesMax, NEWEST_KEPT_MAX];
    return (await this.#redis.eval(RECORD, 4, ...places, id, atMs, text, term, ...bounds)) === 1;
  }

  /** Before there was an index, all records lay in one list, with ids that pools shared. */
  async #moveOldList(pools: number): Promise<void> {
    const { decisions } = this.#keys;
    const texts = await this.#redis.lrange(decisions, 0, NEWEST_KEPT_MAX - 1);
    for (const record of texts.map(parsed).toReversed()) {
      const old = record as { readonly id?: unknown; readonly queue?: unknown; readonly at?: unknown } | null;
      const id = `${String(old?.queue)}~${String(old?.id)}`;
      const atMs = fromRfc3339(String(old?.at));
      if (partsOf(id) === null || atMs === null) continue;
      await this.#write({ id, atMs }, JSON.stringify({ ...(record as object), id }), pools);
    }
    await this.#redis.del(decisions);
  }

  #recordsOf(pool: string): string {
    return `${this.#keys.decisions}:records:${pool}`;
  }
}

/** The id of the `number`th decision on a pool in a leader's term. */
export function decisionId(pool: string, term: number, number: number): string {
  return `${pool}~${term}-${number}`;
}

function partsOf(id: string): { readonly pool: string; readonly term: number } | null {
  const [, pool, term] = /^([a-z][a-z0-9-]{0,63})~(\d{1,15})-\d{1,15}$/.exec(id) ?? [];
  return pool === undefined ? null : { pool, term: Number(term) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
