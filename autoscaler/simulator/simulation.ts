/** What a run is given: jobs, a policy, and how workers behave. */
import type { PolicyFactory } from "./scaling-policy.ts";
import type { Workload } from "./workload.ts";

export interface FleetModel {
  readonly slotsPerWorker: number;
  /** Nobody goes beyond it, whatever the policy wants; draining workers do not count. */
  readonly workersMin: number;
  readonly workersMax: number;
  /** There and ready when the run begins. */
  readonly workersInitially: number;
  /** Mean time from a start to the first job taken. */
  readonly startDelayMs: number;
  /** Squared coefficient of variation of it: lognormal. 0: always the same. */
  readonly startDelayScv: number;
  /** In place of both: what a start at this moment takes, for replays of what was measured. */
  startDelayAt?(atMs: number): number;
  /** Share of the starts that end without a worker, 0 to 1. They are paid for until they fail. */
  readonly startFailureShare: number;
  /** Workers lost for no reason, with what they run, for each hour of a ready worker. */
  readonly crashesPerWorkerHour: number;
  /** A job whose worker was lost is due again after this long. */
  readonly leaseMs: number;
  /** An order reaches a worker with its next heartbeat: after up to this long. Not for `kill-*`. */
  readonly orderDelayMsMax: number;
  /** From the order to stop until the process has ended. */
  readonly stopDelayMs: number;
}

export const FLEET_DEFAULTS: FleetModel = {
  slotsPerWorker: 1,
  workersMin: 0,
  workersMax: 1_000,
  workersInitially: 0,
  startDelayMs: 15_000,
  startDelayScv: 0,
  startFailureShare: 0,
  crashesPerWorkerHour: 0,
  leaseMs: 30_000,
  orderDelayMsMax: 2_000,
  stopDelayMs: 0,
};

export interface Simulation {
  readonly workload: Workload;
  readonly policy: PolicyFactory;
  readonly seed: number;
  readonly fleet: FleetModel;
  readonly pickupPromiseMs: number;
  /** In place of the policy's own, for replays of compressed time. */
  readonly tickMs?: number;
}
