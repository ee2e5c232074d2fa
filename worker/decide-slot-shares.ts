/**
 * How a worker's slots are shared by its lanes, so that two lanes never double the load downstream.
 *
 * Pure. Every lane that may take keeps one slot as its minimum share; the rest goes to hungry lanes,
 * oldest first, because an old lane is to be emptied. A lane on trial gets one slot and no more, a
 * paused one none. What is in flight holds its slot until it ends, so the sum over lanes of
 * `max(slots, inFlight)` never exceeds the budget: a lane is raised only by what is free, and one that
 * comes back from a pause may have to wait for its slot.
 * With fewer slots than lanes that may take, the lanes take turns, and the caller pauses the others.
 */

export interface LaneDemand {
  readonly lane: string;
  readonly inFlight: number;
  /** Slots the lane has now. */
  readonly slots: number;
  /** Whether the lane had a job for every slot when it last looked. */
  readonly hungry: boolean;
  /** `on-trial`: half-open after a trip. `paused`: tripped, or not its turn. */
  readonly taking: "freely" | "on-trial" | "paused";
}

/**
 * @param lanes oldest first.
 * @param budget slots of the worker, at least as many as there are lanes that are not paused.
 * @returns slots by lane; the caller lowers first and raises after.
 */
export function decideSlotShares(lanes: readonly LaneDemand[], budget: number): ReadonlyMap<string, number> {
  const wanted = wantedSlots(lanes, budget);
  const granted = new Map<string, number>();
  for (const lane of lanes) {
    const want = wanted.get(lane.lane) ?? 0;
    const held = sum(lanes.filter((other) => other !== lane).map((other) => holding(other, granted, wanted)));
    granted.set(lane.lane, want <= lane.slots ? want : Math.max(lane.slots, Math.min(want, budget - held)));
  }
  return granted;
}

/** The share each lane would have if nothing were in flight. */
function wantedSlots(lanes: readonly LaneDemand[], budget: number): Map<string, number> {
  const wanted = new Map(lanes.map(({ lane, taking }) => [lane, taking === "paused" ? 0 : 1]));
  const free = lanes.filter(({ taking }) => taking === "freely");
  const favoured = free.find(({ hungry }) => hungry) ?? free.at(-1);
  if (favoured !== undefined) wanted.set(favoured.lane, budget - sum([...wanted.values()]) + 1);
  return wanted;
}

/** What a lane may still hold once its own change is made; its minimum share is kept free for it. */
function holding(
  lane: LaneDemand,
  granted: ReadonlyMap<string, number>,
  wanted: ReadonlyMap<string, number>,
): number {
  const want = wanted.get(lane.lane) ?? 0;
  const slots = granted.get(lane.lane) ?? Math.max(Math.min(lane.slots, want), Math.min(1, want));
  return Math.max(slots, lane.inFlight);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
