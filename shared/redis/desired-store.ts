/**
 * How many workers the last decision asks for, by pool and release: kept by the leader, read by whoever answers
 * for it, standbys too.
 *
 * It holds the newest decision only and knows nothing of what to do about an old one. Times are Redis' own. What
 * a leader shows whose term is over is left out.
 */
import { z } from "zod";
import type { RedisConnection } from "./connection.ts";
import type { Keys } from "./keys.ts";
import { ReadBatch } from "./read-batch.ts";

/** KEYS: desired. ARGV: pool, term, decision. Kept as `<Redis ms>|<term>|<decision>`; not when a later term has shown. */
const SHOW = `
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local stored = redis.call("HGET", KEYS[1], ARGV[1])
local term = stored and tonumber(string.match(stored, "^%d+|(%d+)|"))
if term and term > tonumber(ARGV[2]) then return 0 end
redis.call("HSET", KEYS[1], ARGV[1], string.format("%.0f", now) .. "|" .. ARGV[2] .. "|" .. ARGV[3])
return 1
`;

const decided = z.object({
  /** Id of the decision's record, `null` when none was kept of it. */
  decisionId: z.string().nullable(),
  /** Workers by release, every release that was there; whole numbers >= 0. */
  desired: z.record(z.string(), z.int().min(0)),
});

export type DecidedWorkers = Readonly<z.output<typeof decided>>;

export interface DesiredWorkers extends DecidedWorkers {
  /** When it was shown, Redis' clock. */
  readonly atMs: number;
}

export interface DesiredReading {
  readonly redisNowMs: number;
  readonly pools: ReadonlyMap<string, DesiredWorkers>;
}

export class DesiredStore {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;

  constructor(redis: RedisConnection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /**
   * Shows what a pool's decision asks for, also when it is the same as before: a number that is not shown again soon
   * counts as unknown. Answers whether it was: not when a later leader has shown its own.
   *
   * @param epoch of the leader's term.
   */
  async show(pool: string, { decisionId, desired }: DecidedWorkers, epoch: number): Promise<boolean> {
    const text = JSON.stringify({ decisionId, desired });
    return (await this.#redis.eval(SHOW, 1, this.#keys.desired, pool, epoch, text)) === 1;
  }

  /** What was shown last of each pool, with Redis' time of the reading. */
  async read(): Promise<DesiredReading> {
    const batch = new ReadBatch(this.#redis);
    const asking = batch.ask((pipeline) => pipeline.time().hgetall(this.#keys.desired));
    await batch.send();
    const [time, stored] = (await asking) as [[string, string], Readonly<Record<string, string>>];
    const pools = Object.entries(stored).flatMap(([pool, text]) => {
      const found = parsed(text);
      return found === null ? [] : [[pool, found] as const];
    });
    return {
      redisNowMs: Number(time[0]) * 1_000 + Math.floor(Number(time[1]) / 1_000),
      pools: new Map(pools),
    };
  }
}

function parsed(text: string): DesiredWorkers | null {
  const [, at, json] = /^(\d{1,16})\|\d+\|(.*)$/s.exec(text) ?? [];
  if (at === undefined || json === undefined) return null;
  try {
    const result = decided.safeParse(JSON.parse(json));
    return result.success ? { ...result.data, atMs: Number(at) } : null;
  } catch {
    return null;
  }
}
