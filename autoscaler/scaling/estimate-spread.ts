/**
 * What a histogram of lengths of time says: percentiles, how uneven they are, and how many kept a promise.
 *
 * Pure. Counts are by bucket, each with the jobs that no smaller bucket holds, as the fleet counts them
 * (`shared/run-counters.ts`). Within a bucket jobs are taken to be spread evenly, and those above the last bound to
 * lie on it: what is said of hours is a lower bound.
 */
import { BUCKET_BOUNDS_MS } from "#shared/run-counters";

/** Jobs by bucket: one number for each bound, and one for what is above the last. */
export type BucketCounts = readonly number[];

export const BUCKETS = BUCKET_BOUNDS_MS.length + 1;

export interface SpreadEstimate {
  /** Jobs that it was made from, > 0. */
  readonly jobs: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  /** Squared coefficient of variation, variance / mean^2: 0 all alike, 1 as uneven as exponential. */
  readonly scv: number;
}

/** `null` when there are no jobs: not known, not zero. */
export function estimateSpread(counts: BucketCounts): SpreadEstimate | null {
  const jobs = sum(counts);
  if (jobs <= 0) return null;
  return {
    jobs,
    p50Ms: percentile(counts, 0.5 * jobs),
    p95Ms: percentile(counts, 0.95 * jobs),
    p99Ms: percentile(counts, 0.99 * jobs),
    scv: squaredVariation(counts, jobs),
  };
}

/**
 * Jobs that took longer than `promiseMs`. Of a bucket that the promise cuts through all count as late: nothing that
 * broke it is left out. Exact where the promise is a bound.
 */
export function countLate(counts: BucketCounts, promiseMs: number): number {
  return sum(
    counts.filter((_count, index) => (BUCKET_BOUNDS_MS[index] ?? Number.POSITIVE_INFINITY) > promiseMs),
  );
}

/** The length of time that `rank` jobs do not exceed. */
function percentile(counts: BucketCounts, rank: number): number {
  let below = 0;
  for (const [index, count] of counts.entries()) {
    const { lower, upper } = edges(index);
    if (below + count >= rank && count > 0) return lower + ((upper - lower) * (rank - below)) / count;
    below += count;
  }
  return edges(BUCKETS - 1).upper;
}

/** E[x^2] / E[x]^2 - 1; an even spread from l to u has the mean (l + u) / 2 and the mean square (l^2 + lu + u^2) / 3. */
function squaredVariation(counts: BucketCounts, jobs: number): number {
  let first = 0;
  let second = 0;
  for (const [index, count] of counts.entries()) {
    const { lower, upper } = edges(index);
    first += (count * (lower + upper)) / 2;
    second += (count * (lower * lower + lower * upper + upper * upper)) / 3;
  }
  const mean = first / jobs;
  return Math.max(0, second / jobs / (mean * mean) - 1);
}

function edges(index: number): { readonly lower: number; readonly upper: number } {
  const last = BUCKET_BOUNDS_MS[BUCKETS - 2] ?? 0;
  return {
    lower: index === 0 ? 0 : (BUCKET_BOUNDS_MS[index - 1] ?? last),
    upper: BUCKET_BOUNDS_MS[index] ?? last,
  };
}

function sum(counts: BucketCounts): number {
  return counts.reduce((total, count) => total + count, 0);
}
