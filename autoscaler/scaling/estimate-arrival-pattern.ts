/**
 * What came to a lane lately, look by look: how old its backlog is, whether more comes than usual, and how unevenly.
 *
 * Pure. It keeps at most ten minutes and at most {@link ENTRIES_MAX} entries, so that its state stays small enough to hand on.
 */
import type { RecentArrivals } from "./decide-deadline-slots.ts";
import { RATE_WINDOW_MS } from "./estimate-arrival-rate.ts";
import { gainOf } from "./estimate-mean.ts";

const KEPT_MS = 600_000;
export const ENTRIES_MAX = 128;

/** How long unevenness is remembered. */
const DISPERSION_WINDOW_MS = 600_000;

/** More than this is no pattern but an event. */
const DISPERSION_MAX = 50;

/** A surge is looked for in the last one to six looks. */
const SURGE_ENTRIES = 6;

/** Standard deviations above the mean from which a count is a surge; of what is above, one is not believed. */
const SURGE_Z = 2.5;
const SURGE_DOUBT_Z = 1;

/** `[when the look was, milliseconds it covers, jobs that came in it]`. */
export type ArrivalEntry = readonly [atMs: number, spanMs: number, jobs: number];

export interface ArrivalPattern {
  readonly readAtMs: number;
  /** The lane's counter as last read. */
  readonly arrivedTotal: number;
  /** Oldest first. */
  readonly entries: readonly ArrivalEntry[];
  /** Variance of arrivals over that of a Poisson process. */
  readonly dispersion: number;
}

export interface ArrivalReading {
  readonly nowMs: number;
  /** Jobs accepted ever. `null`: not known. */
  readonly arrivedTotal: number | null;
  /** The smoothed rate, to which surges and unevenness are compared. `null`: not known. */
  readonly ratePerSec: number | null;
  readonly tickMs: number;
}

/** The pattern after one more reading; begins anew when the counter is unknown or went back. */
export function followArrivals(
  previous: ArrivalPattern | null,
  { nowMs, arrivedTotal, ratePerSec, tickMs }: ArrivalReading,
): ArrivalPattern | null {
  if (arrivedTotal === null) return null;
  const spanMs = nowMs - (previous?.readAtMs ?? nowMs);
  const jobs = arrivedTotal - (previous?.arrivedTotal ?? arrivedTotal);
  if (previous === null || spanMs < 0 || jobs < 0) {
    return { readAtMs: nowMs, arrivedTotal, entries: [], dispersion: 1 };
  }
  if (spanMs === 0) return previous;
  const entries = joined(previous.entries, [nowMs, spanMs, jobs], tickMs);
  const dispersion = dispersionAfter(previous.dispersion, { jobs, spanMs, ratePerSec });
  return { readAtMs: nowMs, arrivedTotal, entries, dispersion };
}

/** Newest first, as far back as `backlog` jobs reach; `null` when nothing was followed. */
export function recentArrivals(
  pattern: ArrivalPattern | null,
  nowMs: number,
  backlog: number,
): RecentArrivals[] | null {
  if (pattern === null || pattern.entries.length === 0) return null;
  const { entries } = pattern;
  const recent: RecentArrivals[] = [];
  let left = backlog;
  for (let index = entries.length - 1; index >= 0 && left > 0; index -= 1) {
    const [atMs, spanMs, jobs] = entries[index] as ArrivalEntry;
    if (jobs === 0) continue;
    recent.push({ ageMs: Math.max(0, nowMs - atMs + spanMs / 2), jobs });
    left -= jobs;
  }
  return recent;
}

/** Jobs a second that come now where that is clearly more than `ratePerSec`, else that. */
export function surgeOf(pattern: ArrivalPattern | null, ratePerSec: number, tickMs: number): number {
  let surge = ratePerSec;
  let jobs = 0;
  let spanMs = 0;
  for (const [, span, came] of (pattern?.entries ?? []).slice(-SURGE_ENTRIES).reverse()) {
    jobs += came;
    spanMs += span;
    const deviation = Math.sqrt(jobs);
    const isMore = jobs - SURGE_Z * deviation > (ratePerSec * spanMs) / 1_000;
    // An early look sees a batch that came at once: that is no rate at which more will come.
    if (isMore)
      surge = Math.max(surge, ((jobs - SURGE_DOUBT_Z * deviation) * 1_000) / Math.max(spanMs, tickMs));
  }
  return surge;
}

/** Looks a second in which any job came, those of long ago counted for less: a crowd that comes at once is one. */
export function occasionsOf(pattern: ArrivalPattern, nowMs: number): number {
  let occasions = 0;
  for (const [atMs, , jobs] of pattern.entries) {
    if (jobs > 0) occasions += Math.exp((atMs - nowMs) / RATE_WINDOW_MS);
  }
  return (occasions * 1_000) / RATE_WINDOW_MS;
}

/** Early looks, which come when something happens, are put together until they make up a tick. */
function joined(entries: readonly ArrivalEntry[], next: ArrivalEntry, tickMs: number): ArrivalEntry[] {
  const [atMs, spanMs, jobs] = next;
  let from = Math.max(0, entries.length - ENTRIES_MAX + 1);
  while (from < entries.length && (entries[from] as ArrivalEntry)[0] <= atMs - KEPT_MS) from += 1;
  const kept = entries.slice(from);
  const last = kept.at(-1);
  if (last === undefined || last[1] + spanMs > tickMs) {
    kept.push(next);
    return kept;
  }
  return [...kept.slice(0, -1), [atMs, last[1] + spanMs, last[2] + jobs]];
}

function dispersionAfter(
  previous: number,
  { jobs, spanMs, ratePerSec }: { jobs: number; spanMs: number; ratePerSec: number | null },
): number {
  if (ratePerSec === null || ratePerSec <= 0) return previous;
  const expected = (ratePerSec * spanMs) / 1_000;
  // One job where next to none is expected would count for hundreds.
  const seen = Math.min((jobs - expected) ** 2 / Math.max(expected, 0.2), DISPERSION_MAX);
  const gain = gainOf(spanMs, DISPERSION_WINDOW_MS);
  return previous * (1 - gain) + seen * gain;
}
