/**
 * The lease that makes one autoscaler the leader: one Lua call each to take, renew and give it back.
 *
 * A lease only keeps two from working at once for long; it cannot keep out a leader that was paused and does not
 * know that its time is over. That is what the epoch is for, a number that rises with every term: whatever takes
 * effect carries it, and is refused where a higher one is known. Times are Redis' own. Nothing here waits or retries:
 * `autoscaler/leadership.ts` does. The connection must fail fast.
 */
import { z } from "zod";
import type { RedisConnection } from "./connection.ts";
import type { Keys } from "./keys.ts";

/** How long a lease holds without renewal. */
export const LEASE_MS = 10_000;

/** An autoscaler that was not heard of for this long is no standby. */
const PRESENT_MS = 4_000;

/** What is kept of autoscalers that went away without a word. */
const REMEMBERED_MS = 60_000;

/**
 * KEYS: leader, epoch, autoscalers. ARGV: id, facts, lease ms, lowest epoch, remembered ms. Returns 1 and the new
 * epoch, or 0 and the ms that are left. What is under the key and no lease is in nobody's name; one without an end
 * gets one. Without a count, lost or never there, it begins at the seconds since the Unix epoch: above whatever was
 * granted before, since terms are fewer than seconds.
 */
const ACQUIRE = `
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call("HSET", KEYS[3], ARGV[1], now .. "|" .. ARGV[2])
redis.call("PEXPIRE", KEYS[3], ARGV[5])
if redis.call("TYPE", KEYS[1]).ok ~= "hash" then redis.call("DEL", KEYS[1]) end
local holder = redis.call("HGET", KEYS[1], "id")
if holder and holder ~= ARGV[1] then
  local left = redis.call("PTTL", KEYS[1])
  if left < 0 or left > tonumber(ARGV[3]) then
    left = tonumber(ARGV[3])
    redis.call("PEXPIRE", KEYS[1], left)
  end
  return {0, left}
end
local count = tonumber(redis.call("GET", KEYS[2]) or "") or math.floor(now / 1000)
local epoch = math.max(count, tonumber(ARGV[4])) + 1
redis.call("SET", KEYS[2], epoch)
redis.call("DEL", KEYS[1])
redis.call("HSET", KEYS[1], "id", ARGV[1], "epoch", epoch, "facts", ARGV[2], "since", now)
redis.call("PEXPIRE", KEYS[1], ARGV[3])
return {1, epoch}
`;

/** KEYS: leader, epoch, autoscalers. ARGV: id, facts, lease ms, epoch, remembered ms. Returns whether it holds. */
const RENEW = `
if redis.call("TYPE", KEYS[1]).ok ~= "hash" then return 0 end
if redis.call("HGET", KEYS[1], "id") ~= ARGV[1] then return 0 end
if redis.call("HGET", KEYS[1], "epoch") ~= ARGV[4] or redis.call("GET", KEYS[2]) ~= ARGV[4] then return 0 end
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call("HSET", KEYS[3], ARGV[1], now .. "|" .. ARGV[2])
redis.call("PEXPIRE", KEYS[3], ARGV[5])
redis.call("PEXPIRE", KEYS[1], ARGV[3])
return 1
`;

/** KEYS: leader, autoscalers. ARGV: id, channel. */
const RELEASE = `
redis.call("HDEL", KEYS[2], ARGV[1])
if redis.call("TYPE", KEYS[1]).ok ~= "hash" then return 0 end
if redis.call("HGET", KEYS[1], "id") ~= ARGV[1] then return 0 end
redis.call("DEL", KEYS[1])
redis.call("PUBLISH", ARGV[2], "released")
return 1
`;

/** KEYS: leader, autoscalers. Returns now, ms left, the lease, the autoscalers. */
const LOOK = `
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease = {}
if redis.call("TYPE", KEYS[1]).ok == "hash" then
  lease = redis.call("HMGET", KEYS[1], "id", "epoch", "facts", "since")
end
return {now, redis.call("PTTL", KEYS[1]), lease, redis.call("HGETALL", KEYS[2])}
`;

const autoscalerFacts = z.object({
  host: z.string(),
  pid: z.int(),
  /** The same for all that share a directory of the executor, and for no others. */
  machine: z.string(),
});

export type AutoscalerFacts = z.output<typeof autoscalerFacts>;

export interface SeenAutoscaler extends AutoscalerFacts {
  readonly id: string;
}

