/**
 * What the leader does beside scaling: it fires schedules and does the chores.
 *
 * It has connections of its own: jobs go in by one that fails fast, as the API's do, and a chore that keeps Redis
 * busy holds up no heartbeat.
 */
import type { Clock } from "#shared/clock";
import { Enqueuing } from "#shared/enqueue/enqueuing";
import { limitsFor } from "#shared/limits/limits-for";
import type { Log } from "#shared/log";
import { ChoreStore } from "#shared/redis/chore-store";
import {
  connectFailingFast,
  connectPatient,
  disconnect,
  type RedisConnection,
  untilReady,
} from "#shared/redis/connection";
import { keysOf } from "#shared/redis/keys";
import { LaneQueues } from "#shared/redis/lane-queues";
import { ScheduleStore } from "#shared/redis/schedule-store";
import { Chores } from "./chores/chores.ts";
import { RaiseOld } from "./chores/raise-old.ts";
import { BoundHeld, CleanSucceeded } from "./chores/retention.ts";
import { SweepOpen } from "./chores/sweep-open.ts";
import type { ChoreMetrics } from "./control-api/chore-metrics.ts";
import { ScheduleRunner } from "./schedules/schedule-runner.ts";

const START_TIMEOUT_MS = 15_000;
const RETRY_MS = 1_000;

export interface LeaderWorkPorts {
  readonly redisUrl: string;
  readonly prefix: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: ChoreMetrics;
}

export class LeaderWork {
  readonly #ports: LeaderWorkPorts;
  readonly #jobs: RedisConnection;
  readonly #commands: RedisConnection;

  constructor(ports: LeaderWorkPorts) {
    this.#ports = ports;
    this.#jobs = connectFailingFast(ports.redisUrl, "sluice-autoscaler-enqueue");
    this.#commands = connectPatient(ports.redisUrl, "sluice-autoscaler-chores");
  }

  /** Resolves once `signal` aborts and what is in progress has ended; starts anew until Redis is there. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#ports;
    try {
      while (!signal.aborted) {
        const enqueuing = await this.#open().catch((error: unknown) => {
          log.warn({ err: error }, "schedules and chores wait for Redis");
          return null;
        });
        if (enqueuing !== null) return await this.#work(enqueuing, signal);
        await clock.sleep(RETRY_MS, signal);
      }
    } finally {
      disconnect(this.#jobs);
      disconnect(this.#commands);
    }
  }

  async #open(): Promise<Enqueuing> {
    const { prefix, clock } = this.#ports;
    await Promise.all([this.#jobs, this.#commands].map((it) => untilReady(it, START_TIMEOUT_MS)));
    const enqueuing = new Enqueuing({ redis: this.#jobs, keys: keysOf(prefix), clock });
    await enqueuing.look();
    return enqueuing;
  }

  async #work(enqueuing: Enqueuing, signal: AbortSignal): Promise<void> {
    const { prefix } = this.#ports;
    const keys = keysOf(prefix);
    const queues = new LaneQueues(this.#commands, prefix);
    const chores = this.#chores(enqueuing, new ChoreStore(this.#commands, keys, queues));
    const schedules = this.#schedules(enqueuing, new ScheduleStore(this.#commands, keys));
    await Promise.all([enqueuing.run(signal), schedules.run(signal), chores.run(signal)]);
    enqueuing.close();
    queues.close();
  }

  #schedules(enqueuing: Enqueuing, store: ScheduleStore): ScheduleRunner {
    const { clock, log, metrics } = this.#ports;
    return new ScheduleRunner({
      store,
      clock,
      log,
      enqueue: (request, terms) => enqueuing.enqueuer.enqueue(request, terms),
      registry: () => enqueuing.registry.document,
      onFired: (fired) => metrics.scheduleFired(fired),
      onLooked: (refused) => metrics.schedulesRefused(refused),
    });
  }

  #chores(enqueuing: Enqueuing, store: ChoreStore): Chores {
    const { clock, log, metrics } = this.#ports;
    const registry = () => enqueuing.registry.document;
    const shared = { store, clock, log, registry };
    return new Chores({
      clock,
      log,
      chores: [
        new RaiseOld({
          ...shared,
          prioritiesOf: (queue) => limitsFor(enqueuing.limits.limits, { queue }),
          onRaised: (queue, jobs) => metrics.raised(queue, jobs),
        }),
        new CleanSucceeded({
          ...shared,
          onMemory: (share) => metrics.memoryUsed(share),
          onCleaned: (jobs) => metrics.cleaned(jobs),
        }),
        new BoundHeld({
          ...shared,
          onRemoved: (queue, jobs) => metrics.quarantinedRemoved(queue, jobs),
          onParked: (queue, isBeyond) => metrics.parkedBeyond(queue, isBeyond),
        }),
        new SweepOpen({ ...shared, onSwept: (queue, jobs) => metrics.swept(queue, jobs) }),
      ],
      onFailed: (chore) => metrics.choreFailed(chore),
    });
  }
}
