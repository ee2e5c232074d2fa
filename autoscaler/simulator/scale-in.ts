/**
 * Brings a simulated pool from what it has to what is wanted, in the way that the policy's platform would.
 */
import { decideLeavers, type FleetWorker } from "../scaling/decide-leavers.ts";
import type { Random } from "./random.ts";
import type { ScalingPolicy } from "./scaling-policy.ts";
import { ORDER, type SimulatedFleet, WORKER } from "./simulated-fleet.ts";

/** What the run lets a plan do. */
export interface ScaleInRun {
  readonly fleet: SimulatedFleet;
  readonly victims: Random;
  start(): void;
  /** It takes nothing new from now on, and is killed after the grace. */
  drain(worker: number, graceMs: number): void;
  /** It is told, and hears it a little later. */
  order(worker: number, order: number): void;
  stop(worker: number): void;
  exit(worker: number): void;
}

export function applyPlan(run: ScaleInRun, wanted: number, policy: ScalingPolicy): void {
  if (policy.scaleIn === "drain-idle-first") drainIdleFirst(run, wanted);
  else kill(run, wanted, policy);
}

function drainIdleFirst(run: ScaleInRun, wanted: number): void {
  const { fleet } = run;
  if (fleet.draining === 0 && fleet.starting + fleet.ready === wanted) return;
  const plan = decideLeavers({ desired: wanted, workers: fleet.alive.map((it) => asFleetWorker(fleet, it)) });
  for (const id of plan.stop) run.stop(Number(id));
  for (const id of plan.drain) run.order(Number(id), ORDER.drain);
  for (const id of plan.undrain) run.order(Number(id), ORDER.run);
  for (let count = 0; count < plan.start; count += 1) run.start();
}

const STATES: readonly FleetWorker["state"][] = ["starting", "ok", "draining", "dead"];

function asFleetWorker(fleet: SimulatedFleet, worker: number): FleetWorker {
  const busy = fleet.busy[worker] as number;
  const state = STATES[fleet.state[worker] as number] ?? "dead";
  return {
    workerId: String(worker),
    state,
    busy,
    startedAtMs: fleet.startedAtMs[worker] as number,
    // It hears the order when it has come up.
    drained: state === "draining" && busy === 0 && fleet.up[worker] === 1,
  };
}

function kill(run: ScaleInRun, wanted: number, { scaleIn, victimGraceMs }: ScalingPolicy): void {
  const { fleet } = run;
  for (let count = fleet.starting + fleet.ready; count < wanted; count += 1) run.start();
  const surplus = fleet.starting + fleet.ready - wanted;
  if (surplus <= 0) return;
  const starting = fleet.alive.filter((it) => fleet.state[it] === WORKER.starting).reverse();
  const ready = shuffled(
    fleet.alive.filter((it) => fleet.state[it] === WORKER.ready),
    run.victims,
  );
  if (scaleIn === "kill-idle-first")
    ready.sort((a, b) => (fleet.busy[a] as number) - (fleet.busy[b] as number));
  for (const worker of [...starting, ...ready].slice(0, surplus)) {
    if (fleet.busy[worker] === 0) run.exit(worker);
    else run.drain(worker, victimGraceMs);
  }
}

/** Fisher and Yates. */
function shuffled(workers: number[], random: Random): number[] {
  for (let at = workers.length - 1; at > 0; at -= 1) {
    const other = Math.floor(random.next() * (at + 1));
    [workers[at], workers[other]] = [workers[other] as number, workers[at] as number];
  }
  return workers;
}
