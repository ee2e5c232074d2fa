/**
 * What the autoscaler measures by: arrivals and service times by type, and the state of lanes.
 *
 * Counters only ever rise; rates are differences between two reads. Lanes are read as they are in
 * BullMQ's own keys, by one short script a lane in one pipeline: each lane is seen at one moment, and a
 * thousand of them do not keep Redis from everybody else. The script is loaded at the head of the pipeline,
 * so its text goes over the wire once.
 */
import { createHash } from "node:crypto";
import type { ChainableCommander } from "ioredis";
import type { RedisConnection } from "./connection.ts";
import type { Keys } from "./keys.ts";
import { type MemoryUse, memoryUseIn } from "./memory-watch.ts";
import { ReadBatch } from "./read-batch.ts";

/** BullMQ scores delayed jobs by their due time times this, to keep their order. */
const DELAYED_SCORE_UNIT = 0x1000;

/**
 * One lane. ARGV: start of the lane's keys, horizon in ms, score unit. Returns wait, prioritized, active,
 * delayed, delayed due within the horizon, completed, failed, those held in states that Sluice itself never
 * uses (children, schedulers), and of the job that is next: id, timestamp, delay, starts, options; empty
 * strings when nothing waits.
 */
const OBSERVE_LANE = `
local lane = ARGV[1]
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local next = redis.call("LINDEX", lane .. "wait", -1)
if not next then next = redis.call("ZRANGE", lane .. "prioritized", 0, 0)[1] end
local job = {}
if next then job = redis.call("HMGET", lane .. next, "timestamp", "delay", "ats", "opts") end
return {
  redis.call("LLEN", lane .. "wait"),
  redis.call("ZCARD", lane .. "prioritized"),
  redis.call("LLEN", lane .. "active"),
  redis.call("ZCARD", lane .. "delayed"),
  redis.call("ZCOUNT", lane .. "delayed", "-inf", (now + tonumber(ARGV[2])) * tonumber(ARGV[3])),
  redis.call("ZCARD", lane .. "completed"),
  redis.call("ZCARD", lane .. "failed"),
  redis.call("ZCARD", lane .. "waiting-children") + redis.call("ZCARD", lane .. "repeat")
    + redis.call("LLEN", lane .. "paused"),
  next or "", job[1] or "", job[2] or "", job[3] or "", job[4] or "",
}
`;

const OBSERVE_LANE_SHA = createHash("sha1").update(OBSERVE_LANE).digest("hex");

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

/** A queue's counters, all ever rising. */
export interface QueueCounters {
  /** Jobs accepted, by `arrivalCounterName`. */
  readonly arrivals: ReadonlyMap<string, number>;
  /** What the fleet has run; the names are in `shared/run-counters.ts`. */
  readonly service: ReadonlyMap<string, number>;
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

  /** What the fleet has run of a queue so far, by the names in `shared/run-counters.ts`. */
  async service(queue: string): Promise<ReadonlyMap<string, number>> {
    return numbers(await this.#redis.hgetall(this.#keys.service(queue)));
  }

  /** Jobs due and not taken, of all these lanes together. Two commands a lane, in one go. */
  async waiting(lanes: readonly string[]): Promise<number> {
    const pipeline = this.#redis.pipeline();
    for (const lane of lanes) {
      const keys = `${this.#keys.prefix}:${lane}:`;
      pipeline.llen(`${keys}wait`).zcard(`${keys}prioritized`);
    }
    const results = (await pipeline.exec()) ?? [];
    const failed = results.find(([error]) => error !== null)?.[0];
    if (failed) throw failed;
    return results.reduce((sum, [, jobs]) => sum + Number(jobs), 0);
  }

  /** Reads that go to Redis together: hand it to those that read, then `send` it. */
  openBatch(): ReadBatch {
    return new ReadBatch(this.#redis);
  }

  /**
   * One command a lane, and two.
   *
   * @param horizonMs scheduled jobs due within it are counted as due soon.
   */
  async observeLanes(
    lanes: readonly string[],
    horizonMs: number,
    batch?: ReadBatch,
  ): Promise<LanesObservation> {
    const [, time, ...rows] = await this.#read(batch, (pipeline) => {
      pipeline.script("LOAD", OBSERVE_LANE).time();
      for (const lane of lanes) {
        const keys = `${this.#keys.prefix}:${lane}:`;
        pipeline.evalsha(OBSERVE_LANE_SHA, 0, keys, horizonMs, DELAYED_SCORE_UNIT);
      }
    });
    const counts = lanes.map((lane, index) => [lane, countsOf(rows[index] as LaneRow)] as const);
    return { redisNowMs: millisecondsOf(time), lanes: new Map(counts) };
  }

