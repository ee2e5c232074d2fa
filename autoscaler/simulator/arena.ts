/**
 * Lets policies play on one trace under the same conditions: the same jobs, seeds, start delay and first fleet.
 *
 * Every policy begins with the fleet that the first minute needs, because a trace begins in the middle of a life;
 * `cold` begins with none instead.
 */
import { demandOf } from "./demand.ts";
import { metricsOf, missesPercentOf, type RunMetrics, workerHoursOf } from "./metrics.ts";
import type { Outcome } from "./outcome.ts";
import type { PolicyFactory } from "./scaling-policy.ts";
import { simulate } from "./simulate.ts";
import { FLEET_DEFAULTS, type FleetModel } from "./simulation.ts";
import { sluicePolicy } from "./sluice-policy.ts";
import type { Trace } from "./trace-model.ts";
import { type Workload, type WorkloadTerms, workloadOf } from "./workload.ts";

export interface ArenaTerms {
  readonly trace: Trace;
  readonly pickupPromiseMs: number;
  /** Runs under seeds 1, 2, 3 and so on. */
  readonly seeds: number;
  readonly workload: Omit<WorkloadTerms, "seed">;
  readonly fleet?: Partial<FleetModel>;
  /** @default false */
  readonly cold?: boolean;
  /** Sluice as it is configured. The defaults when missing. */
  readonly sluice?: PolicyFactory;
}

/** One seed: its jobs, and what they would have needed. */
export interface Round {
  readonly seed: number;
  readonly workload: Workload;
  /** Workers by minute; see demand.ts. */
  readonly demand: Uint32Array;
}

/** A policy that may know the round, as the clairvoyant does. */
export type Player = (round: Round) => PolicyFactory;

export interface Standing {
  readonly policy: string;
  /** By seed. */
  readonly runs: readonly RunMetrics[];
}

/** Means over the seeds. */
export interface Price {
  readonly missesPercent: number;
  readonly workerHours: number;
}

export class Arena {
  readonly terms: ArenaTerms;
  readonly rounds: readonly Round[];
  readonly fleet: FleetModel;
  readonly sluice: PolicyFactory;

  constructor(terms: ArenaTerms) {
    this.terms = terms;
    this.sluice = terms.sluice ?? sluicePolicy;
    this.fleet = { ...FLEET_DEFAULTS, ...terms.fleet };
    const { trace, seeds, pickupPromiseMs } = terms;
    const { slotsPerWorker } = this.fleet;
    // A trace of requests with their durations is the same under every seed.
    const isFixed = trace.kind === "requests" && trace.serviceMs !== null;
    const rounds: Round[] = [];
    for (let seed = 1; seed <= seeds; seed += 1) {
      const workload = (isFixed && rounds[0]?.workload) || workloadOf(trace, { ...terms.workload, seed });
      const demand =
        (isFixed && rounds[0]?.demand) || demandOf(workload, { pickupPromiseMs, slotsPerWorker });
      rounds.push({ seed, workload, demand });
    }
    this.rounds = rounds;
  }

  /** One run, with everything that it leaves behind. */
  run(round: Round, player: Player, fleet: Partial<FleetModel> = {}): Outcome {
    const first = Math.max(round.demand[0] ?? 0, this.fleet.workersMin);
    return simulate({
      workload: round.workload,
      policy: player(round),
      seed: round.seed,
      fleet: { ...this.fleet, workersInitially: this.terms.cold === true ? 0 : first, ...fleet },
      pickupPromiseMs: this.terms.pickupPromiseMs,
    });
  }

  /** All the seeds, all the metrics. */
  play(policy: string, player: Player, fleet: Partial<FleetModel> = {}): Standing {
    const runs = this.rounds.map((round) => metricsOf(this.run(round, player, fleet), round.demand));
    return { policy, runs };
  }

  /**
   * Misses and hours only, for searches. `null` as soon as the misses of all the seeds together cannot be within the
   * limit any more, or the hours are clearly beyond theirs.
   */
  price(player: Player, limits: Price, { fleet = {}, rounds = this.rounds }: PriceTerms = {}): Price | null {
    const seeds = rounds.length;
    let [misses, hours, played] = [0, 0, 0];
    for (const round of rounds) {
      const outcome = this.run(round, player, fleet);
      misses += missesPercentOf(outcome) / seeds;
      hours += workerHoursOf(outcome) / seeds;
      played += 1;
      const isDear = played > 1 && (hours * seeds) / played > limits.workerHours * CLEARLY_DEARER;
      if (isDear || misses > limits.missesPercent + 1e-9) return null;
    }
    return hours > limits.workerHours ? null : { missesPercent: misses, workerHours: hours };
  }
}

export interface PriceTerms {
  readonly fleet?: Partial<FleetModel>;
  /** @default all */
  readonly rounds?: readonly Round[];
}

/** Seeds differ in price by a percent or two. */
const CLEARLY_DEARER = 1.05;
