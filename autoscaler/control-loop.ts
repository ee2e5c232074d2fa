/**
 * Observe, estimate, decide, act, record; every tick, and at once when it is woken. A standby observes and
 * estimates too, so that it knows the load when it has to lead; it does no more.
 *
 * All the effects and none of the judgement: how many workers is `decidePool`'s alone, who leaves is
 * `decideLeavers`'. A failed round changes nothing, and the first round after one only looks while a worker is
 * silent: a fleet that was cut off with us needs a moment to be heard of again.
 */
import type { Clock } from "#shared/clock";
import type { Log } from "#shared/log";
import type { DecisionStore } from "#shared/redis/decision-store";
import type { DesiredStore } from "#shared/redis/desired-store";
import type { FleetStore } from "#shared/redis/fleet-store";
import type { LoadStore } from "#shared/redis/load-store";
import type { ScalingOverridesFollower } from "#shared/redis/scaling-overrides-store";
import type { PoolConfig, SluiceConfig } from "#shared/sluice-config";
import { fromRfc3339 } from "#shared/system-clock";
import { EarlyWake } from "./early-wake.ts";
import type { FleetExecutor } from "./fleet/fleet-executor.ts";
import type { FleetSight } from "./fleet/fleet-sight.ts";
import { NoExecutor } from "./fleet/no-executor.ts";
import type { WorkerHolds } from "./fleet/worker-holds.ts";
import type { RunningWorker } from "./fleet/worker-roster.ts";
import type { Term } from "./leadership.ts";
import type { Observation, Observer } from "./observe.ts";
import type { PlannerMemory } from "./planner-memory.ts";
import { type FleetOrders, PoolScaler } from "./pool-scaler.ts";
import type { ReleaseList } from "./releases/release-list.ts";
import type { RolloutKeeper } from "./releases/rollout-keeper.ts";
import type { LaneRetirer } from "./retirement/lane-retirer.ts";
import type { LoadEstimates } from "./scaling/load-estimates.ts";
import type { DecisionRecord } from "./snapshot.ts";
import type { StartDelays } from "./start-delays.ts";

/** Shortest time between two rounds, however many jobs announce themselves. */
const ROUND_MS_MIN = 200;

/** From a round that failed, or only looked, to the next. */
const AGAIN_MS = 1_000;

/** Long enough for a worker that was cut off with us to be heard of: to connect anew, and to beat. */
const SILENT_MS = 4_000;

/** The proof of life outlasts a few missed rounds. */
const ALIVE_MS = 30_000;
const ALIVE_TICKS = 3;

export interface ControlLoopPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly config: SluiceConfig;
  readonly observer: Observer;
  readonly fleet: FleetStore;
  readonly load: LoadStore;
  readonly decisions: Pick<DecisionStore, "record">;
  readonly desired: Pick<DesiredStore, "show">;
  readonly memory: Pick<PlannerMemory, "recall" | "keep">;
  readonly overrides: Pick<ScalingOverridesFollower, "refresh" | "of">;
  readonly executor: Pick<FleetExecutor, "desired" | "stop">;
  readonly holds: Pick<WorkerHolds, "heed" | "of">;
  readonly rollouts: Pick<
    RolloutKeeper,
    "refresh" | "paceMs" | "releasesOf" | "step" | "isActive" | "standBy"
  >;
  readonly releaseList: Pick<ReleaseList, "look">;
  readonly sight: FleetSight;
  readonly leadership: { readonly term: Term | null; readonly calm: boolean };
  readonly startDelays: StartDelays;
  readonly estimates: LoadEstimates;
  readonly laneRetirer: Pick<LaneRetirer, "see">;
  /** Name of this machine, as workers report it. */
  readonly host: string;
  /** How often it looks, in milliseconds. */
  readonly tickMs: number;
  /** Takes over a worker of this machine that the executor does not know. */
  adopt(worker: RunningWorker): void;
  /** What is to be done at the beginning of a term, and when the configured releases have changed. */
  onTerm(observation: Observation): Promise<void>;
  onDecision(record: DecisionRecord): void;
  onObservation(observation: Observation): void;
}

export class ControlLoop {
  readonly #ports: ControlLoopPorts;
  readonly #early: EarlyWake;
  /** Of the term that this process leads in; a new term begins with what the one before remembered. */
  #pools: readonly PoolScaler[] = [];
  #term: Term | null = null;
  #wake = new AbortController();
  #justFailed = true;

  constructor(ports: ControlLoopPorts) {
    this.#ports = ports;
    this.#early = new EarlyWake({ ...ports, wake: () => this.wake() });
  }

  /** Begins the next round now, or as soon as the one in progress has ended. */
  wake(): void {
    this.#wake.abort();
  }

