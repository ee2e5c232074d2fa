/** The least constant fleet that keeps the promise on a trace: what one pays without scaling. */
import type { Arena } from "./arena.ts";
import { constantPolicy } from "./policies/planned.ts";

/** @returns `null` when the most workers that there may be do not keep it. */
export function staticPeak(arena: Arena, missesPercentMax: number): number | null {
  const limits = { missesPercent: missesPercentMax, workerHours: Number.POSITIVE_INFINITY };
  const enough = (workers: number) =>
    arena.price(() => constantPolicy(workers), limits, { fleet: { workersInitially: workers } }) !== null;
  let [below, above] = [0, arena.fleet.workersMax];
  // What was needed at most is enough up to the seeds' differences; it only shortens the search.
  const peak = Math.max(1, ...arena.rounds.map(({ demand }) => demand.reduce((a, b) => Math.max(a, b), 0)));
  if (peak < above && enough(peak)) above = peak;
  else if (!enough(above)) return null;
  while (above - below > 1) {
    const middle = (above + below) >> 1;
    if (enough(middle)) above = middle;
    else below = middle;
  }
  return above;
}
