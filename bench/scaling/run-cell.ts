/** Plays one cell: every policy on one trace under one regime. */
import { performance } from "node:perf_hooks";
import { Arena, type Standing } from "#autoscaler/simulator/arena";
import { holdContest } from "#autoscaler/simulator/contest";
import { sluicePolicy } from "#autoscaler/simulator/sluice-policy";
import { intervalsOf } from "#autoscaler/simulator/summary";
import { readTrace } from "#autoscaler/simulator/trace";
import { WORKLOAD_DEFAULTS } from "#autoscaler/simulator/workload";
import type { CellResult, CellStanding, CellTask } from "./cells.ts";

/** The beginning is the same under all of them but for the phase. */
const COLD_SEEDS = 3;

/** @throws {TraceInvalidError} */
export async function runCell({ file, trace: name, regime, seeds, policies }: CellTask): Promise<CellResult> {
  const startedMs = performance.now();
  const trace = await readTrace(file);
  const terms = {
    trace,
    seeds,
    pickupPromiseMs: regime.pickupPromiseMs,
    workload: WORKLOAD_DEFAULTS,
    fleet: { startDelayMs: regime.startDelayMs },
  };
  const { missesPercentMax } = regime;
  const { contestants, ...rest } = holdContest({ ...terms, policies, missesPercentMax });
  const cold = new Arena({ ...terms, seeds: Math.min(seeds, COLD_SEEDS), cold: true }).play(
    "sluice, beginning with no worker",
    () => sluicePolicy,
  );
  return {
    trace: name,
    kind: trace.kind,
    regime,
    seeds,
    ...rest,
    standings: [...contestants.map((it) => summed(it.name, it)), summed("sluice-cold", cold)],
    tookMs: Math.round(performance.now() - startedMs),
  };
}

function summed(name: CellStanding["name"], { policy, runs }: Standing): CellStanding {
  return { name, policy, metrics: intervalsOf(runs) };
}
