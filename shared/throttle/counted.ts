/**
 * What a throttle's count says: how much is left, when more is, when a cost fits. Pure.
 *
 * The numbers are those of `shared/redis/throttle-script.ts`; the two change together. Lengths of time are
 * whole milliseconds and exact: a take at the time told passes, one a millisecond earlier does not, unless
 * somebody else takes in between.
 */
import type { Throttle } from "../limits/limits-document.ts";

export type Verdict = "passes" | "delayed" | "degraded" | "refused";

/** A throttle's count before a take, and what became of the take. */
export interface Counted {
  readonly verdict: Verdict;
  /** Of a bucket: ms until all that was taken is worked off, times its limit. Of a window: jobs in it. */
  readonly first: number;
  /** Of a window: jobs in the one before. */
  readonly previous: number;
  /** Of a window: how long it has been going on. */
  readonly elapsedMs: number;
}

/** A throttle as a counter. */
export interface Counter {
  readonly kind: "bucket" | "fixed" | "sliding";
  readonly limit: number;
  readonly windowMs: number;
  /** The most that one take can ever get without a delay. */
  readonly burst: number;
}

/** @throws {TypeError} for a concurrency cap, which is no counter. */
export function counterOf({ algorithm, limit, windowMs, burst }: Throttle): Counter {
  switch (algorithm) {
    case "token-bucket":
      return { kind: "bucket", limit, windowMs, burst: burst ?? limit };
    case "leaky-bucket":
      return { kind: "bucket", limit, windowMs, burst: 1 };
    case "fixed-window":
      return { kind: "fixed", limit, windowMs, burst: limit };
    case "sliding-window":
      return { kind: "sliding", limit, windowMs, burst: limit };
    case "concurrency":
      throw new TypeError("a concurrency cap counts requests in a process, not jobs in Redis");
  }
}

/** The count after `cost` jobs were taken from it. */
export function afterTake(counter: Counter, counted: Counted, cost: number): Counted {
  const taken = counter.kind === "bucket" ? cost * counter.windowMs : cost;
  return { ...counted, first: counted.first + taken };
}

/** Jobs that would pass at once, in one take. */
export function remainingOf(counter: Counter, counted: Counted): number {
  const { windowMs, burst } = counter;
  if (counter.kind === "bucket")
    return Math.max(0, Math.floor((burst * windowMs - counted.first) / windowMs));
  return Math.max(0, Math.floor((burst * windowMs - usedOf(counter, counted)) / windowMs));
}

/**
 * Milliseconds until `cost` jobs pass in one take, 0 for now; `null` when so many never do.
 *
 * @param delayMaxMs how far ahead they may be scheduled instead; buckets only.
 */
export function waitMsOf(counter: Counter, counted: Counted, wanted: Wanted): number | null {
  const { cost, delayMaxMs = 0 } = wanted;
  const { kind, limit, windowMs, burst } = counter;
  if (kind === "bucket") {
    const room = burst * windowMs + delayMaxMs * limit;
    if (cost * windowMs > room) return null;
    return Math.max(0, Math.ceil((counted.first + cost * windowMs - room) / limit));
  }
  if (cost > limit) return null;
  const excess = usedOf(counter, counted) + (cost - limit) * windowMs;
  if (excess <= 0) return 0;
  const leftMs = windowMs - counted.elapsedMs;
  if (kind === "fixed") return leftMs;
  // Within this window only the previous one's weight falls, in the next only this one's.
  const inThisMs = counted.previous === 0 ? leftMs : Math.ceil(excess / counted.previous);
  if (inThisMs < leftMs) return inThisMs;
  const excessThen = (counted.first + cost - limit) * windowMs;
  return leftMs + (excessThen <= 0 ? 0 : Math.ceil(excessThen / counted.first));
}

export interface Wanted {
  readonly cost: number;
  readonly delayMaxMs?: number;
}

/** Of a bucket: when each of `cost` jobs that are taken now may run, in milliseconds from now, ascending. */
export function delaysMsOf({ limit, windowMs, burst }: Counter, { first }: Counted, cost: number): number[] {
  return Array.from({ length: cost }, (_, index) =>
    Math.max(0, Math.ceil((first + (index + 1 - burst) * windowMs) / limit)),
  );
}

/** What is used of a window, in jobs times its length. */
function usedOf({ kind, windowMs }: Counter, { first, previous, elapsedMs }: Counted): number {
  return first * windowMs + (kind === "sliding" ? previous * (windowMs - elapsedMs) : 0);
}
