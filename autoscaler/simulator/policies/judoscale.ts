/**
 * Steps of one worker on the age of the oldest job, in the manner of Judoscale, as a baseline: one more at each report
 * above a range, one less after ten minutes below it. The range here is a tenth to a half of the promise.
 */
import type { PolicyFactory, PoolSight, ScalingPolicy } from "../scaling-policy.ts";

const REPORT_MS = 10_000;
const BELOW_MS = 600_000;
const LOWER_SHARE = 0.1;
const UPPER_SHARE = 0.5;

export const judoscalePolicy: PolicyFactory = ({ workersMin, workersMax }) =>
  new QueueTimeSteps(Math.max(1, workersMin), workersMax);

class QueueTimeSteps implements ScalingPolicy {
  readonly name = "Judoscale steps";
  readonly tickMs = REPORT_MS;
  readonly scaleIn = "kill-random";
  readonly victimGraceMs = 30_000;
  readonly #min: number;
  readonly #max: number;
  #belowSinceMs: number | null = null;

  constructor(min: number, max: number) {
    this.#min = min;
    this.#max = max;
  }

  decide({ nowMs, oldestDueAgeMs, pickupPromiseMs, readyWorkers, startingWorkers }: PoolSight): number {
    const ageMs = oldestDueAgeMs ?? 0;
    const workers = readyWorkers + startingWorkers;
    if (ageMs >= LOWER_SHARE * pickupPromiseMs) this.#belowSinceMs = null;
    else this.#belowSinceMs ??= nowMs;
    return Math.min(
      Math.max(workers + this.#step(nowMs, ageMs > UPPER_SHARE * pickupPromiseMs), this.#min),
      this.#max,
    );
  }

  #step(nowMs: number, isAbove: boolean): number {
    if (isAbove) return 1;
    if (this.#belowSinceMs === null || nowMs - this.#belowSinceMs < BELOW_MS) return 0;
    this.#belowSinceMs = nowMs;
    return -1;
  }
}
