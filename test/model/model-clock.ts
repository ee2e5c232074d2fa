/**
 * The model's time. It moves when the fleet says so, and nothing happens by itself: time limits of handlers
 * are not part of the model (`test/unit/worker/run-handler.test.ts` has them).
 */
import type { Clock, SleepOutcome } from "#shared/clock";

export class ModelClock implements Clock {
  #nowMs = Date.UTC(2026, 0, 31, 12);

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  advance(byMs: number): void {
    this.#nowMs += byMs;
  }

  /** Ends only by its signal. */
  sleep(_durationMs: number, signal?: AbortSignal): Promise<SleepOutcome> {
    return new Promise((resolve) => {
      if (signal?.aborted) resolve("aborted");
      else signal?.addEventListener("abort", () => resolve("aborted"), { once: true });
    });
  }

  after(): () => void {
    return () => undefined;
  }
}