export interface SeenLeader extends SeenAutoscaler {
  readonly epoch: number;
  /** When its term began, by Redis' clock. */
  readonly sinceMs: number;
  /** Until the lease ends if it is not renewed, in milliseconds. */
  readonly leftMs: number;
}

export interface LeaderLook {
  readonly leader: SeenLeader | null;
  /** All that were heard of lately, the leader among them. */
  readonly autoscalers: readonly SeenAutoscaler[];
}

export type Acquired =
  | { readonly kind: "leading"; readonly epoch: number }
  /** Another holds it, for `leftMs` more at least if it is not given back. */
  | { readonly kind: "held"; readonly leftMs: number };

export interface LeaseHolder {
  /** Of one process, never used again. */
  readonly id: string;
  readonly facts: AutoscalerFacts;
}

export class LeaderLease {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #holder: LeaseHolder;

  constructor(redis: RedisConnection, keys: Keys, holder: LeaseHolder) {
    this.#redis = redis;
    this.#keys = keys;
    this.#holder = holder;
  }

  /**
   * Takes the lease when it is free, and begins a term with an epoch above every known one. One that is still in our
   * own name, from a reply that never came, begins a new term too. Rejects when Redis does not answer.
   *
   * @param epochMin the highest epoch known elsewhere: Redis may have lost its own.
   */
  async acquire(epochMin: number): Promise<Acquired> {
    const { id, facts } = this.#holder;
    const { leader, epoch, autoscalers } = this.#keys;
    const terms = [LEASE_MS, epochMin, REMEMBERED_MS];
    const reply = await this.#redis.eval(
      ACQUIRE,
      3,
      leader,
      epoch,
      autoscalers,
      id,
      JSON.stringify(facts),
      ...terms,
    );
    const [taken, number] = reply as [number, number];
    return taken === 1 ? { kind: "leading", epoch: number } : { kind: "held", leftMs: number };
  }

  /** Answers whether the lease is still ours, and then holds it for another `LEASE_MS`. Rejects like `acquire`. */
  async renew(term: number): Promise<boolean> {
    const { id, facts } = this.#holder;
    const { leader, epoch, autoscalers } = this.#keys;
    const terms = [LEASE_MS, term, REMEMBERED_MS];
    const text = JSON.stringify(facts);
    return (await this.#redis.eval(RENEW, 3, leader, epoch, autoscalers, id, text, ...terms)) === 1;
  }

  /** Gives the lease back, if it is ours, and says goodbye. Rejects like `acquire`. */
  async release(): Promise<void> {
    const { leader, autoscalers, leaderChannel } = this.#keys;
    await this.#redis.eval(RELEASE, 2, leader, autoscalers, this.#holder.id, leaderChannel);
  }

  /** Who leads, and who else is there. Rejects like `acquire`. */
  async look(): Promise<LeaderLook> {
    const { leader, autoscalers } = this.#keys;
    const reply = await this.#redis.eval(LOOK, 2, leader, autoscalers);
    const [nowMs, leftMs, lease, present] = reply as [number, number, (string | null)[], string[]];
    return { leader: leaderOf(lease, leftMs), autoscalers: presentOf(present, nowMs) };
  }

  /** Calls `onReleased` when a leader gives the lease back. */
  static async listen(redis: RedisConnection, keys: Keys, onReleased: () => void): Promise<void> {
    redis.on("message", (channel: string) => {
      if (channel === keys.leaderChannel) onReleased();
    });
    await redis.subscribe(keys.leaderChannel);
  }
}

function leaderOf([id, epoch, text, since]: readonly (string | null)[], leftMs: number): SeenLeader | null {
  const facts = factsOf(text);
  if (typeof id !== "string" || facts === null || leftMs < 0) return null;
  return { id, ...facts, epoch: Number(epoch), sinceMs: Number(since), leftMs };
}

function presentOf(hash: readonly string[], nowMs: number): SeenAutoscaler[] {
  const found: SeenAutoscaler[] = [];
  for (let index = 0; index + 1 < hash.length; index += 2) {
    const [id = "", value = ""] = hash.slice(index, index + 2);
    const bar = value.indexOf("|");
    const facts = factsOf(value.slice(bar + 1));
    if (facts !== null && nowMs - Number(value.slice(0, bar)) <= PRESENT_MS) found.push({ id, ...facts });
  }
  return found;
}

/** `null` for what another version wrote. */
function factsOf(text: string | null | undefined): AutoscalerFacts | null {
  try {
    return autoscalerFacts.parse(JSON.parse(text ?? ""));
  } catch {
    return null;
  }
}
