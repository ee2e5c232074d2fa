/**
 * What the autoscaler measures by: arrivals and service times by type, and the state of lanes.
 *
 * Counters only ever rise; rates are differences between two reads. Lanes are read as they are in
 * BullMQ's own keys, all in one script, so that one observation is of one moment.
 */
import type { RedisConnection } from "./connection.ts";
import type { Keys } from "./keys.ts";
import { type MemoryUse, memoryUseIn } from "./memory-watch.ts";

/** Decisions kept, all pools together: about half a day of one every few seconds. */
const DECISIONS_KEPT_MAX = 2_000;

/** BullMQ scores delayed jobs by their due time times this, to keep their order. */
const DELAYED_SCORE_UNIT = 0x1000;

/**
 * ARGV: prefix, horizon in ms, score unit, then lanes. Returns Redis time, then for each lane: wait,
 * prioritized, active, delayed, delayed due within the horizon, completed, failed, those held in states
 * that Sluice itself never uses (children, schedulers), and of the job that is next: id, timestamp, delay,
 * starts; empty strings when nothing waits.
 */
const OBSERVE_LANES = `
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local reply = {now}
for i = 4, #ARGV do
  local lane = ARGV[1] .. ":" .. ARGV[i] .. ":"
  local next = redis.call("LINDEX", lane .. "wait", -1)
  if not next then next = redis.call("ZRANGE", lane .. "prioritized", 0, 0)[1] end
  local job = {false, false, false}
  if next then job = redis.call("HMGET", lane .. next, "timestamp", "delay", "ats") end
  reply[#reply + 1] = {
    redis.call("LLEN", lane .. "wait"),
    redis.call("ZCARD", lane .. "prioritized"),
    redis.call("LLEN", lane .. "active"),
    redis.call("ZCARD", lane .. "delayed"),
    redis.call("ZCOUNT", lane .. "delayed", "-inf", (now + tonumber(ARGV[2])) * tonumber(ARGV[3])),
    redis.call("ZCARD", lane .. "completed"),
    redis.call("ZCARD", lane .. "failed"),
    redis.call("ZCARD", lane .. "waiting-children") + redis.call("ZCARD", lane .. "repeat")
      + redis.call("LLEN", lane .. "paused"),
    next or "", job[1] or "", job[2] or "", job[3] or "",
  }
end
return reply
`;

export interface LaneCounts {
  /** Jobs due and not taken. */
  readonly waiting: number;
  readonly inFlight: number;
  /** Jobs that wait for a time, retries included. */
  readonly scheduled: number;
  /** Those of them that fall due within the horizon asked for. */
  readonly dueSoon: number;
  /** Finished jobs still kept. */
  readonly succeeded: number;
  readonly failed: number;
  /** Jobs and schedulers that only other users of BullMQ make: waiting for children, repeating. */
  readonly other: number;
  /** The job that is next, or `null` when nothing waits. */
  readonly next: NextJob | null;
}

export interface NextJob {
  readonly jobId: string;
  /** When a job that was never started fell due; `null` when it was started before. */
  readonly dueAtMs: number | null;
}

export interface LanesObservation {
  readonly redisNowMs: number;
  readonly lanes: ReadonlyMap<string, LaneCounts>;
}

export class LoadStore {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;

