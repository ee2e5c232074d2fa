/**
 * What a worker makes of what is wanted of all workers of its release.
 *
 * Pure. It goes beside the worker's own order and never widens it: a worker that drains stays draining. A worker that
 * takes nothing because of this is well and warm; it is not draining.
 */
import type { ReleaseOrders } from "#shared/rollout/release-orders";

export interface Obeyed {
  /** Of the newest term that was heard of. */
  readonly epoch: number;
  /** `null`: the worker takes all it reads. */
  readonly orders: ReleaseOrders | null;
}

/** Before anything was heard. */
export const NOTHING_HEARD: Obeyed = { epoch: 0, orders: null };

/**
 * What was wanted in an older term than one heard of comes from a leader of the past. That there is nothing wanted has no term:
 * only a leader takes away what one has given.
 */
export function decideObeyed(obeyed: Obeyed, heard: ReleaseOrders | null): Obeyed {
  if (heard === null) return { epoch: obeyed.epoch, orders: null };
  return heard.epoch < obeyed.epoch ? obeyed : { epoch: heard.epoch, orders: heard };
}

/** Whether nothing is to be taken from the lane. */
export function isHeld(orders: ReleaseOrders | null, lane: string): boolean {
  switch (orders?.takes ?? "all") {
    case "all":
      return false;
    case "own-lanes":
      return orders?.lanes.includes(lane) !== true;
    case "probe":
    case "nothing":
      return true;
  }
}

/** Why a worker itself takes nothing; as `WorkerState` has it. */
export type OwnReason = "stopping" | "ordered-to-drain" | "quarantined" | "clock-skew" | null;

/** Whether what runs here of the lane's jobs is to be handed back now. A worker whose clock is off does not leave. */
export function handsBackNow(
  orders: ReleaseOrders | null,
  { reason, lane }: { readonly reason: OwnReason; readonly lane: string },
): boolean {
  if (orders?.handBack !== true) return false;
  return (reason !== null && reason !== "clock-skew") || isHeld(orders, lane);
}
