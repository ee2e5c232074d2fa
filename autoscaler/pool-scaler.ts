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
import type { Freeze } from "#shared/scaling/overrides-document";
import { boundsInForce } from "#shared/scaling/resolve-overrides";
import type { PoolConfig, SluiceConfig } from "#shared/sluice-config";
import { carryOut } from "./fleet/carry-out.ts";
import type { FleetExecutor } from "./fleet/fleet-executor.ts";
import type { FleetSight } from "./fleet/fleet-sight.ts";
import type { WorkerHolds } from "./fleet/worker-holds.ts";
import type { Term } from "./leadership.ts";
import type { Observation } from "./observe.ts";
import type { PlannerMemory } from "./planner-memory.ts";
import { type Action, PoolRecords } from "./pool-record.ts";
import { seenLanes, seenLimits } from "./pool-sighting.ts";
import { addedUp, splitClamp, totalOf } from "./pool-split.ts";
import type { RolloutKeeper } from "./releases/rollout-keeper.ts";
import { decideFreeze } from "./scaling/decide-freeze.ts";
import type { PoolRelease } from "./scaling/decide-lane-owners.ts";
import type { LoadEstimates } from "./scaling/load-estimates.ts";
import type { PlannerState } from "./scaling/planner-state.ts";
import { type PoolPlan, PoolPlanner } from "./scaling/pool-planner.ts";
import { idleWorkers, seenReleases } from "./seen-releases.ts";
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
  readonly memory: Pick<PlannerMemory, "keep">;
  /** What the planner of the leader before remembered. */
  readonly remembered: PlannerState | undefined;
  /** As new as this round. */
  readonly overrides: Pick<ScalingOverridesFollower, "of">;
  readonly executor: Pick<FleetExecutor, "desired" | "stop">;
  readonly holds: Pick<WorkerHolds, "of">;
  readonly rollouts: Pick<RolloutKeeper, "releasesOf" | "step" | "isActive">;
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
    const pickupPromiseMs = config.queues[queue]?.pickupPromiseMs ?? 1;
    this.#planner = new PoolPlanner({ ...policy, pickupPromiseMs, tickMs }, ports.remembered);
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
    const { clock, startDelays, estimates, sight, decisions, config, term, rollouts, onDecision } =
      this.#ports;
    const own = fleet.of(this.queue);
    const parts = rollouts.releasesOf(this.queue, observation.document);
    const releases = seenReleases(observation, { queue: this.queue, config, parts });
    const overrides = this.#ports.overrides.of(this.queue, redisNowMs);
    const bounds = boundsInForce(this.#ports.policy, overrides.bounds);
    const plan = this.#planner.plan({
      nowMs: redisNowMs,
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
    const { desired, frozen, split } = await this.#numbers(plan, { observation, freeze, releases });
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
        plannedAtMs: redisNowMs,
        bounds,
        overrides,
        frozen,
        split,
      },
      { nowMs: clock.monotonicMs(), epoch: term.epoch },
    );
    this.#decisionId = record?.id ?? this.#decisionId;
    await this.#ports.memory.keep(this.queue, this.#planner.state, term.epoch);
    await this.#ports.desired.show(this.queue, { decisionId: this.#decisionId, desired }, term.epoch);
    if (record === null) return;
    onDecision(record);
    await decisions.record({ id: record.id, atMs: redisNowMs }, record, Object.keys(config.pools).length);
  }

  #carryOut(desired: Readonly<Record<string, number>>, workers: readonly WorkerView[]): Promise<Action[]> {
    const nextSequence = () => {
      this.#sequence += 1;
      return this.#sequence;
    };
    // What a lost worker may still hold, a rollout must not take for finished.
    const keepsUnheard = this.#ports.rollouts.isActive(this.queue);
    return carryOut(desired, workers, { ...this.#ports, nextSequence, keepsUnheard });
  }

  /** What there is to be: the plan, split as a rollout has it, or nothing new while the pool is frozen. */
  async #numbers(plan: PoolPlan, { observation, freeze, releases }: Numbers) {
    const { term, rollouts } = this.#ports;
    const { decision } = plan;
    const workersWanted = decision.appliedTotal;
    const split = await rollouts.step(this.queue, { observation, workersWanted, term });
    const frozen = freeze === null ? null : decideFreeze(decision, { pool: this.queue, freeze, releases });
    const idle = split === null ? {} : idleWorkers(observation.fleet.of(this.queue));
    const kept = frozen === null ? null : addedUp(frozen.desired, idle);
    const desired = kept ?? split?.desired ?? decision.desired;
    const taking = frozen?.desired ?? split?.taking;
    if (taking !== undefined) this.#planner.carriedOut(taking);
    this.#desiredWorkers = totalOf(taking ?? desired);
    return { frozen, desired, split: frozen === null ? splitClamp(split, workersWanted) : null };
  }
}

interface Numbers {
  readonly observation: Observation;
  readonly freeze: Freeze | null;
  readonly releases: readonly PoolRelease[];
}
