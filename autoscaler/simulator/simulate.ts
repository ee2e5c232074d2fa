/**
 * One pool, one workload, one scaling policy: what happens, job by job.
 *
 * Deterministic: the same input and seed give the same outcome. Pools do not share anything, so several pools are
 * several runs. What the model leaves out is told in docs/decisions/0018-simulator.md.
 */
import type { Outcome } from "./outcome.ts";
import { PoolRun } from "./pool-run.ts";
import type { Simulation } from "./simulation.ts";

export function simulate(simulation: Simulation): Outcome {
  const { fleet, seed, pickupPromiseMs } = simulation;
  const policy = simulation.policy({
    seed,
    workersMin: fleet.workersMin,
    workersMax: fleet.workersMax,
    slotsPerWorker: fleet.slotsPerWorker,
    pickupPromiseMs,
  });
  return new PoolRun(simulation, policy).run();
}
