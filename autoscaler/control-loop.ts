/**
 * Observe, estimate, decide, act, record; every five seconds, and at once when a job comes to a queue
 * that has no worker.
 *
 * All the effects and none of the judgement: how many workers is `decidePool`'s alone, who leaves is
 * `decideLeavers`'. A failed round changes nothing, and the first round after one only looks: a fleet
 * that was cut off with us needs a moment to be heard of again.
 */
import type { Clock } from "#shared/clock";
import type { Log } from "#shared/log";
import type { FleetStore } from "#shared/redis/fleet-store";
import type { LoadStore } from "#shared/redis/load-store";
import type { SluiceConfig } from "#shared/sluice-config";
import { fromRfc3339 } from "#shared/system-clock";
import type { FleetExecutor } from "./fleet/fleet-executor.ts";
import type { Observation, Observer } from "./observe.ts";
import { PoolScaler } from "./pool-scaler.ts";
import type { LaneRetirer } from "./retirement/lane-retirer.ts";
import { TICK_MS } from "./scaling/decide-lane-slots.ts";
import type { LoadEstimates } from "./scaling/load-estimates.ts";
import type { DecisionRecord } from "./snapshot.ts";
import type { StartDelays } from "./start-delays.ts";

/** Shortest time between two rounds, however many jobs announce themselves. */
const ROUND_MS_MIN = 200;

/** The proof of life outlasts a few missed rounds. */
const ALIVE_MS = 30_000;

export interface ControlLoopPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly config: SluiceConfig;
  readonly observer: Observer;
  readonly fleet: FleetStore;
  readonly load: LoadStore;
  readonly executor: FleetExecutor;
  readonly estimates: LoadEstimates;
  readonly startDelays: StartDelays;
  readonly laneRetirer: Pick<LaneRetirer, "see">;
  /** Name of this machine, as workers report it. */
  readonly host: string;
  /** Fences the orders of an earlier autoscaler. */
  readonly epoch: number;
  onDecision(record: DecisionRecord): void;
  onObservation(observation: Observation): void;
}

export class ControlLoop {
  readonly #ports: ControlLoopPorts;
  readonly #pools: readonly PoolScaler[];
  #wake = new AbortController();
  #justFailed = true;
  /** Queues of the registry: the gates ask for the load of those without a pool too. */
  #queues: readonly string[] = [];

  constructor(ports: ControlLoopPorts) {
    this.#ports = ports;
    this.#pools = Object.entries(ports.config.pools).map(
      ([queue, policy]) => new PoolScaler({ ...ports, queue, policy }),
    );
  }

  /** A job has come to `queue`: do not wait for the tick when nobody is there to take it. */
  enqueued(queue: string): void {
    const pool = this.#pools.find((it) => it.queue === queue);
    if (pool?.hasNobody === true) this.#wake.abort();
  }

  /** Resolves once `signal` aborts and the round in progress has ended. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#ports;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      const startedMs = clock.monotonicMs();
      try {
        await this.#round();
        this.#justFailed = false;
      } catch (error) {
        this.#justFailed = true;
        log.warn({ err: error }, "round failed; the fleet stays as it is");
      }
      const tookMs = clock.monotonicMs() - startedMs;
      const waitMs = this.#justFailed ? 1_000 : TICK_MS - tookMs;
      await clock.sleep(ROUND_MS_MIN, signal);
      await clock.sleep(Math.max(0, waitMs - ROUND_MS_MIN), AbortSignal.any([signal, this.#wake.signal]));
    }
  }

  async #round(): Promise<void> {
    const { observer, load, estimates, startDelays, executor, laneRetirer, onObservation } = this.#ports;
    await load.showAutoscaler(ALIVE_MS);
    for (const queue of new Set([...this.#pools.map((it) => it.queue), ...this.#queues])) {
      const [arrivals, service] = await Promise.all([load.arrivals(queue), load.service(queue)]);
      estimates.read(queue, { readAtMs: this.#ports.clock.monotonicMs(), arrivals, service });
    }
    const observation = await observer.look();
    this.#queues = observation.snapshot.queues.map((it) => it.queue);
    onObservation(observation);
    await laneRetirer.see(observation);
    startDelays.see(observation, executor.workers());
    this.#adoptLocal(observation);
    if (this.#justFailed) {
      for (const pool of this.#pools) pool.present(observation);
      return;
    }
    for (const pool of this.#pools) await pool.scale(observation);
  }

  /** Takes over workers of this machine that were started by an autoscaler before this one. */
  #adoptLocal({ snapshot }: Observation): void {
    const { executor, config } = this.#ports;
    const known = new Set(executor.workers().map((it) => it.workerId));
    for (const worker of snapshot.workers) {
      const mine = worker.host === this.#ports.host && worker.pid !== null && worker.queue in config.pools;
      if (!mine || worker.pid === null || known.has(worker.worker) || worker.state === "dead") continue;
      executor.adopt({
        workerId: worker.worker,
        release: worker.release,
        queue: worker.queue,
        startedAtMs: fromRfc3339(worker.startedAt) ?? 0,
        pid: worker.pid,
      });
    }
  }
}
