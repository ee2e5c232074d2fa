/**
 * The fleet's registry of workers: registration, heartbeats, orders, and one read of all of it.
 *
 * Every write is one Lua call and every time is Redis' own, so workers' clocks do not matter. A
 * heartbeat never frees a job: only its lease does. The heartbeat's reply carries what the control
 * plane wants of the worker.
 */
import { z } from "zod";
import { WorkerRefusedError } from "../errors.ts";
import type { RedisConnection } from "./connection.ts";
import type { Keys } from "./keys.ts";
import { LaneTripStore, type TripsByLane, tripField, tripsOf } from "./lane-trips.ts";

/** A worker unheard of for this long is forgotten; it was counted as dead long before. */
const FORGET_AFTER_MS = 300_000;

/**
 * KEYS: generation, bullmq-major, seen, worker. ARGV: worker id, BullMQ major, facts, forget-after ms.
 * Refuses another BullMQ major than that of workers seen lately; else raises the generation.
 */
const REGISTER = `
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local major = redis.call("GET", KEYS[2])
local fleet = redis.call("ZCOUNT", KEYS[3], now - tonumber(ARGV[4]), "+inf")
if major and major ~= ARGV[2] and fleet > 0 then return {0, major} end
redis.call("SET", KEYS[2], ARGV[2])
local generation = redis.call("INCR", KEYS[1])
redis.call("PEXPIRE", KEYS[1], 86400000)
redis.call("ZADD", KEYS[3], now, ARGV[1])
redis.call("HSET", KEYS[4], "facts", ARGV[3], "generation", generation, "registeredAt", now, "seenAt", now)
redis.call("PEXPIRE", KEYS[4], ARGV[4])
return {generation, now}
`;

/**
 * KEYS: generation, seen, worker, orders, service, cancel, autoscaler, trips. ARGV: worker id, generation,
 * status, forget-after ms, prefix, number of lanes, the lanes, their fields in the trips, then pairs of a
 * service counter and its increase. A generation other than the stored one is refused. Returns 1, Redis
 * time, the order, the jobs to cancel, the autoscaler's age mark, each lane's trip, each lane's backlog.
 */
const HEARTBEAT = `
if redis.call("GET", KEYS[1]) ~= ARGV[2] then return {0} end
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call("PEXPIRE", KEYS[1], 86400000)
redis.call("ZADD", KEYS[2], now, ARGV[1])
redis.call("HSET", KEYS[3], "status", ARGV[3], "seenAt", now)
redis.call("PEXPIRE", KEYS[3], ARGV[4])
local lanes = tonumber(ARGV[6])
for i = 7 + 2 * lanes, #ARGV, 2 do redis.call("HINCRBY", KEYS[5], ARGV[i], ARGV[i + 1]) end
local cancel = redis.call("SMEMBERS", KEYS[6])
if #cancel > 0 then redis.call("DEL", KEYS[6]) end
local trips = lanes > 0 and redis.call("HMGET", KEYS[8], unpack(ARGV, 7 + lanes, 6 + 2 * lanes)) or {}
local order = redis.call("HGET", KEYS[4], ARGV[1]) or ""
local reply = {1, now, order, cancel, redis.call("EXISTS", KEYS[7]), trips}
for i = 7, 6 + lanes do
  local lane = ARGV[5] .. ":" .. ARGV[i]
  reply[#reply + 1] = redis.call("LLEN", lane .. ":wait") + redis.call("ZCARD", lane .. ":prioritized")
end
return reply
`;

/** KEYS: seen, orders. ARGV: prefix of worker keys, forget-after ms. Returns now, then id and hash of each. */
const OBSERVE = `
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, id in ipairs(redis.call("ZRANGEBYSCORE", KEYS[1], "-inf", now - tonumber(ARGV[2]))) do
  redis.call("ZREM", KEYS[1], id)
  redis.call("HDEL", KEYS[2], id)
end
local reply = {now}
for _, id in ipairs(redis.call("ZRANGE", KEYS[1], 0, -1)) do
  reply[#reply + 1] = {id, redis.call("HGETALL", ARGV[1] .. id)}
end
return reply
`;

/** What a worker says of itself once. */
const workerFacts = z.object({
  release: z.string(),
  queue: z.string(),
  slots: z.int(),
  bootId: z.string(),
  pid: z.int(),
  host: z.string(),
  bullmqMajor: z.string(),
  nodeVersion: z.string(),
});

export type WorkerFacts = z.output<typeof workerFacts>;

/** What a worker says of itself with every heartbeat. */
const workerStatus = z.object({
  /** What the worker itself says it is doing. */
  state: z.enum(["ok", "draining", "quarantined"]),
  /** Why it takes nothing, when it does not; a stable code. */
  reason: z.string().nullable(),
  lanes: z.array(z.string()),
  /** Those of them that it takes nothing from, because its build has failed to read a job there. */
  trippedLanes: z.array(z.string()).default([]),
  /** Jobs in flight. */
  busy: z.int(),
  lastStartedAtMs: z.number().nullable(),
  lastFinishedAtMs: z.number().nullable(),
  /** Jobs that ended here since the worker started, by their settlement. */
  settled: z.record(z.string(), z.int()),
  eventLoopLagMs: z.number(),
  rssBytes: z.int(),
  /** Redis' clock minus the worker's, in milliseconds. */
  clockOffsetMs: z.number().nullable(),
});

export type WorkerStatus = z.output<typeof workerStatus>;

const standingOrder = z.object({
  /** Orders of a lower epoch than one already obeyed are ignored. */
  epoch: z.int(),
  order: z.enum(["run", "drain", "quarantine"]),
});

export type StandingOrder = z.output<typeof standingOrder>;