  constructor(redis: RedisConnection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Adds accepted jobs to their queues' counters. */
  async addArrivals(arrivals: ReadonlyMap<string, ReadonlyMap<string, number>>): Promise<void> {
    const pipeline = this.#redis.pipeline();
    for (const [queue, byCounter] of arrivals) {
      for (const [counter, jobs] of byCounter) pipeline.hincrby(this.#keys.arrivals(queue), counter, jobs);
    }
    const results = (await pipeline.exec()) ?? [];
    const failed = results.find(([error]) => error !== null)?.[0];
    if (failed) throw failed;
  }

  /** Tells whoever listens that a queue has just got a job. */
  async announce(queue: string): Promise<void> {
    await this.#redis.publish(this.#keys.enqueuedChannel, queue);
  }

  /** Jobs accepted so far, by `arrivalCounterName`. */
  async arrivals(queue: string): Promise<ReadonlyMap<string, number>> {
    return numbers(await this.#redis.hgetall(this.#keys.arrivals(queue)));
  }

  /** Runs finished and slot time used so far: `<type>|finished` and `<type>|busyms`. */
  async service(queue: string): Promise<ReadonlyMap<string, number>> {
    return numbers(await this.#redis.hgetall(this.#keys.service(queue)));
  }

  /** @param horizonMs scheduled jobs due within it are counted as due soon. */
  async observeLanes(lanes: readonly string[], horizonMs: number): Promise<LanesObservation> {
    const reply = (await this.#redis.eval(
      OBSERVE_LANES,
      0,
      this.#keys.prefix,
      horizonMs,
      DELAYED_SCORE_UNIT,
      ...lanes,
    )) as [number, ...(number | string)[][]];
    const [redisNowMs, ...rows] = reply;
    return { redisNowMs, lanes: new Map(rows.map((row, index) => [lanes[index] ?? "", countsOf(row)])) };
  }

  /** How full Redis is. */
  async memory(): Promise<MemoryUse> {
    return memoryUseIn(await this.#redis.info("memory"));
  }

  /** Keeps a decision record, newest first. */
  async recordDecision(record: object): Promise<void> {
    await this.#redis
      .multi()
      .lpush(this.#keys.decisions, JSON.stringify(record))
      .ltrim(this.#keys.decisions, 0, DECISIONS_KEPT_MAX - 1)
      .exec();
  }

  /** The newest `max` decision records, newest first. */
  async decisions(max: number): Promise<readonly unknown[]> {
    const texts = await this.#redis.lrange(this.#keys.decisions, 0, max - 1);
    return texts.map((text) => JSON.parse(text) as unknown);
  }

  /** Shows for `aliveMs` that an autoscaler runs. */
  async showAutoscaler(aliveMs: number): Promise<void> {
    await this.#redis.set(this.#keys.autoscaler, "1", "PX", aliveMs);
  }

  /** A number higher than any given before: fences the orders of an earlier autoscaler. */
  async nextEpoch(): Promise<number> {
    return this.#redis.incr(`${this.#keys.autoscaler}:epoch`);
  }

  /** Calls `onEnqueued` with the queue of each announcement. The connection is used for nothing else. */
  static async listen(
    redis: RedisConnection,
    keys: Keys,
    onEnqueued: (queue: string) => void,
  ): Promise<void> {
    redis.on("message", (_channel: string, queue: string) => onEnqueued(queue));
    await redis.subscribe(keys.enqueuedChannel);
  }
}

function numbers(hash: Readonly<Record<string, string>>): ReadonlyMap<string, number> {
  return new Map(Object.entries(hash).map(([name, value]) => [name, Number(value)]));
}

function countsOf(row: readonly (number | string)[]): LaneCounts {
  const [wait, prioritized, active, delayed, dueSoon, completed, failed, other, ...next] = row;
  const [jobId, timestamp, delay, starts] = next;
  return {
    waiting: Number(wait) + Number(prioritized),
    inFlight: Number(active),
    scheduled: Number(delayed),
    dueSoon: Number(dueSoon),
    succeeded: Number(completed),
    failed: Number(failed),
    other: Number(other),
    next: jobId === "" ? null : nextJob(String(jobId), [timestamp, delay, starts]),
  };
}

function nextJob(jobId: string, fields: readonly (number | string | undefined)[]): NextJob {
  const [timestamp, delay, starts] = fields.map(Number);
  const started = starts !== undefined && starts > 0;
  return { jobId, dueAtMs: started || timestamp === undefined ? null : timestamp + (delay ?? 0) };
}