  /** A job has come to `queue`: do not wait for the tick when its pool must grow before. */
  enqueued(queue: string): void {
    if (this.#ports.leadership.term !== null) this.#early.enqueued(queue);
  }

  /** Resolves once `signal` aborts and the round in progress has ended. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, tickMs } = this.#ports;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      const startedMs = clock.monotonicMs();
      let lookAgain = false;
      try {
        lookAgain = await this.#round();
        this.#justFailed = false;
      } catch (error) {
        this.#justFailed = true;
        log.warn({ err: error }, "round failed; the fleet stays as it is");
      }
      const tookMs = clock.monotonicMs() - startedMs;
      const nextMs = lookAgain ? SILENT_MS : Math.min(tickMs, this.#paceMs()) - tookMs;
      const waitMs = this.#justFailed ? AGAIN_MS : nextMs;
      await clock.sleep(ROUND_MS_MIN, signal);
      await clock.sleep(Math.max(0, waitMs - ROUND_MS_MIN), AbortSignal.any([signal, this.#wake.signal]));
    }
  }

  /** Answers whether the next round shall come soon. */
  async #round(): Promise<boolean> {
    const { observer, load, startDelays, sight, laneRetirer, leadership, tickMs } = this.#ports;
    await load.showAutoscaler(Math.max(ALIVE_MS, ALIVE_TICKS * tickMs));
    const isListChanged = await this.#ports.releaseList.look();
    const observation = await observer.look();
    this.#ports.onObservation(observation);
    startDelays.see(observation, sight.workers());
    this.#adoptLocal(observation);
    const { term } = leadership;
    if (term === null || term.over.aborted) {
      this.#term = null;
      this.#ports.rollouts.standBy();
      this.#early.looked(observation, this.#wanted());
      return false;
    }
    await this.#begin(term, observation, isListChanged);
    if (this.#justFailed && !leadership.calm && hasSilent(observation, sight)) {
      this.#early.looked(observation, this.#wanted());
      return true;
    }
    term.require();
    await this.#ports.overrides.refresh();
    await this.#ports.holds.heed(observation.snapshot, term);
    await this.#ports.rollouts.refresh();
    await laneRetirer.see(observation);
    for (const pool of this.#pools) await pool.scale(observation);
    this.#early.looked(observation, this.#wanted());
    return false;
  }

  async #begin(term: Term, observation: Observation, isListChanged: boolean): Promise<void> {
    const { onTerm, config, memory } = this.#ports;
    if (this.#term !== term || isListChanged) await onTerm(observation);
    if (this.#term === term) return;
    const recalled = await memory.recall();
    this.#pools = Object.entries(config.pools).map(([queue, policy]) => {
      const own = { queue, policy, term, remembered: recalled.get(queue) };
      return new PoolScaler({ ...this.#ports, ...this.#handsOf(policy), ...own });
    });
    this.#term = term;
  }

  /** What acts on a pool: nothing of ours where something else starts and stops its workers. */
  #handsOf({ executor }: PoolConfig): Pick<ControlLoopPorts, "executor"> & { readonly fleet: FleetOrders } {
    if (executor !== "external") return this.#ports;
    return {
      executor: new NoExecutor(),
      fleet: { order: async () => undefined, forget: async () => undefined },
    };
  }

  /** What a rollout waits for is looked at sooner than with the tick. */
  #paceMs(): number {
    const { leadership, rollouts } = this.#ports;
    const paceMs = leadership.term === null ? null : rollouts.paceMs;
    return paceMs ?? Number.POSITIVE_INFINITY;
  }

  #wanted(): ReadonlyMap<string, number> {
    return new Map(this.#pools.map((it) => [it.queue, it.desiredWorkers]));
  }

  /** Takes over workers of this machine that were started by an autoscaler before this one. */
  #adoptLocal({ snapshot }: Observation): void {
    const { sight, config, adopt } = this.#ports;
    const known = new Set(sight.workers().map((it) => it.workerId));
    for (const worker of snapshot.workers) {
      const mine = worker.host === this.#ports.host && worker.pid !== null && worker.queue in config.pools;
      if (!mine || worker.pid === null || known.has(worker.worker) || worker.state === "dead") continue;
      adopt({
        workerId: worker.worker,
        release: worker.release,
        queue: worker.queue,
        startedAtMs: fromRfc3339(worker.startedAt) ?? 0,
        pid: worker.pid,
      });
    }
  }
}

/** Whether a worker may be well that was not heard of for a while. */
function hasSilent({ snapshot }: Observation, sight: FleetSight): boolean {
  const silent = snapshot.workers.filter(({ state }) => state === "suspect" || state === "dead");
  return silent.some(({ worker }) => !sight.hasEnded(worker));
}
