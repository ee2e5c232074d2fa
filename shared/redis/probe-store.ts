/**
 * What the probe of each release of a queue has come to, as the worker says that ran it.
 *
 * Of two words about one attempt the worse stays: `failed`, then `succeeded`, then `pending`, because two workers may
 * have run it. A word about an earlier attempt changes nothing.
 */
import { type ProbeOutcome, probeOutcome } from "../rollout/release-orders.ts";
import type { RedisConnection } from "./connection.ts";
import type { Keys } from "./keys.ts";
import { ReadBatch } from "./read-batch.ts";

const KEPT_MS = 30 * 86_400_000;

/** KEYS: probe. ARGV: release, attempt, rank of the outcome, outcome, kept ms. Kept as `<attempt>|<rank>|<JSON>`. */
const SAY = `
local stored = redis.call("HGET", KEYS[1], ARGV[1])
if stored then
  local attempt, rank = string.match(stored, "^(%d+)|(%d+)|")
  attempt, rank = tonumber(attempt) or -1, tonumber(rank) or -1
  if attempt > tonumber(ARGV[2]) then return 0 end
  if attempt == tonumber(ARGV[2]) and rank > tonumber(ARGV[3]) then return 0 end
end
redis.call("HSET", KEYS[1], ARGV[1], ARGV[2] .. "|" .. ARGV[3] .. "|" .. ARGV[4])
redis.call("PEXPIRE", KEYS[1], ARGV[5])
return 1
`;

const RANKS = { pending: 0, succeeded: 1, failed: 2 } as const;

export class ProbeStore {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;

  constructor(redis: RedisConnection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  async say(queue: string, release: string, outcome: ProbeOutcome): Promise<void> {
    const { attempt } = outcome;
    const rank = RANKS[outcome.outcome];
    const key = this.#keys.releaseProbe(queue);
    await this.#redis.eval(SAY, 1, key, release, attempt, rank, JSON.stringify(outcome), KEPT_MS);
  }

  /** `null` when nobody has said anything. */
  async read(queue: string, release: string, batch?: ReadBatch): Promise<ProbeOutcome | null> {
    const own = batch ?? new ReadBatch(this.#redis);
    const asking = own.ask((pipeline) => pipeline.hget(this.#keys.releaseProbe(queue), release));
    if (batch === undefined) await own.send();
    const [stored] = (await asking) as readonly (string | null)[];
    return stored === null || stored === undefined ? null : outcomeIn(stored);
  }
}

function outcomeIn(stored: string): ProbeOutcome | null {
  const [, text = ""] = /^\d+\|\d+\|(.*)$/s.exec(stored) ?? [];
  try {
    const result = probeOutcome.safeParse(JSON.parse(text));
    return result.success ? result.data : null;
  } catch {
    return null;
  }
}
