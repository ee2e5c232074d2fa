/**
 * Sizes one pool: turns an observation into a decision, has it carried out, and keeps the record.
 *
 * The judgement is in scaling/decide-*.ts, the effects in fleet/carry-out.ts.
 */
import type { Clock } from "#shared/clock";
import type { DecisionStore } from "#shared/redis/decision-store";
import type { DesiredStore } from "#shared/redis/desired-store";
import type { FleetStore } from "#shared/redis/fleet-store";
import type { ScalingOverridesFollower } from "#shared/redis/scaling-overrides-store";
import { lanesReadBy } from "#shared/registry/decide-lane";
import { boundsInForce } from "#shared/scaling/resolve-overrides";
import type { PoolConfig, SluiceConfig } from "#shared/sluice-config";
import { carryOut } from "./fleet/carry-out.ts";
import type { FleetExecutor } from "./fleet/fleet-executor.ts";
import type { FleetSight } from "./fleet/fleet-sight.ts";
import type { Term } from "./leadership.ts";
import type { Observation } from "./observe.ts";
import { type Action, PoolRecords } from "./pool-record.ts";
import { freeSlotsOf, seenLanes, seenLimits } from "./pool-sighting.ts";
import { decideFreeze } from "./scaling/decide-freeze.ts";
import type { PoolRelease } from "./scaling/decide-lane-owners.ts";
import type { LoadEstimates } from "./scaling/load-estimates.ts";
import { PoolPlanner } from "./scaling/pool-planner.ts";
import type { DecisionRecord, WorkerView } from "./snapshot.ts";
import type { StartDelays } from "./start-delays.ts";

export type FleetOrders = Pick<FleetStore, "order" | "forget">;

export interface PoolScalerPorts {
  readonly queue: string;
  readonly policy: PoolConfig;
  readonly config: SluiceConfig;
  readonly clock: Clock;
  readonly fleet: FleetOrders;
  readonly decisions: Pick<DecisionStore, "record">;
  readonly desired: Pick<DesiredStore, "show">;
  /** As new as this round. */
  readonly overrides: Pick<ScalingOverridesFollower, "of">;
  readonly executor: Pick<FleetExecutor, "desired" | "stop">;
  readonly sight: FleetSight;
  readonly startDelays: StartDelays;
  readonly estimates: LoadEstimates;
  /** In which it decides. */
  readonly term: Term;
  /** How often the autoscaler looks. */
  readonly tickMs: number;
  onDecision(record: DecisionRecord): void;
}

export class PoolScaler {
  readonly queue: string;
  readonly #ports: PoolScalerPorts;
  readonly #planner: PoolPlanner;
  readonly #records: PoolRecords;
  #desiredWorkers = 0;
  /** The last one that a record was kept of. */
  #decisionId: string | null = null;
  #sequence = 0;

  constructor(ports: PoolScalerPorts) {
    const { queue, policy, config, tickMs } = ports;
    this.queue = queue;
    this.#ports = ports;
    this.#planner = new PoolPlanner({
      ...policy,
      pickupPromiseMs: config.queues[queue]?.pickupPromiseMs ?? 1,
      tickMs,
    });
    this.#records = new PoolRecords(queue, config);
  }

  /** Workers that the last decision asks for, all releases together. */
  get desiredWorkers(): number {
    return this.#desiredWorkers;
  }

  async scale(observation: Observation): Promise<void> {
    const { snapshot, fleet, redisNowMs } = observation;
    const queue = snapshot.queues.find((it) => it.queue === this.queue);
    if (queue === undefined) return;
    const { clock, startDelays, estimates, sight, decisions, config, term, onDecision } = this.#ports;
    const own = fleet.of(this.queue);
    const releases = this.#releases(observation);
    const overrides = this.#ports.overrides.of(this.queue, redisNowMs);
    const bounds = boundsInForce(this.#ports.policy, overrides.bounds);
    const plannedAtMs = clock.nowMs();
    const plan = this.#planner.plan({
      nowMs: plannedAtMs,
      lanes: seenLanes(queue, { fleet, estimates }),
      releases,
      startDelayMs: startDelays.estimate.startDelayMs,
      bounds,
      ...seenLimits(queue, {
        estimates,
        memory: snapshot.memory,
        roomForWorkers: sight.roomForWorkers(this.queue),
      }),
    });
    const { freeze } = overrides;
    const frozen =
      freeze === null ? null : decideFreeze(plan.decision, { pool: this.queue, freeze, releases });
    const desired = frozen?.desired ?? plan.decision.desired;
    const actions = await this.#carryOut(desired, own);
    const blocked = releases.flatMap(({ release }) => sight.blocked(this.queue, release) ?? []);
    const record = this.#records.next(
      {
        plan,
        observedAt: snapshot.observedAt,
        queue,
        releases,
        actions,
        blocked,
        startDelay: startDelays.estimate,
        plannedAtMs,
        bounds,
        overrides,
        frozen,
      },
      { nowMs: clock.monotonicMs(), epoch: term.epoch },
    );
    this.#decisionId = record?.id ?? this.#decisionId;
    await this.#ports.desired.show(this.queue, { decisionId: this.#decisionId, desired }, term.epoch);
    if (record === null) return;
    onDecision(record);
    await decisions.record({ id: record.id, atMs: redisNowMs }, record, Object.keys(config.pools).length);
  }

  #carryOut(desired: Readonly<Record<string, number>>, workers: readonly WorkerView[]): Promise<Action[]> {
    this.#desiredWorkers = Object.values(desired).reduce((sum, it) => sum + it, 0);
    const nextSequence = () => {
      this.#sequence += 1;
      return this.#sequence;
    };
    return carryOut(desired, workers, { ...this.#ports, nextSequence });
  }

  #releases({ document, snapshot, fleet }: Observation): PoolRelease[] {
    const own = fleet.of(this.queue);
    const lanes = snapshot.queues.find((it) => it.queue === this.queue)?.lanes ?? [];
    const startable = new Set(this.#ports.config.releases.map((it) => it.id));
    return Object.entries(document.releases).flatMap(([release, known]) => {
      const generation = known.queues[this.queue]?.generation;
      if (generation === undefined) return [];
      const workers = own.filter((it) => it.release === release);
      if (known.state === "retired" && workers.length === 0) return [];
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
          starting: workers.filter((it) => it.state === "starting").length,
          freeSlots: freeSlotsOf(workers),
          draining: workers.filter((it) => it.state === "draining").length,
        },
      ];
    });
  }
}

function holdsPlace({ state }: WorkerView): boolean {
  return state === "starting" || state === "ok" || state === "suspect" || state === "quarantined";
}
