/**
 * What a histogram of times says: how many took longer than a bound, and about where the 95th percentile lies.
 *
 * Pure. A histogram is a list of counts by bucket in the order of {@link TIME_BOUNDS_MS} with one more for all above
 * the last. Counts above a bound are exact; a percentile is interpolated within its bucket and only an estimate,
 * never a proof.
 */
import type { Share } from "./estimate-bounds.ts";

/** Upper ends of the buckets in milliseconds, as the workers count them: a test holds the two lists together. */
export const TIME_BOUNDS_MS: readonly number[] = [
  100, 200, 500, 1_000, 2_000, 3_000, 5_000, 10_000, 15_000, 20_000, 30_000, 45_000, 60_000, 90_000, 120_000,
  180_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000,
];

/** One for each bound and one above. */
export const BUCKETS = TIME_BOUNDS_MS.length + 1;

/** Of all, those above the bound with this index; index -1 is all of them. */
export function shareAbove(histogram: readonly number[], boundIndex: number): Share {
  let hits = 0;
  let trials = 0;
  for (let index = 0; index < histogram.length; index += 1) {
    const jobs = histogram[index] ?? 0;
    trials += jobs;
    if (index > boundIndex) hits += jobs;
  }
  return { hits, trials };
}

/** The index of the smallest bound that is not below `boundMs`; the last bucket's when none is. */
export function boundIndexAt(boundMs: number): number {
  const index = TIME_BOUNDS_MS.findIndex((it) => it >= boundMs);
  return index === -1 ? TIME_BOUNDS_MS.length : index;
}

/** The index of the largest bound that is not above `boundMs`; -1 when all are. */
export function boundIndexBelow(boundMs: number): number {
  return TIME_BOUNDS_MS.findLastIndex((it) => it <= boundMs);
}

/**
 * The time that a share `quantile` (0 to 1) stayed below, in milliseconds, spread evenly within its bucket; `null` for
 * an empty histogram. Above the last bound it is that bound.
 */
export function estimateQuantile(histogram: readonly number[], quantile: number): number | null {
  const { trials } = shareAbove(histogram, -1);
  if (trials === 0) return null;
  let left = trials * quantile;
  for (let index = 0; index < TIME_BOUNDS_MS.length; index += 1) {
    const jobs = histogram[index] ?? 0;
    const upper = TIME_BOUNDS_MS[index] ?? 0;
    const lower = TIME_BOUNDS_MS[index - 1] ?? 0;
    if (left <= jobs && jobs > 0) return lower + ((upper - lower) * left) / jobs;
    left -= jobs;
  }
  return TIME_BOUNDS_MS.at(-1) ?? null;
}
