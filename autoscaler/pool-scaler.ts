/**
 * Sizes one pool: turns an observation into a decision, carries it out, and keeps the record.
 *
 * Effects only; the judgement is in scaling/decide-*.ts. Orders go to workers through Redis and are
 * obeyed with their next heartbeat; processes are started and stopped by the executor alone.
 */
import type { Clock } from "#shared/clock";
import type { FleetStore } from "#shared/redis/fleet-store";
import type { LoadStore } from "#shared/redis/load-store";
import { lanesReadBy } from "#shared/registry/decide-lane";
import type { PoolConfig, SluiceConfig } from "#shared/sluice-config";
import { fromRfc3339 } from "#shared/system-clock";
import type { FleetExecutor } from "./fleet/fleet-executor.ts";
import type { Observation } from "./observe.ts";
import type { PoolLane, PoolRelease } from "./scaling/decide-lane-owners.ts";
import { decideLaneSlots, type LaneSlotsDecision } from "./scaling/decide-lane-slots.ts";
import { decideLeavers, type FleetWorker } from "./scaling/decide-leavers.ts";
import { decidePool, type PoolDecision } from "./scaling/decide-pool.ts";
import {
  holdRecentMaximum,
  holdWindowMs,
  rememberWanted,
  type WantedAt,
} from "./scaling/decide-recent-maximum.ts";
import type { DecisionRecord, QueueView, WorkerView } from "./snapshot.ts";
import type { StartDelays } from "./start-delays.ts";

/** A decision that repeats the last one with nothing to do is recorded this often. */
const REPEAT_RECORD_MS = 60_000;

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

type Action = DecisionRecord["actions"][number];

export class PoolScaler {
  readonly queue: string;
  readonly #ports: PoolScalerPorts;
  #history: readonly WantedAt[] = [];
  #workersSeen = 0;
  #number = 0;
  #recorded: { readonly atMs: number; readonly gist: string } | null = null;

  constructor(ports: PoolScalerPorts) {
    this.queue = ports.queue;
    this.#ports = ports;
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
    const queue = observation.snapshot.queues.find((it) => it.queue === this.queue);
    if (queue === undefined) return;
    const { clock, policy, startDelays } = this.#ports;
    const nowMs = clock.nowMs();
    const windowMs = holdWindowMs(policy.scaleInHoldMs, startDelays.estimate.startDelayMs);
    const sized = this.#sizedLanes(queue, observation, nowMs);
    const releases = this.#releases(observation);
    const decision = decidePool(
      {
        observedAtMs: nowMs,
        lanes: sized.map(({ lane }) => lane),
        releases,
        recent: holdRecentMaximum(this.#history, nowMs, windowMs),
      },
      policy,
    );
    this.#history = rememberWanted(this.#history, { atMs: nowMs, byRelease: decision.toRemember }, windowMs);
    const actions = await this.#act(decision, observation);
    await this.#record(decision, { observation, queue, sized, releases, actions, nowMs });
  }

  #sizedLanes(queue: QueueView, { snapshot }: Observation, nowMs: number): SizedLaneView[] {
    const { config, startDelays } = this.#ports;
    const pickupPromiseMs = config.queues[this.queue]?.pickupPromiseMs ?? 1;
    return queue.lanes.map((view) => {
      const ready = this.#own(snapshot.workers).filter(
        (it) => it.state === "ok" && it.lanes.includes(view.lane),
      );
      const slots = decideLaneSlots(
        {
          observedAtMs: nowMs,
          waiting: view.waiting,
          active: view.inFlight,
          dueSoon: view.dueSoon,
          oldestDueAgeMs: view.oldestDueAgeMs,
          arrivalRatePerSec: view.arrivalRatePerSec,
          serviceTimeMs: view.serviceTimeMs,
          readySlots: ready.reduce((total, it) => total + it.slots, 0),
          startDelayMs: startDelays.estimate.startDelayMs,
        },
        { pickupPromiseMs },
      );
      const { lane, generation } = view;
      return {
        slots,
        lane: { lane, generation, slots: slots.slots, hasWork: slots.hasWork, terms: slots.terms },
      };
    });
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

