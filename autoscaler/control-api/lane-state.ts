/** How a lane is doing against its queue's promise, and which lane an operator should see first. */
import type { LaneView, QueueView } from "../snapshot.ts";

/**
 * From worst to best. `orphaned`: has jobs and no reader. `tripped`: has jobs, and whoever takes them fails
 * to read them. `late`: the oldest job waits longer than promised. `unpromised`: jobs wait and no time is promised. `idle`: nothing is here.
 */
export const LANE_STATES = ["orphaned", "tripped", "late", "unpromised", "on-time", "idle"] as const;

export type LaneState = (typeof LANE_STATES)[number];

export interface LaneRow {
  readonly queue: QueueView;
  readonly lane: LaneView;
  readonly state: LaneState;
}

export function laneStateOf(lane: LaneView, pickupPromiseMs: number | null): LaneState {
  if (lane.orphaned) return "orphaned";
  if (lane.tripped) return "tripped";
  const { waiting, inFlight, scheduled, oldestDueAgeMs } = lane;
  if (pickupPromiseMs !== null && oldestDueAgeMs !== null && oldestDueAgeMs > pickupPromiseMs) return "late";
  if (pickupPromiseMs === null && waiting > 0) return "unpromised";
  return waiting + inFlight + scheduled === 0 ? "idle" : "on-time";
}

/** All lanes, worst first: by state, then by how far the oldest job is into its promise, then by name. */
export function laneRows(queues: readonly QueueView[]): readonly LaneRow[] {
  const rows = queues.flatMap((queue) =>
    queue.lanes.map((lane) => ({ queue, lane, state: laneStateOf(lane, queue.pickupPromiseMs) })),
  );
  return rows.sort(
    (a, b) =>
      LANE_STATES.indexOf(a.state) - LANE_STATES.indexOf(b.state) ||
      promiseUsed(b) - promiseUsed(a) ||
      b.lane.waiting - a.lane.waiting ||
      (a.lane.lane < b.lane.lane ? -1 : 1),
  );
}

/** A lane of releases that are gone: nothing is in it and nobody reads it. */
export function isLeftOver({ lane, state }: LaneRow): boolean {
  return state === "idle" && lane.readers.length === 0 && lane.consumers === 0;
}

/** Age of the oldest job in promises; 0 when nothing waits or nothing is promised. */
function promiseUsed({ queue, lane }: LaneRow): number {
  return (lane.oldestDueAgeMs ?? 0) / (queue.pickupPromiseMs ?? Number.POSITIVE_INFINITY);
}
