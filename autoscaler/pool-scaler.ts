/**
 * Sizes one pool: turns an observation into a decision, has it carried out, and keeps the record.
 *
 * The judgement is in scaling/decide-*.ts, the effects in fleet/carry-out.ts.
 */
import type { Clock } from "#shared/clock";
import type { FleetStore } from "#shared/redis/fleet-store";
import type { LoadStore } from "#shared/redis/load-store";
import { lanesReadBy } from "#shared/registry/decide-lane";
import type { PoolConfig, SluiceConfig } from "#shared/sluice-config";
import { carryOut } from "./fleet/carry-out.ts";
import type { FleetExecutor } from "./fleet/fleet-executor.ts";
import type { Observation } from "./observe.ts";
import { PoolRecords } from "./pool-record.ts";
import type { PoolRelease } from "./scaling/decide-lane-owners.ts";
import { PoolPlanner, type SeenLane } from "./scaling/pool-planner.ts";
import type { DecisionRecord, QueueView, WorkerView } from "./snapshot.ts";
import type { StartDelays } from "./start-delays.ts";

export interface PoolScalerPorts {
  readonly queue: string;
  readonly policy: PoolConfig;
  readonly config: SluiceConfig;
  readonly clock: Clock;
  readonly fleet: FleetStore;
  readonly load: LoadStore;
  readonly executor: FleetExecutor;
  readonly startDelays: StartDelays;
  readonly epoch: number;
  onDecision(record: DecisionRecord): void;
}

export class PoolScaler {
  readonly queue: string;
  readonly #ports: PoolScalerPorts;
  readonly #planner: PoolPlanner;
  readonly #records: PoolRecords;
  #workersSeen = 0;

  constructor(ports: PoolScalerPorts) {
    const { queue, policy, config } = ports;
    this.queue = queue;
    this.#ports = ports;
    this.#planner = new PoolPlanner({
      ...policy,
      pickupPromiseMs: config.queues[queue]?.pickupPromiseMs ?? 1,
    });
    this.#records = new PoolRecords(queue, config);
  }

  /** Whether the last look found no worker that takes jobs or soon will. */
  get hasNobody(): boolean {
    return this.#workersSeen === 0;
  }

  /** Takes note of who is there and changes nothing. */
  present({ snapshot }: Observation): void {
    this.#workersSeen = this.#own(snapshot.workers).filter(holdsPlace).length;
  }

  async scale(observation: Observation): Promise<void> {
    this.present(observation);
    const { snapshot } = observation;
    const queue = snapshot.queues.find((it) => it.queue === this.queue);
    if (queue === undefined) return;
    const { clock, startDelays, executor, load, epoch, onDecision } = this.#ports;
    const own = this.#own(snapshot.workers);
    const releases = this.#releases(observation);
    const plan = this.#planner.plan({
      nowMs: clock.nowMs(),
      lanes: seenLanes(queue, own),
      releases,
      startDelayMs: startDelays.estimate.startDelayMs,
    });
    const actions = await carryOut(plan.decision.desired, own, this.#ports);
    const blocked = releases.flatMap(({ release }) => executor.blocked(this.queue, release) ?? []);
    const record = this.#records.next(
      {
        plan,
        observedAt: snapshot.observedAt,
        queue,
        releases,
        actions,
        blocked,
        startDelay: startDelays.estimate,
      },
      { nowMs: clock.monotonicMs(), epoch },
    );
    if (record === null) return;
    onDecision(record);
    await load.recordDecision(record);
  }

  #releases({ document, snapshot }: Observation): PoolRelease[] {
    const own = this.#own(snapshot.workers);
    const lanes = snapshot.queues.find((it) => it.queue === this.queue)?.lanes ?? [];
    const startable = new Set(this.#ports.config.releases.map((it) => it.id));
    return Object.entries(document.releases).flatMap(([release, known]) => {
      const generation = known.queues[this.queue]?.generation;
      const workers = own.filter((it) => it.release === release);
      if (generation === undefined || (known.state === "retired" && workers.length === 0)) return [];
      return [
        {
          release,
          generation,
          readsGenerations: lanesReadBy(document, release, this.queue),
          trippedGenerations: lanes
            .filter(({ trips }) => trips.some((trip) => trip.release === release))
            .map((lane) => lane.generation),
          publishedOrder: known.order,
          // A release that the configuration cannot start must not be counted on.
          live: known.state === "live" && startable.has(release),
          workers: workers.filter(holdsPlace).length,
          draining: workers.filter((it) => it.state === "draining").length,
        },
      ];
    });
  }

  #own(workers: readonly WorkerView[]): WorkerView[] {
    return workers.filter((it) => it.queue === this.queue);
  }
}

function seenLanes({ lanes }: QueueView, workers: readonly WorkerView[]): SeenLane[] {
  return lanes.map((view) => {
    const ready = workers.filter((it) => it.state === "ok" && it.lanes.includes(view.lane));
    return {
      lane: view.lane,
      generation: view.generation,
      measured: {
        waiting: view.waiting,
        active: view.inFlight,
        dueSoon: view.dueSoon,
        oldestDueAgeMs: view.oldestDueAgeMs,
        arrivalRatePerSec: view.arrivalRatePerSec,
        serviceTimeMs: view.serviceTimeMs,
        readySlots: ready.reduce((total, it) => total + it.slots, 0),
      },
    };
  });
}

function holdsPlace({ state }: WorkerView): boolean {
  return state === "starting" || state === "ok" || state === "suspect" || state === "quarantined";
}