  async #act(decision: PoolDecision, observation: Observation): Promise<Action[]> {
    const actions: Action[] = [];
    const own = this.#own(observation.snapshot.workers);
    const releases = new Set([...Object.keys(decision.desired), ...own.map((it) => it.release)]);
    for (const release of releases) {
      const workers = own.filter((it) => it.release === release).map(fleetWorker);
      const plan = decideLeavers({ desired: decision.desired[release] ?? 0, workers });
      actions.push(...(await this.#carryOut(release, plan)));
    }
    return actions;
  }

  async #carryOut(release: string, plan: ReturnType<typeof decideLeavers>): Promise<Action[]> {
    const { executor, fleet, epoch } = this.#ports;
    const actions: Action[] = [];
    for (const worker of plan.undrain) {
      await fleet.order(worker, { epoch, order: "run" });
      actions.push({ act: "undrain", release, worker });
    }
    for (const worker of plan.drain) {
      await fleet.order(worker, { epoch, order: "drain" });
      actions.push({ act: "drain", release, worker });
    }
    for (const worker of plan.stop) {
      executor.stop(worker);
      actions.push({ act: "stop", release, worker });
    }
    for (const worker of plan.forget) {
      await fleet.deregister(worker);
      actions.push({ act: "forget", release, worker });
    }
    for (let started = 0; started < plan.start; started += 1) {
      if (executor.blocked(this.queue, release) !== null) break;
      actions.push({ act: "start", release, worker: executor.start(this.queue, release) });
    }
    return actions;
  }

  async #record(decision: PoolDecision, facts: RecordFacts): Promise<void> {
    const { clock, load, onDecision, executor } = this.#ports;
    const blocked = facts.releases.flatMap(({ release }) => executor.blocked(this.queue, release) ?? []);
    const gist = JSON.stringify([decision.desired, decision.reason, decision.orphanLanes, blocked]);
    const hasWork = facts.sized.some(({ lane }) => lane.hasWork);
    const repeats = this.#recorded?.gist === gist && facts.actions.length === 0 && !hasWork;
    const sinceMs = clock.monotonicMs() - (this.#recorded?.atMs ?? Number.NEGATIVE_INFINITY);
    if (repeats && sinceMs < REPEAT_RECORD_MS) return;
    this.#recorded = { atMs: clock.monotonicMs(), gist };
    this.#number += 1;
    const record = this.#recordOf(decision, facts, blocked);
    onDecision(record);
    await load.recordDecision(record);
  }

  #recordOf(decision: PoolDecision, facts: RecordFacts, blocked: readonly string[]): DecisionRecord {
    const { policy, config, startDelays, epoch } = this.#ports;
    const { observation, queue, sized, releases, actions } = facts;
    return {
      id: `${epoch}-${this.#number}`,
      at: observation.snapshot.observedAt,
      queue: this.queue,
      kind: decision.kind,
      reason: decision.reason,
      sentence: [decision.sentence, ...blocked].join(" "),
      present: Object.fromEntries(releases.map((it) => [it.release, it.workers])),
      wanted: decision.wanted,
      desired: decision.desired,
      limitedBy: decision.limitedBy,
      actions,
      inputs: {
        lanes: queue.lanes,
        slots: Object.fromEntries(sized.map(({ lane, slots }) => [lane.lane, slots])),
        orphanLanes: decision.orphanLanes,
        releases,
        startDelay: startDelays.estimate,
        pickupPromiseMs: config.queues[this.queue]?.pickupPromiseMs ?? null,
        policy,
      },
    };
  }

  #own(workers: readonly WorkerView[]): WorkerView[] {
    return workers.filter((it) => it.queue === this.queue);
  }
}

interface SizedLaneView {
  readonly lane: PoolLane;
  readonly slots: LaneSlotsDecision;
}

interface RecordFacts {
  readonly observation: Observation;
  readonly queue: QueueView;
  readonly sized: readonly SizedLaneView[];
  readonly releases: readonly PoolRelease[];
  readonly actions: readonly Action[];
  readonly nowMs: number;
}

function holdsPlace({ state }: WorkerView): boolean {
  return state === "starting" || state === "ok" || state === "suspect" || state === "quarantined";
}

function fleetWorker(worker: WorkerView): FleetWorker {
  const draining = worker.state === "draining";
  return {
    workerId: worker.worker,
    // A quarantined worker takes nothing and is kept for a person to look at: it holds its place.
    state: worker.state === "quarantined" ? "suspect" : worker.state,
    busy: worker.busy,
    startedAtMs: fromRfc3339(worker.startedAt) ?? 0,
    drained: draining && worker.busy === 0 && worker.reason === "ordered-to-drain",
  };
}
