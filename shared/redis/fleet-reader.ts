/**
 * One look at all workers, at a cost that grows with their number as little as can be.
 *
 * What they last said lies in one hash, read by one command. What they said at their registration never
 * changes within it, so it is read and checked once and kept here: one reader a process, used again and again.
 */
import type { RedisConnection } from "./connection.ts";
import type { Keys } from "./keys.ts";
import { ReadBatch } from "./read-batch.ts";
import { type WorkerFacts, type WorkerStatus, workerFacts, workerStatus } from "./worker-words.ts";

/** A worker unheard of for this long is forgotten; it was counted as dead long before. */
export const FORGET_AFTER_MS = 300_000;

/** Workers whose facts one script reads. */
const FACTS_READ_MAX = 500;

/** KEYS: seen, orders, workers. ARGV: forget-after ms. Forgets who was not heard of for long; returns Redis time. */
const FORGET = `
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, id in ipairs(redis.call("ZRANGEBYSCORE", KEYS[1], "-inf", now - tonumber(ARGV[1]))) do
  redis.call("ZREM", KEYS[1], id)
  redis.call("HDEL", KEYS[2], id)
  redis.call("HDEL", KEYS[3], id)
end
return now
`;

/** ARGV: start of worker keys, then ids. Returns facts, generation and time of registration of each. */
const READ_FACTS = `
local reply = {}
for i = 2, #ARGV do
  local facts = redis.call("HMGET", ARGV[1] .. ARGV[i], "facts", "generation", "registeredAt")
  reply[i - 1] = {facts[1] or "", facts[2] or "", facts[3] or ""}
end
return reply
`;

export interface ObservedWorker {
  readonly workerId: string;
  readonly facts: WorkerFacts;
  /** `null` until the first heartbeat. */
  readonly status: WorkerStatus | null;
  readonly registeredAtMs: number;
  readonly seenAtMs: number;
}

export interface FleetObservation {
  /** Redis' clock at the read. */
  readonly redisNowMs: number;
  readonly workers: readonly ObservedWorker[];
}

export class FleetReader {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #known = new Map<string, KnownWorker>();

  constructor(redis: RedisConnection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /**
   * Every worker that was heard of lately, longest registered first. Two commands however many they are;
   * one more for every 500 that were not seen before.
   */
  async read(batch?: ReadBatch): Promise<FleetObservation> {
    const keys = this.#keys;
    const own = batch ?? new ReadBatch(this.#redis);
    const asking = own.ask((pipeline) =>
      pipeline
        .eval(FORGET, 3, keys.fleetSeen, keys.fleetOrders, keys.fleetWorkers, FORGET_AFTER_MS)
        .hgetall(keys.fleetWorkers),
    );
    if (batch === undefined) await own.send();
    const [now, stored] = await asking;
    const heard = Object.entries(stored as Readonly<Record<string, string>>).flatMap(([workerId, text]) =>
      heardWorker(workerId, text),
    );
    await this.#learn(heard);
    const workers = heard.flatMap((it): ObservedWorker[] => {
      const known = this.#known.get(it.workerId);
      if (known === undefined || known.facts === null || known.generation < it.generation) return [];
      const { facts, registeredAtMs } = known;
      const { workerId, seenAtMs } = it;
      return [{ workerId, facts, registeredAtMs, seenAtMs, status: statusIn(it.statusText) }];
    });
    workers.sort((a, b) => a.registeredAtMs - b.registeredAtMs || (a.workerId < b.workerId ? -1 : 1));
    return { redisNowMs: Number(now), workers };
  }

  /** Reads what workers said at their registration, once each, and forgets those that are gone. */
  async #learn(heard: readonly HeardWorker[]): Promise<void> {
    const present = new Set(heard.map((it) => it.workerId));
    for (const workerId of this.#known.keys()) if (!present.has(workerId)) this.#known.delete(workerId);
    const unknown = heard.filter((it) => this.#known.get(it.workerId)?.generation !== it.generation);
    if (unknown.length === 0) return;
    const ids = unknown.map((it) => it.workerId);
    const batch = new ReadBatch(this.#redis);
    const asking = batch.ask((pipeline) => {
      for (let first = 0; first < ids.length; first += FACTS_READ_MAX)
        pipeline.eval(READ_FACTS, 0, this.#keys.worker(""), ...ids.slice(first, first + FACTS_READ_MAX));
    });
    await batch.send();
    const rows = (await asking).flat() as readonly (readonly string[])[];
    for (const [index, workerId] of ids.entries()) {
      const [text = "", generation, registeredAt] = rows[index] ?? [];
      const facts = workerFacts.safeParse(parsedJson(text));
      this.#known.set(workerId, {
        generation: Number(generation),
        registeredAtMs: Number(registeredAt),
        facts: facts.success ? facts.data : null,
      });
    }
  }
}

interface HeardWorker {
  readonly workerId: string;
  readonly generation: number;
  readonly seenAtMs: number;
  /** JSON, or nothing before the first heartbeat. */
  readonly statusText: string;
}

interface KnownWorker {
  readonly generation: number;
  readonly registeredAtMs: number;
  /** `null` when they are gone or not to be understood. */
  readonly facts: WorkerFacts | null;
}

/** `<generation>|<seen at>|<status>`; what does not look so is no worker. */
function heardWorker(workerId: string, text: string): HeardWorker[] {
  const first = text.indexOf("|");
  const second = text.indexOf("|", first + 1);
  if (first < 1 || second < 0) return [];
  const generation = Number(text.slice(0, first));
  const seenAtMs = Number(text.slice(first + 1, second));
  if (!Number.isInteger(generation) || !Number.isFinite(seenAtMs)) return [];
  return [{ workerId, generation, seenAtMs, statusText: text.slice(second + 1) }];
}

function statusIn(text: string): WorkerStatus | null {
  const status = workerStatus.safeParse(parsedJson(text));
  return status.success ? status.data : null;
}

function parsedJson(text: string): unknown {
  if (text === "") return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
