/**
 * The fleet's registry of workers: registration, heartbeats, orders, and one read of all of it.
 *
 * Every write is one Lua call and every time is Redis' own, so workers' clocks do not matter. A
 * heartbeat never frees a job: only its lease does. The heartbeat's reply carries what the control
 * plane wants of the worker.
 */
import { z } from "zod";
import { StaleEpochError, WorkerRefusedError } from "../errors.ts";
import type { ReleaseOrders } from "../rollout/release-orders.ts";
import type { RedisConnection } from "./connection.ts";
import { type FleetObservation, FleetReader, FORGET_AFTER_MS } from "./fleet-reader.ts";
import { FORGET, HEARTBEAT, ORDER, REGISTER } from "./fleet-scripts.ts";
import type { Keys } from "./keys.ts";
import { LaneTripStore, type TripsByLane, tripField, tripsOf } from "./lane-trips.ts";
import type { ReadBatch } from "./read-batch.ts";
import { ordersIn } from "./release-orders-store.ts";
import type { WorkerFacts, WorkerStatus } from "./worker-words.ts";

export type { ObservedWorker } from "./fleet-reader.ts";
export type { WorkerFacts, WorkerStatus } from "./worker-words.ts";

/** What it said at its registration outlives that: after a long outage of Redis its next heartbeat brings it back. */
const FACTS_KEPT_MS = 86_400_000;

const standingOrder = z.object({
  /** Orders of a lower epoch than one already obeyed are ignored. */
  epoch: z.int(),
  order: z.enum(["run", "drain", "quarantine"]),
});

export type StandingOrder = z.output<typeof standingOrder>;

export interface Registration {
  /** Higher than any before. */
  readonly generation: number;
  /** What is wanted of all workers of its release; `null`: they take all they read. */
  readonly releaseOrders: ReleaseOrders | null;
}

/** Increases of counters since the last heartbeat that was answered, by release and counter. */
export type ReleaseIncreases = Readonly<Record<string, Readonly<Record<string, number>>>>;

export interface HeartbeatReply {
  readonly redisNowMs: number;
  /** `null`: no standing order; the last one obeyed stays in force. */
  readonly order: StandingOrder | null;
  /** As in {@link Registration}. */
  readonly releaseOrders: ReleaseOrders | null;
  readonly cancelJobIds: readonly string[];
  readonly autoscalerAlive: boolean;
  /** The worker's lanes that its release has tripped, in force and half-open. */
  readonly trips: TripsByLane;
  /** Jobs waiting in each of the worker's lanes. */
  readonly backlog: ReadonlyMap<string, number>;
}

export class FleetStore {
  readonly trips: LaneTripStore;
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #reader: FleetReader;

  constructor(redis: RedisConnection, keys: Keys) {
    this.trips = new LaneTripStore(redis, keys);
    this.#reader = new FleetReader(redis, keys);
    this.#redis = redis;
    this.#keys = keys;
  }

  /**
   * Registers a worker.
   *
   * @throws {WorkerRefusedError} when the fleet runs another BullMQ major: mixed majors lose jobs.
   */
  async register(workerId: string, facts: WorkerFacts): Promise<Registration> {
    const keys = this.#keys;
    const reply = (await this.#redis.eval(
      REGISTER,
      6,
      keys.workerGeneration(workerId),
      keys.fleetBullmqMajor,
      keys.fleetSeen,
      keys.worker(workerId),
      keys.fleetWorkers,
      keys.releaseOrders(facts.queue),
      workerId,
      facts.bullmqMajor,
      JSON.stringify(facts),
      FORGET_AFTER_MS,
      FACTS_KEPT_MS,
      facts.release,
    )) as [number, string | number, string?];
    if (reply[0] === 0) {
      throw new WorkerRefusedError(
        `it runs BullMQ ${facts.bullmqMajor}, the fleet BullMQ ${reply[1]}; one queue needs one BullMQ major`,
      );
    }
    return { generation: reply[0], releaseOrders: ordersIn(reply[2] ?? "") };
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
    /** Of counters of releases of the queue: its own, and another's where it saw that one's doing. */
    readonly releaseIncreases?: ReleaseIncreases;
  }): Promise<HeartbeatReply | null> {
    const keys = this.#keys;
    const { lanes } = beat.status;
    const service = Object.entries(beat.serviceIncreases).flat();
    const reply = (await this.#redis.eval(
      HEARTBEAT,
      10,
      keys.workerGeneration(beat.workerId),
      keys.fleetSeen,
      keys.worker(beat.workerId),
      keys.fleetOrders,
      keys.service(beat.queue),
      keys.cancel(beat.workerId),
      keys.autoscaler,
      keys.fleetTrips,
      keys.fleetWorkers,
      keys.releaseOrders(beat.queue),
      beat.workerId,
      beat.generation,
      JSON.stringify(beat.status),
      FACTS_KEPT_MS,
      keys.prefix,
      beat.release,
      lanes.length,
      service.length / 2,
      ...lanes,
      ...lanes.map((lane) => tripField({ release: beat.release, lane })),
      ...service,
      ...Object.entries(beat.releaseIncreases ?? {}).flatMap(([release, counted]) => [
        keys.releaseRuns(beat.queue, release),
        Object.keys(counted).length,
        ...Object.entries(counted).flat(),
      ]),
    )) as [number, number, string, string, string[], number, (string | null)[], ...number[]];
    if (reply[0] === 0) return null;
    const [, redisNowMs, order, wanted, cancelJobIds, autoscaler, trips, ...backlog] = reply;
    return {
      redisNowMs,
      order: order === "" ? null : standingOrder.parse(JSON.parse(order)),
      releaseOrders: ordersIn(wanted),
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
      .hdel(this.#keys.fleetWorkers, workerId)
      .del(this.#keys.worker(workerId), this.#keys.cancel(workerId))
      .exec();
  }

  /** Every worker that was heard of lately, longest registered first. */
  observe(batch?: ReadBatch): Promise<FleetObservation> {
    return this.#reader.read(batch);
  }

  /**
   * Gives a worker a standing order; it learns of it with its next heartbeat.
   *
   * @throws {StaleEpochError} when a newer leader's term has begun.
   */
  async order(workerId: string, order: StandingOrder): Promise<void> {
    const { epoch, fleetOrders } = this.#keys;
    const text = JSON.stringify(order);
    const newest = await this.#redis.eval(ORDER, 2, epoch, fleetOrders, order.epoch, workerId, text);
    if (Number(newest) > order.epoch) throw new StaleEpochError(order.epoch, Number(newest));
  }

  /**
   * Strikes off a worker that is dead, as the leader of a term; what it ran counts as starts whose worker was lost.
   *
   * @throws {StaleEpochError} when a newer leader's term has begun.
   */
  async forget(workerId: string, term: number): Promise<void> {
    const keys = this.#keys;
    const its = [keys.fleetSeen, keys.fleetOrders, keys.fleetWorkers];
    const own = [keys.worker(workerId), keys.cancel(workerId)];
    const newest = await this.#redis.eval(FORGET, 6, keys.epoch, ...its, ...own, term, workerId, keys.prefix);
    if (Number(newest) > term) throw new StaleEpochError(term, Number(newest));
  }

  /** Asks a worker to cancel a job that it is running. */
  async cancel(workerId: string, jobId: string): Promise<void> {
    const key = this.#keys.cancel(workerId);
    await this.#redis.multi().sadd(key, jobId).pexpire(key, FORGET_AFTER_MS).exec();
  }
}
