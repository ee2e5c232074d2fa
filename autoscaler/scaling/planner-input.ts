/**
 * What a pool's plan is made from: its policy, and what was measured at one look. Shapes only.
 *
 * Made by pool-sighting.ts from an observation, and by the simulator from its own; used by pool-planner.ts.
 */

import type { ForecastPolicy, LaneForecast } from "./decide-forecast.ts";
import type { PoolLane, PoolRelease } from "./decide-lane-owners.ts";
import type { LaneObservation, LaneSlotsDecision } from "./decide-lane-slots.ts";
import type { PoolPolicy } from "./decide-pool.ts";
import type { Posture } from "./decide-safety.ts";

export interface PlannedPolicy extends PoolPolicy {
  /** Promised time from due to taken, in milliseconds, > 0. */
  readonly pickupPromiseMs: number;
  /** What was wanted within this long is kept, in milliseconds. */
  readonly scaleInHoldMs: number;
  /**
   * How often the autoscaler looks, in milliseconds.
   * @default 5,000
   */
  readonly tickMs?: number;
  /** @default "balanced" */
  readonly posture?: Posture | undefined;
  /**
   * Share of jobs that may be late, above 0.
   * @default 0.01
   */
  readonly errorBudget?: number | undefined;
  /**
   * Workers started at most in one look, >= 1.
   * @default any number
   */
  readonly stepMax?: number | undefined;
  /**
   * Jobs that what the jobs call can serve at once, >= 1.
   * @default no such bound
   */
  readonly downstreamSlotsMax?: number | undefined;
  /**
   * What becomes of forecasts of the arrivals.
   * @default "shadow"
   */
  readonly forecast?: ForecastPolicy | undefined;
}

/** One lane of the pool as it was measured. */
export interface SeenLane {
  readonly lane: string;
  readonly generation: number;
  readonly measured: Pick<
    LaneObservation,
    | "waiting"
    | "active"
    | "dueSoon"
    | "oldestDueAgeMs"
    | "arrivalRatePerSec"
    | "serviceTimeMs"
    | "readySlots"
    | "freeSlots"
  > & {
    /** Jobs accepted into the lane ever; `null` or missing: not known. */
    readonly arrivedTotal?: number | null;
  };
}

export interface PoolSighting {
  /** Milliseconds of any clock that only rises. */
  readonly nowMs: number;
  readonly lanes: readonly SeenLane[];
  readonly releases: readonly PoolRelease[];
  /** From spawning a worker to its first heartbeat, in milliseconds. */
  readonly startDelayMs: number;
  /** Bounds that hold now; the policy's when they are left out. */
  readonly bounds?: Pick<PoolPolicy, "workersMin" | "workersMax">;
  /** Jobs of the pool started ever, and those of them that were late; `null` or missing: not known. */
  readonly startedTotal?: number | null;
  readonly lateTotal?: number | null;
  /** `closed`: admission refuses jobs for want of Redis memory. `null` or missing: not known. */
  readonly redisMemory?: "open" | "closed" | null;
  /** How many more workers the machine has memory for; `null` or missing: not known. */
  readonly roomForWorkers?: number | null;
  /** Lanes whose jobs wait for something that is down. */
  readonly breakersOpen?: readonly string[];
}

export interface SizedLane {
  readonly lane: PoolLane;
  readonly slots: LaneSlotsDecision;
  /** `null`: none was made. */
  readonly forecast: LaneForecast | null;
}
