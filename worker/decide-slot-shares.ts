/**
 * How a worker's slots are shared by its lanes, so that two lanes never double the load downstream.
 *
 * Pure. Every lane keeps one slot as its minimum share; the rest goes to hungry lanes, oldest first,
 * because an old lane is to be emptied. What is in flight holds its slot until it ends, so the sum
 * over lanes of `max(slots, inFlight)` never exceeds the budget: a lane is raised only by what is free.
 * With fewer slots than lanes the lanes take turns instead, which is not decided here.
 */

export interface LaneDemand {
  readonly lane: string;
  readonly inFlight: number;
  /** Slots the lane has now. */
  readonly slots: number;
  /** Whether the lane had a job for every slot when it last looked. */
  readonly hungry: boolean;
}

/**
 * @param lanes oldest first.
 * @param budget slots of the worker, at least as many as there are lanes.
 * @returns slots by lane; the caller lowers first and raises after.
 */
export function decideSlotShares(lanes: readonly LaneDemand[], budget: number): ReadonlyMap<string, number> {
  const wanted = wantedSlots(lanes, budget);
  const granted = new Map<string, number>();
  for (const lane of lanes) {
    const want = wanted.get(lane.lane) ?? 1;
    const held = sum(lanes.filter((other) => other !== lane).map((other) => holding(other, granted, wanted)));
    granted.set(lane.lane, want <= lane.slots ? want : Math.max(lane.slots, Math.min(want, budget - held)));
  }
  return granted;
}

/** The share each lane would have if nothing were in flight. */
function wantedSlots(lanes: readonly LaneDemand[], budget: number): Map<string, number> {
  const wanted = new Map(lanes.map((lane) => [lane.lane, 1]));
  const firstHungry = lanes.find((lane) => lane.hungry) ?? lanes.at(-1);
  if (firstHungry !== undefined) wanted.set(firstHungry.lane, budget - lanes.length + 1);
  return wanted;
}

/** What a lane may still hold once its own change is made. */
function holding(
  lane: LaneDemand,
  granted: ReadonlyMap<string, number>,
  wanted: ReadonlyMap<string, number>,
): number {
  const slots = granted.get(lane.lane) ?? Math.min(lane.slots, wanted.get(lane.lane) ?? 1);
  return Math.max(slots, lane.inFlight);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
