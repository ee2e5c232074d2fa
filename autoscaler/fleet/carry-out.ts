/**
 * Carries a pool's decision out: orders go to workers through Redis and are obeyed with their next heartbeat;
 * processes are started and stopped by the executor alone.
 *
 * Effects only; who leaves is `decideLeavers`' judgement. Each effect has the term's epoch, and right before it the
 * term is asked whether it is over.
 */
import type { FleetStore } from "#shared/redis/fleet-store";
import type { WorkerHold } from "#shared/redis/worker-holds-store";
import { fromRfc3339 } from "#shared/system-clock";
import type { Term } from "../leadership.ts";
import type { Action } from "../pool-record.ts";
import { isUnheard } from "../releases/observe-rollout.ts";
import { decideLeavers, type FleetWorker, type LeaverPlan } from "../scaling/decide-leavers.ts";
import type { WorkerView } from "../snapshot.ts";
import type { FleetExecutor } from "./fleet-executor.ts";
import type { WorkerHolds } from "./worker-holds.ts";

export interface CarryOutPorts {
  readonly queue: string;
  readonly fleet: Pick<FleetStore, "order" | "forget">;
  readonly executor: Pick<FleetExecutor, "desired" | "stop">;
  readonly term: Pick<Term, "epoch" | "require">;
  /** What people ordered single workers; their orders are given elsewhere. Nobody is held when missing. */
  readonly holds?: Pick<WorkerHolds, "of">;
  /** A dead worker is not struck off before the leases have run out of what it may hold. False when missing. */
  readonly keepsUnheard?: boolean;
  /** The number of a command, higher than those before. */
  nextSequence(): number;
}

interface ReleaseStep {
  readonly release: string;
  readonly desired: number;
  readonly plan: LeaverPlan;
}

/**
 * @param desired workers of each release; of one that is not named, none.
 * @param workers those of the pool.
 * @throws {StaleEpochError} when the term is over; what was done until then stays done.
 */
export async function carryOut(
  desired: Readonly<Record<string, number>>,
  workers: readonly WorkerView[],
  ports: CarryOutPorts,
): Promise<Action[]> {
  const releases = new Set([...Object.keys(desired), ...workers.map((it) => it.release)]);
  const kept = ports.keepsUnheard === true ? workers.filter(isUnheard).map((it) => it.worker) : [];
  const withoutUnheard = (plan: LeaverPlan) => ({
    ...plan,
    forget: plan.forget.filter((it) => !kept.includes(it)),
  });
  const steps = [...releases].map((release): ReleaseStep => {
    const own = workers.filter((it) => it.release === release).map((it) => fleetWorker(it, ports));
    const wanted = desired[release] ?? 0;
    return {
      release,
      desired: wanted,
      plan: withoutUnheard(decideLeavers({ desired: wanted, workers: own })),
    };
  });
  const actions: Action[] = [];
  for (const step of steps) actions.push(...(await giveOrders(step, ports)));
  const stays = new Set(steps.flatMap(({ plan }) => plan.undrain));
  const leaves = new Set(steps.flatMap(({ plan }) => plan.drain));
  const left = workers.filter(({ worker, state }) => {
    if (state === "draining" || ports.holds?.of(worker) === "drain") return !stays.has(worker);
    return state === "dead" || leaves.has(worker);
  });
  const fleet = {
    leaving: left.map((it) => it.worker),
    heard: workers.filter((it) => it.heartbeatAgeMs !== null && it.state !== "dead").map((it) => it.worker),
  };
  for (const step of steps) actions.push(...(await command(step, fleet, ports)));
  return actions;
}

/** Who takes jobs again, who takes none any more, and who is struck off. */
async function giveOrders({ release, plan }: ReleaseStep, ports: CarryOutPorts): Promise<Action[]> {
  const { fleet, term } = ports;
  const { epoch } = term;
  const actions: Action[] = [];
  for (const worker of plan.undrain) {
    term.require();
    await fleet.order(worker, { epoch, order: "run" });
    actions.push({ act: "undrain", release, worker });
  }
  for (const worker of plan.drain) {
    term.require();
    await fleet.order(worker, { epoch, order: "drain" });
    actions.push({ act: "drain", release, worker });
  }
  for (const worker of plan.forget) {
    term.require();
    await fleet.forget(worker, epoch);
    actions.push({ act: "forget", release, worker });
  }
  return actions;
}

async function command(
  { release, desired, plan }: ReleaseStep,
  { leaving, heard }: { readonly leaving: readonly string[]; readonly heard: readonly string[] },
  { queue, executor, term, nextSequence }: CarryOutPorts,
): Promise<Action[]> {
  const { epoch } = term;
  if (plan.stop.length > 0) {
    term.require();
    await executor.stop({ epoch, workers: plan.stop });
  }
  term.require();
  const sequence = nextSequence();
  const { started } = await executor.desired({
    epoch,
    sequence,
    queue,
    release,
    desired,
    leaving,
    heard,
  });
  return [
    ...plan.stop.map((worker) => ({ act: "stop", release, worker })),
    ...started.map((worker) => ({ act: "start", release, worker })),
  ];
}

function fleetWorker(worker: WorkerView, { holds }: Pick<CarryOutPorts, "holds">): FleetWorker {
  const held = holds?.of(worker.worker) ?? null;
  const draining = worker.state === "draining";
  return {
    workerId: worker.worker,
    state: stateFor(worker, held),
    busy: worker.busy,
    startedAtMs: fromRfc3339(worker.startedAt) ?? 0,
    drained: draining && worker.busy === 0 && worker.reason === "ordered-to-drain",
    held: held === "drain",
  };
}

function stateFor({ state }: WorkerView, held: WorkerHold["order"] | null): FleetWorker["state"] {
  if (state === "dead") return state;
  if (held === "drain") return "draining";
  // A quarantined worker takes nothing and is kept for a person to look at: it holds its place.
  return state === "quarantined" || held === "quarantine" ? "suspect" : state;
}
