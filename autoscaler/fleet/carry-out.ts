/**
 * Carries a pool's decision out: orders go to workers through Redis and are obeyed with their next heartbeat;
 * processes are started and stopped by the executor alone.
 *
 * Effects only; who leaves is `decideLeavers`' judgement.
 */
import type { FleetStore } from "#shared/redis/fleet-store";
import { fromRfc3339 } from "#shared/system-clock";
import type { Action } from "../pool-record.ts";
import { decideLeavers, type FleetWorker, type LeaverPlan } from "../scaling/decide-leavers.ts";
import type { WorkerView } from "../snapshot.ts";
import type { FleetExecutor } from "./fleet-executor.ts";

export interface CarryOutPorts {
  readonly queue: string;
  readonly fleet: Pick<FleetStore, "order" | "deregister">;
  readonly executor: FleetExecutor;
  readonly epoch: number;
}

/**
 * @param desired workers of each release; of one that is not named, none.
 * @param workers those of the pool.
 */
export async function carryOut(
  desired: Readonly<Record<string, number>>,
  workers: readonly WorkerView[],
  ports: CarryOutPorts,
): Promise<Action[]> {
  const actions: Action[] = [];
  const releases = new Set([...Object.keys(desired), ...workers.map((it) => it.release)]);
  for (const release of releases) {
    const own = workers.filter((it) => it.release === release).map(fleetWorker);
    const plan = decideLeavers({ desired: desired[release] ?? 0, workers: own });
    actions.push(...(await carryOutRelease(release, plan, ports)));
  }
  return actions;
}

async function carryOutRelease(release: string, plan: LeaverPlan, ports: CarryOutPorts): Promise<Action[]> {
  const { queue, executor, fleet, epoch } = ports;
  const actions: Action[] = [];
  for (const worker of plan.undrain) {
    await fleet.order(worker, { epoch, order: "run" });
    actions.push({ act: "undrain", release, worker });
  }
  for (const worker of plan.drain) {
    await fleet.order(worker, { epoch, order: "drain" });
    actions.push({ act: "drain", release, worker });
  }
  for (const worker of plan.stop) {
    executor.stop(worker);
    actions.push({ act: "stop", release, worker });
  }
  for (const worker of plan.forget) {
    await fleet.deregister(worker);
    actions.push({ act: "forget", release, worker });
  }
  for (let started = 0; started < plan.start; started += 1) {
    if (executor.blocked(queue, release) !== null) break;
    actions.push({ act: "start", release, worker: executor.start(queue, release) });
  }
  return actions;
}

function fleetWorker(worker: WorkerView): FleetWorker {
  const draining = worker.state === "draining";
  return {
    workerId: worker.worker,
    // A quarantined worker takes nothing and is kept for a person to look at: it holds its place.
    state: worker.state === "quarantined" ? "suspect" : worker.state,
    busy: worker.busy,
    startedAtMs: fromRfc3339(worker.startedAt) ?? 0,
    drained: draining && worker.busy === 0 && worker.reason === "ordered-to-drain",
  };
}
