/**
 * Throttles as anybody would explain them, to hold the scripts against: a bucket of tokens that fills up at a
 * steady rate, and counts of whole windows. In whole numbers of any size, so without rounding.
 */
import type { Throttle } from "#shared/limits/limits-document";

export interface ModelCounter {
  fits(nowMs: number, cost: number): boolean;
  /** Whether it fits when jobs may be scheduled up to `delayMs` ahead; buckets only. */
  fitsWithin(nowMs: number, cost: number, delayMs: number): boolean;
  take(nowMs: number, cost: number): void;
}

export function modelOf(throttle: Throttle): ModelCounter {
  const { algorithm, limit, windowMs, burst = limit } = throttle;
  if (algorithm === "token-bucket") return tokenBucket(limit, windowMs, burst);
  if (algorithm === "leaky-bucket") return tokenBucket(limit, windowMs, 1);
  return windowCount(limit, windowMs, algorithm === "sliding-window");
}

/** In parts of a token: a token has as many as its window milliseconds, and each millisecond adds `limit`. */
function tokenBucket(limit: number, windowMs: number, burst: number): ModelCounter {
  const full = BigInt(burst) * BigInt(windowMs);
  let level = full;
  let takenAtMs = 0;
  const leftOf = (nowMs: number, cost: number) => {
    const filled = level + BigInt(nowMs - takenAtMs) * BigInt(limit);
    return (filled > full ? full : filled) - BigInt(cost) * BigInt(windowMs);
  };
  return {
    fits: (nowMs, cost) => leftOf(nowMs, cost) >= 0n,
    fitsWithin: (nowMs, cost, delayMs) => leftOf(nowMs, cost) + BigInt(delayMs) * BigInt(limit) >= 0n,
    take: (nowMs, cost) => {
      level = leftOf(nowMs, cost);
      takenAtMs = nowMs;
    },
  };
}

function windowCount(limit: number, windowMs: number, slides: boolean): ModelCounter {
  const counts = new Map<number, number>();
  const countIn = (index: number) => BigInt(counts.get(index) ?? 0);
  const fits = (nowMs: number, cost: number) => {
    const index = Math.floor(nowMs / windowMs);
    const weight = slides ? BigInt(windowMs - (nowMs % windowMs)) : 0n;
    const used = (countIn(index) + BigInt(cost)) * BigInt(windowMs) + countIn(index - 1) * weight;
    return used <= BigInt(limit) * BigInt(windowMs);
  };
  return {
    fits,
    fitsWithin: fits,
    take: (nowMs, cost) => {
      const index = Math.floor(nowMs / windowMs);
      counts.set(index, (counts.get(index) ?? 0) + cost);
    },
  };
}
