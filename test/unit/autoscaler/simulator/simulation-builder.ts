/** Boring complete values for tests of the simulator. */
import type { PoolSight, ScalingPolicy } from "#autoscaler/simulator/scaling-policy";
import { FLEET_DEFAULTS, type FleetModel, type Simulation } from "#autoscaler/simulator/simulation";
import type { Workload } from "#autoscaler/simulator/workload";

/** Jobs as [arrival in seconds, duration in seconds]. */
export function workload(jobs: readonly (readonly [number, number])[], horizonSec = 600): Workload {
  return {
    arrivalsMs: Float64Array.from(jobs, ([atSec]) => atSec * 1_000),
    serviceMs: Float64Array.from(jobs, ([, sec]) => sec * 1_000),
    horizonMs: horizonSec * 1_000,
  };
}

/** Orders are heard at once, so that every moment can be told by hand. */
export function fleet(changes: Partial<FleetModel> = {}): FleetModel {
  return { ...FLEET_DEFAULTS, orderDelayMsMax: 0, ...changes };
}

export function policy(
  decide: ScalingPolicy["decide"],
  changes: Partial<Omit<ScalingPolicy, "decide">> = {},
): () => ScalingPolicy {
  return () => ({
    name: "test",
    tickMs: 5_000,
    scaleIn: "drain-idle-first",
    victimGraceMs: Number.POSITIVE_INFINITY,
    ...changes,
    decide,
  });
}

export function simulation(changes: Partial<Simulation> = {}): Simulation {
  return {
    workload: workload([[0, 10]]),
    policy: policy(() => 1),
    seed: 1,
    fleet: fleet(),
    pickupPromiseMs: 60_000,
    ...changes,
  };
}

export function sight(changes: Partial<PoolSight> = {}): PoolSight {
  return {
    nowMs: 0,
    waiting: 0,
    active: 0,
    dueSoon: 0,
    oldestDueAgeMs: null,
    arrivedTotal: 0,
    finishedTotal: 0,
    busyMsTotal: 0,
    startedTotal: 0,
    lateTotal: 0,
    readyWorkers: 0,
    startingWorkers: 0,
    drainingWorkers: 0,
    busySlots: 0,
    startDelayMs: 15_000,
    slotsPerWorker: 1,
    pickupPromiseMs: 60_000,
    ...changes,
  };
}

export const POLICY_OPTIONS = {
  seed: 1,
  workersMin: 0,
  workersMax: 1_000,
  slotsPerWorker: 1,
  pickupPromiseMs: 60_000,
} as const;
