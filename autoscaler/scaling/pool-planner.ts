/**
 * The memory of one pool's scaling between ticks: what was wanted lately, and so what may not be taken away yet.
 *
 * The judgement is in decide-*.ts; this only carries their state from one tick to the next. It has no clock and no
 * effects, so that the simulator runs the same code as the control loop.
 */
import type { PoolLane, PoolRelease } from "./decide-lane-owners.ts";
import { decideLaneSlots, type LaneObservation, type LaneSlotsDecision } from "./decide-lane-slots.ts";
import { decidePool, type PoolDecision, type PoolPolicy } from "./decide-pool.ts";
import { holdRecentMaximum, holdWindowMs, rememberWanted, type WantedAt } from "./decide-recent-maximum.ts";

export interface PlannedPolicy extends PoolPolicy {
  /** Promised time from due to taken, in milliseconds, > 0. */
  readonly pickupPromiseMs: number;
  /** What was wanted within this long is kept, in milliseconds. */
  readonly scaleInHoldMs: number;
}

/** One lane of the pool as it was measured. */
export interface SeenLane {
  readonly lane: string;
  readonly generation: number;
  readonly measured: Omit<LaneObservation, "observedAtMs" | "startDelayMs">;
}

export interface PoolSighting {
  /** Milliseconds of any clock that only rises. */
  readonly nowMs: number;
  readonly lanes: readonly SeenLane[];
  readonly releases: readonly PoolRelease[];
  /** From spawning a worker to its first heartbeat, in milliseconds. */
  readonly startDelayMs: number;
}

export interface SizedLane {
  readonly lane: PoolLane;
  readonly slots: LaneSlotsDecision;
}

export interface PoolPlan {
  readonly decision: PoolDecision;
  readonly sized: readonly SizedLane[];
}

export class PoolPlanner {
  readonly #policy: PlannedPolicy;
  #history: readonly WantedAt[] = [];

  constructor(policy: PlannedPolicy) {
    this.#policy = policy;
  }

  /** Sizes the pool, and remembers what was wanted. */
  plan({ nowMs, lanes, releases, startDelayMs }: PoolSighting): PoolPlan {
    const policy = this.#policy;
    const windowMs = holdWindowMs(policy.scaleInHoldMs, startDelayMs);
    const sized = lanes.map((seen) => sizedLane(seen, { nowMs, startDelayMs, policy }));
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
    return { decision, sized };
  }
}

interface Sizing {
  readonly nowMs: number;
  readonly startDelayMs: number;
  readonly policy: PlannedPolicy;
}

function sizedLane(
  { lane, generation, measured }: SeenLane,
  { nowMs, startDelayMs, policy }: Sizing,
): SizedLane {
  const { pickupPromiseMs } = policy;
  const slots = decideLaneSlots({ ...measured, observedAtMs: nowMs, startDelayMs }, { pickupPromiseMs });
  return {
    slots,
    lane: { lane, generation, slots: slots.slots, hasWork: slots.hasWork, terms: slots.terms },
  };
}
