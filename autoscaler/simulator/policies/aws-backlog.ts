/**
 * Target tracking on the backlog per instance, as AWS describes it for SQS and Auto Scaling, as a baseline.
 *
 * The target is the promised time over the mean duration of a job. The metric comes once a minute; three of
 * three above the target grow the fleet in proportion, fifteen of fifteen below 90 % of it shrink it. Jobs in
 * flight do not count.
 */
import type { PolicyFactory, PoolSight, ScalingPolicy } from "../scaling-policy.ts";

const PERIOD_MS = 60_000;
const OUT_PERIODS = 3;
const IN_PERIODS = 15;
const IN_SHARE = 0.9;

export const awsBacklogPolicy: PolicyFactory = ({ workersMin, workersMax, slotsPerWorker }) =>
  new AwsBacklog(Math.max(1, workersMin), workersMax, slotsPerWorker);

class AwsBacklog implements ScalingPolicy {
  readonly name = "AWS backlog per instance";
  readonly tickMs = PERIOD_MS;
  readonly scaleIn = "kill-random";
  readonly victimGraceMs = 30_000;
  readonly #min: number;
  readonly #max: number;
  readonly #slots: number;
  /** Metric over target, newest last. */
  #ratios: number[] = [];

  constructor(min: number, max: number, slots: number) {
    this.#min = min;
    this.#max = max;
    this.#slots = slots;
  }

  decide(sight: PoolSight): number {
    const instances = sight.readyWorkers + sight.startingWorkers;
    if (instances < this.#min) return this.#min;
    if (sight.finishedTotal === 0) return instances;
    const serviceMs = sight.busyMsTotal / sight.finishedTotal;
    const target = Math.max(1, sight.pickupPromiseMs / serviceMs) * this.#slots;
    this.#ratios = [...this.#ratios, sight.waiting / instances / target].slice(-IN_PERIODS);
    return this.#within(instances);
  }

  #within(instances: number): number {
    const [newest = 0] = this.#ratios.slice(-1);
    const grows =
      this.#ratios.length >= OUT_PERIODS && this.#ratios.slice(-OUT_PERIODS).every((it) => it > 1);
    const shrinks = this.#ratios.length === IN_PERIODS && this.#ratios.every((it) => it < IN_SHARE);
    if (!grows && !shrinks) return instances;
    // The alarm goes back to normal first: as many periods have to pass again.
    if (shrinks) this.#ratios = [];
    return Math.min(Math.max(Math.ceil(instances * newest), this.#min), this.#max);
  }
}
