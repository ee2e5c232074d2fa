/**
 * What the planner of each pool remembers, kept by the leader so that the next one goes on from it.
 *
 * It keeps text and tells its age; what is in it, and when it is too old, is the autoscaler's matter. Times are Redis'
 * own. What a leader writes whose term is over is refused.
 */
import type { RedisConnection } from "./connection.ts";
import type { Keys } from "./keys.ts";
import { ReadBatch } from "./read-batch.ts";

/** Pools that are gone are forgotten with all others once nobody leads for so long. */
const KEPT_MS = 3_600_000;

/**
 * KEYS: planner, epoch. ARGV: pool, term, state, milliseconds to keep. Kept as `<Redis ms>|<term>|<state>`. Not when a later
 * term has begun; one that has written has begun, even when the count of terms is lost.
 */
const WRITE = `
local term = tonumber(ARGV[2])
local stored = redis.call("HGET", KEYS[1], ARGV[1])
local writer = stored and tonumber(string.match(stored, "^%d+|(%d+)|")) or 0
local newest = tonumber(redis.call("GET", KEYS[2]) or "0") or 0
if writer > term or newest > term then return 0 end
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call("HSET", KEYS[1], ARGV[1], string.format("%.0f", now) .. "|" .. ARGV[2] .. "|" .. ARGV[3])
redis.call("PEXPIRE", KEYS[1], ARGV[4])
return 1
`;

export interface StoredPlannerState {
  /** Since it was written, by Redis' clock; negative when that was set back. */
  readonly ageMs: number;
  /** Not checked; `undefined` when it is no JSON. */
  readonly state: unknown;
}

export class PlannerStore {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;

  constructor(redis: RedisConnection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /**
   * Keeps the state of a pool's planner. Answers whether it was: not when a later leader's term has begun.
   *
   * @param text JSON. @param epoch of the leader's term.
   */
  async write(pool: string, text: string, epoch: number): Promise<boolean> {
    const { planner, epoch: terms } = this.#keys;
    return (await this.#redis.eval(WRITE, 2, planner, terms, pool, epoch, text, KEPT_MS)) === 1;
  }

  /** What was kept of each pool. */
  async read(): Promise<ReadonlyMap<string, StoredPlannerState>> {
    const batch = new ReadBatch(this.#redis);
    const asking = batch.ask((pipeline) => pipeline.time().hgetall(this.#keys.planner));
    await batch.send();
    const [time, stored] = (await asking) as [[string, string], Readonly<Record<string, string>>];
    const nowMs = Number(time[0]) * 1_000 + Math.floor(Number(time[1]) / 1_000);
    return new Map(Object.entries(stored).map(([pool, text]) => [pool, parsed(text, nowMs)] as const));
  }
}

function parsed(text: string, nowMs: number): StoredPlannerState {
  const [, at, json = ""] = /^(\d{1,16})\|\d+\|(.*)$/s.exec(text) ?? [];
  const ageMs = nowMs - Number(at ?? nowMs);
  try {
    return { ageMs, state: JSON.parse(json) };
  } catch {
    return { ageMs, state: undefined };
  }
}
