/**
 * Which workers of one release come, leave and come back, once the number is decided.
 *
 * Pure. The plan names every worker it touches; the executor stops no other. Leaving is always draining
 * first: only a worker that says it is drained, and holds no job, is stopped.
 *
 * A suspect worker is left alone: it keeps its place, so nobody is started for it, and nobody healthy
 * leaves because of it. It is soon well again or dead, and both settle the matter.
 */

export interface FleetWorker {
  readonly workerId: string;
  /**
   * `starting`: spawned, no heartbeat yet. `suspect`: heartbeat late, or busy without progress.
   * `dead`: heartbeat missing beyond the limit; holds no slots. `draining`: takes nothing new.
   */
  readonly state: "starting" | "ok" | "suspect" | "dead" | "draining";
  /** Jobs in flight by its last heartbeat, >= 0; 0 before the first. */
  readonly busy: number;
  /** When it was spawned. */
  readonly startedAtMs: number;
  /** Its heartbeat says: draining, and the last job is settled. */
  readonly drained: boolean;
  /** A person has ordered it to leave: it is not called back. */
  readonly held?: boolean;
}

export interface ReleaseObservation {
  /** Workers the release should have, >= 0. */
  readonly desired: number;
  readonly workers: readonly FleetWorker[];
}

export interface LeaverPlan {
  /** `stay` may still stop or forget workers that have left already. */
  readonly kind: "scale-out" | "scale-in" | "stay";
  /** New workers to start, >= 0. */
  readonly start: number;
  /** Told to take nothing new. */
  readonly drain: readonly string[];
  /** Draining ones told to take jobs again, longest running first. */
  readonly undrain: readonly string[];
  /** Drained ones to stop. */
  readonly stop: readonly string[];
  /** Dead ones to strike off. Their jobs come back when the leases end, not by this. */
  readonly forget: readonly string[];
}

export function decideLeavers({ desired, workers }: ReleaseObservation): LeaverPlan {
  const healthy = workers.filter(({ state }) => state === "starting" || state === "ok");
  const draining = workers.filter(({ state }) => state === "draining");
  const suspects = workers.filter(({ state }) => state === "suspect").length;

  const missing = Math.max(desired - healthy.length - suspects, 0);
  const mayReturn = draining.filter(({ held }) => held !== true);
  const undrain = mayReturn.toSorted(longestRunningFirst).slice(0, missing);
  const drain = healthy.toSorted(firstToLeave).slice(0, Math.max(healthy.length - desired, 0));
  const stop = draining.filter((worker) => worker.drained && worker.busy === 0 && !undrain.includes(worker));

  return {
    kind: missing > 0 ? "scale-out" : drain.length > 0 ? "scale-in" : "stay",
    start: missing - undrain.length,
    drain: drain.map(idOf),
    undrain: undrain.map(idOf),
    stop: stop.map(idOf),
    forget: workers.filter(({ state }) => state === "dead").map(idOf),
  };
}

function idOf({ workerId }: FleetWorker): string {
  return workerId;
}

/** Idle before busy, then the most recently started: it has the least warm. */
function firstToLeave(a: FleetWorker, b: FleetWorker): number {
  return Number(a.busy > 0) - Number(b.busy > 0) || longestRunningFirst(b, a);
}

/** The id breaks ties, so that two observers agree. */
function longestRunningFirst(a: FleetWorker, b: FleetWorker): number {
  return a.startedAtMs - b.startedAtMs || (a.workerId < b.workerId ? -1 : Number(a.workerId > b.workerId));
}
