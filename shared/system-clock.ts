/** The real clock: the one file that touches `Date` and timers. */
import { performance } from "node:perf_hooks";
import type { Clock, SleepOutcome } from "./clock.ts";

export const systemClock: Clock = {
  nowMs: () => Date.now(),

  monotonicMs: () => performance.now(),

  sleep(durationMs: number, signal?: AbortSignal): Promise<SleepOutcome> {
    return new Promise((resolve) => {
      if (signal?.aborted) {
        resolve("aborted");
        return;
      }
      const onAbort = () => {
        clearTimeout(timer);
        resolve("aborted");
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", onAbort);
        resolve("elapsed");
      }, durationMs);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  },

  after(durationMs: number, act: () => void): () => void {
    const timer = setTimeout(act, durationMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** A moment as RFC 3339 in UTC with milliseconds, the one form of time in every answer. */
export function toRfc3339(atMs: number): string {
  // Under load many moments in a row are the same millisecond.
  if (atMs !== newest.atMs) newest = { atMs, text: new Date(atMs).toISOString() };
  return newest.text;
}

let newest = { atMs: 0, text: "1970-01-01T00:00:00.000Z" };

/** Milliseconds since the Unix epoch of an RFC 3339 timestamp, or `null` when it is none. */
export function fromRfc3339(text: string): number | null {
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? null : atMs;
}

/** A moment as an HTTP date (RFC 9110, 5.6.7). */
export function toHttpDate(atMs: number): string {
  return new Date(atMs).toUTCString();
}

/** Milliseconds since the Unix epoch of an HTTP date, or `null` when it is none. */
export function fromHttpDate(text: string): number | null {
  return fromRfc3339(text);
}