  /** Two commands a queue. */
  async counters(queues: readonly string[], batch?: ReadBatch): Promise<ReadonlyMap<string, QueueCounters>> {
    const hashes = await this.#read(batch, (pipeline) => {
      for (const queue of queues)
        pipeline.hgetall(this.#keys.arrivals(queue)).hgetall(this.#keys.service(queue));
    });
    const counters = queues.map((queue, index) => {
      const [arrivals, service] = hashes.slice(2 * index, 2 * index + 2) as Readonly<
        Record<string, string>
      >[];
      return [queue, { arrivals: numbers(arrivals ?? {}), service: numbers(service ?? {}) }] as const;
    });
    return new Map(counters);
  }

  /** How full Redis is. One command. */
  async memory(batch?: ReadBatch): Promise<MemoryUse> {
    const [text] = await this.#read(batch, (pipeline) => pipeline.info("memory"));
    return memoryUseIn(String(text));
  }

  /** Shows for `aliveMs` that an autoscaler runs. */
  async showAutoscaler(aliveMs: number): Promise<void> {
    await this.#redis.set(this.#keys.autoscaler, "1", "PX", aliveMs);
  }

  /** Calls `onEnqueued` with the queue of each announcement. The connection is used for nothing else. */
  static async listen(
    redis: RedisConnection,
    keys: Keys,
    onEnqueued: (queue: string) => void,
  ): Promise<void> {
    redis.on("message", (channel: string, queue: string) => {
      if (channel === keys.enqueuedChannel) onEnqueued(queue);
    });
    await redis.subscribe(keys.enqueuedChannel);
  }

  async #read(
    batch: ReadBatch | undefined,
    add: (pipeline: ChainableCommander) => void,
  ): Promise<readonly unknown[]> {
    const own = batch ?? this.openBatch();
    const replies = own.ask(add);
    if (batch === undefined) await own.send();
    return replies;
  }
}

type LaneRow = readonly (number | string)[];

function millisecondsOf(time: unknown): number {
  const [seconds, microseconds] = time as readonly [string, string];
  return Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000);
}

function numbers(hash: Readonly<Record<string, string>>): ReadonlyMap<string, number> {
  return new Map(Object.entries(hash).map(([name, value]) => [name, Number(value)]));
}

function countsOf(row: LaneRow): LaneCounts {
  const [wait, prioritized, active, delayed, dueSoon, completed, failed, other, ...next] = row;
  const [jobId, ...job] = next;
  return {
    waiting: Number(wait) + Number(prioritized),
    inFlight: Number(active),
    scheduled: Number(delayed),
    dueSoon: Number(dueSoon),
    succeeded: Number(completed),
    failed: Number(failed),
    other: Number(other),
    next: jobId === "" ? null : nextJob(String(jobId), job.map(String)),
  };
}

function nextJob(jobId: string, [timestamp, delay, starts, options]: readonly string[]): NextJob {
  const started = Number(starts) > 0;
  if (started || timestamp === undefined) return { jobId, dueAtMs: null };
  return { jobId, dueAtMs: Number(timestamp) + (Number(delay) || delayAsked(options)) };
}

/** BullMQ sets a job's delay to 0 once it has passed; what was asked for stays in its options. */
function delayAsked(options: string | undefined): number {
  return Number(/"delay":(\d{1,15})/.exec(options ?? "")?.[1] ?? 0);
}