export interface HeartbeatReply {
  readonly redisNowMs: number;
  /** `null`: no standing order; the last one obeyed stays in force. */
  readonly order: StandingOrder | null;
  readonly cancelJobIds: readonly string[];
  readonly autoscalerAlive: boolean;
  /** The worker's lanes that its release has tripped, in force and half-open. */
  readonly trips: TripsByLane;
  /** Jobs waiting in each of the worker's lanes. */
  readonly backlog: ReadonlyMap<string, number>;
}

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

export class FleetStore {
  readonly trips: LaneTripStore;
  readonly #redis: RedisConnection;
  readonly #keys: Keys;

  constructor(redis: RedisConnection, keys: Keys) {
    this.trips = new LaneTripStore(redis, keys);
    this.#redis = redis;
    this.#keys = keys;
  }

  /**
   * Registers a worker and gives its generation, higher than any before.
   *
   * @throws {WorkerRefusedError} when the fleet runs another BullMQ major: mixed majors lose jobs.
   */
  async register(workerId: string, facts: WorkerFacts): Promise<number> {
    const keys = this.#keys;
    const reply = (await this.#redis.eval(
      REGISTER,
      4,
      keys.workerGeneration(workerId),
      keys.fleetBullmqMajor,
      keys.fleetSeen,
      keys.worker(workerId),
      workerId,
      facts.bullmqMajor,
      JSON.stringify(facts),
      FORGET_AFTER_MS,
    )) as [number, string | number];
    if (reply[0] === 0) {
      throw new WorkerRefusedError(
        `it runs BullMQ ${facts.bullmqMajor}, the fleet BullMQ ${reply[1]}; one queue needs one BullMQ major`,
      );
    }
    return reply[0];
  }

  /** Answers `null` when a newer registration has taken the worker's place: it must stop taking. */
  async heartbeat(beat: {
    readonly workerId: string;
    readonly generation: number;
    readonly release: string;
    readonly queue: string;
    readonly status: WorkerStatus;
    /** Increases of the queue's service counters since the last heartbeat that was answered. */
    readonly serviceIncreases: Readonly<Record<string, number>>;
  }): Promise<HeartbeatReply | null> {
    const keys = this.#keys;
    const { lanes } = beat.status;
    const reply = (await this.#redis.eval(
      HEARTBEAT,
      8,
      keys.workerGeneration(beat.workerId),
      keys.fleetSeen,
      keys.worker(beat.workerId),
      keys.fleetOrders,
      keys.service(beat.queue),
      keys.cancel(beat.workerId),
      keys.autoscaler,
      keys.fleetTrips,
      beat.workerId,
      beat.generation,
      JSON.stringify(beat.status),
      FORGET_AFTER_MS,
      keys.prefix,
      lanes.length,
      ...lanes,
      ...lanes.map((lane) => tripField({ release: beat.release, lane })),
      ...Object.entries(beat.serviceIncreases).flat(),
    )) as [number, number, string, string[], number, (string | null)[], ...number[]];
    if (reply[0] === 0) return null;
    const [, redisNowMs, order, cancelJobIds, autoscaler, trips, ...backlog] = reply;
    return {
      redisNowMs,
      order: order === "" ? null : standingOrder.parse(JSON.parse(order)),
      cancelJobIds,
      autoscalerAlive: autoscaler === 1,
      trips: tripsOf(lanes, trips, redisNowMs),
      backlog: new Map(lanes.map((lane, index) => [lane, Number(backlog[index] ?? 0)])),
    };
  }

  /** Forgets a worker that has stopped cleanly. */
  async deregister(workerId: string): Promise<void> {
    await this.#redis
      .multi()
      .zrem(this.#keys.fleetSeen, workerId)
      .hdel(this.#keys.fleetOrders, workerId)
      .del(this.#keys.worker(workerId), this.#keys.cancel(workerId))
      .exec();
  }

  /** Every worker that was heard of lately. */
  async observe(): Promise<FleetObservation> {
    const keys = this.#keys;
    const reply = (await this.#redis.eval(
      OBSERVE,
      2,
      keys.fleetSeen,
      keys.fleetOrders,
      keys.worker(""),
      FORGET_AFTER_MS,
    )) as [number, ...[string, string[]][]];
    const [redisNowMs, ...entries] = reply;
    return { redisNowMs, workers: entries.flatMap(([workerId, hash]) => observedWorker(workerId, hash)) };
  }

  /** Gives a worker a standing order; it learns of it with its next heartbeat. */
  async order(workerId: string, order: StandingOrder): Promise<void> {
    await this.#redis.hset(this.#keys.fleetOrders, workerId, JSON.stringify(order));
  }

  /** Asks a worker to cancel a job that it is running. */
  async cancel(workerId: string, jobId: string): Promise<void> {
    const key = this.#keys.cancel(workerId);
    await this.#redis.multi().sadd(key, jobId).pexpire(key, FORGET_AFTER_MS).exec();
  }
}

/** A hash that is gone or half written is no worker. */
function observedWorker(workerId: string, hash: readonly string[]): ObservedWorker[] {
  const fields = new Map<string, string>();
  for (let index = 0; index + 1 < hash.length; index += 2)
    fields.set(hash[index] ?? "", hash[index + 1] ?? "");
  const facts = workerFacts.safeParse(JSON.parse(fields.get("facts") ?? "null"));
  if (!facts.success) return [];
  const status = workerStatus.safeParse(JSON.parse(fields.get("status") ?? "null"));
  return [
    {
      workerId,
      facts: facts.data,
      status: status.success ? status.data : null,
      registeredAtMs: Number(fields.get("registeredAt")),
      seenAtMs: Number(fields.get("seenAt")),
    },
  ];
}
