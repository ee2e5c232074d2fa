/**
 * Which orders people's holds come to now, and which holds have done what they were for.
 *
 * Pure, and asked each round: it orders nothing that a worker already does. A hold comes before what scaling and a
 * rollout want of the worker.
 */
import type { WorkerHold } from "#shared/redis/worker-holds-store";
import type { WorkerView } from "../snapshot.ts";

export type HeldWorker = Pick<WorkerView, "worker" | "state" | "reason">;

export interface HoldsPlan {
  /** Orders to give. */
  readonly give: readonly WorkerHold[];
  /** Holds to drop: the worker is gone, or runs again as asked. */
  readonly done: readonly WorkerHold[];
}

/** @param observedAt of the look at the workers, RFC 3339. */
export function decideWorkerHolds(
  holds: readonly WorkerHold[],
  { workers, observedAt }: { readonly workers: readonly HeldWorker[]; readonly observedAt: string },
): HoldsPlan {
  const byId = new Map(workers.map((it) => [it.worker, it]));
  return {
    give: holds.filter((hold) => {
      const worker = byId.get(hold.worker);
      if (worker === undefined || worker.state === "dead" || worker.reason === "stopping") return false;
      return !isObeyed(hold, worker);
    }),
    done: holds.filter((hold) => {
      const worker = byId.get(hold.worker);
      // One that came after the look is not gone; the next look has it.
      if (worker === undefined) return hold.at < observedAt;
      return hold.order === "run" && isObeyed(hold, worker);
    }),
  };
}

function isObeyed({ order }: WorkerHold, { state, reason }: HeldWorker): boolean {
  switch (order) {
    case "drain":
      return state === "draining" && reason === "ordered-to-drain";
    case "quarantine":
      return state === "quarantined" && reason === "quarantined";
    case "run":
      // One that holds itself back, such as for its clock, does as it was asked.
      return state === "ok" || (state === "quarantined" && reason !== "quarantined");
  }
}
