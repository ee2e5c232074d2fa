/**
 * What the planner sees of one pool, put together from a look at everything. It measures and decides nothing.
 */
import { MEMORY_REFUSE_SHARE, type MemoryUse } from "#shared/redis/memory-watch";
import type { FleetIndex } from "./fleet-index.ts";
import type { LoadEstimates } from "./scaling/load-estimates.ts";
import type { PoolSighting, SeenLane } from "./scaling/planner-input.ts";
import type { QueueView, WorkerView } from "./snapshot.ts";

type Estimates = Pick<LoadEstimates, "arrivedTotal" | "started" | "late">;

export function seenLanes(
  { queue, lanes }: QueueView,
  { fleet, estimates }: { readonly fleet: FleetIndex; readonly estimates: Estimates },
): SeenLane[] {
  return lanes.map((view) => ({
    lane: view.lane,
    generation: view.generation,
    measured: {
      waiting: view.waiting,
      active: view.inFlight,
      dueSoon: view.dueSoon,
      oldestDueAgeMs: view.oldestDueAgeMs,
      arrivalRatePerSec: view.arrivalRatePerSec,
      serviceTimeMs: view.serviceTimeMs,
      readySlots: fleet.readySlots(view.lane),
      arrivedTotal: estimates.arrivedTotal(queue, view.generation),
    },
  }));
}

/** What came of the promise so far, and what keeps the pool from growing or shrinking. */
export function seenLimits(
  { queue, pickupPromiseMs }: QueueView,
  facts: {
    readonly estimates: Estimates;
    readonly memory: MemoryUse;
    readonly roomForWorkers: number | null;
  },
): Pick<PoolSighting, "startedTotal" | "lateTotal" | "redisMemory" | "roomForWorkers"> {
  const { estimates, memory, roomForWorkers } = facts;
  const isClosed = memory.maxBytes > 0 && memory.usedBytes >= memory.maxBytes * MEMORY_REFUSE_SHARE;
  return {
    startedTotal: estimates.started(queue),
    lateTotal: pickupPromiseMs === null ? null : estimates.late(queue, pickupPromiseMs),
    redisMemory: isClosed ? "closed" : "open",
    roomForWorkers,
  };
}

/** Slots of workers that take jobs and run none. As old as the heartbeats. */
export function freeSlotsOf(workers: readonly WorkerView[]): number {
  let free = 0;
  for (const { state, takes, slots, busy } of workers)
    if (state === "ok" && takes === "all") free += Math.max(0, slots - busy);
  return free;
}
