/**
 * A clock that a test moves: an hour of waiting takes no time, and nothing happens unless it is told to.
 *
 * `advance` wakes whatever falls due, oldest first and at its own moment, and lets woken code run before
 * it goes on; so code that sleeps again inside the time advanced is woken again. It does not wait for
 * real input and output.
 */
import type { Clock, SleepOutcome } from "#shared/clock";

interface Waiting {
  readonly dueMs: number;
  readonly act: () => void;
}

export class FakeClock implements Clock {
  #monotonicMs = 0;
  #epochMs: number;
  /** In the order they were asked for. */
  readonly #waiting = new Set<Waiting>();

  /** @param nowMs wall time at the start, in milliseconds since the Unix epoch. */
  constructor(nowMs = Date.UTC(2026, 0, 31, 12)) {
    this.#epochMs = nowMs;
  }

  /** Sleepers and callbacks that are not yet due or cancelled: a test that ends with some leaks them. */
  get waiting(): number {
    return this.#waiting.size;
  }

  nowMs(): number {
    return this.#epochMs + this.#monotonicMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  sleep(durationMs: number, signal?: AbortSignal): Promise<SleepOutcome> {
    return new Promise((resolve) => {
      if (signal?.aborted) {
        resolve("aborted");
        return;
      }
      const onAbort = () => {
        cancel();
        resolve("aborted");
      };
      const cancel = this.after(durationMs, () => {
        signal?.removeEventListener("abort", onAbort);
        resolve("elapsed");
      });
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  after(durationMs: number, act: () => void): () => void {
    if (!(durationMs >= 0)) throw new RangeError(`a length of time cannot be ${durationMs} ms`);
    const entry = { dueMs: this.#monotonicMs + durationMs, act };
    this.#waiting.add(entry);
    return () => {
      this.#waiting.delete(entry);
    };
  }

  /** The machine's clock is set forward or back; lengths of time are not touched. */
  stepWall(byMs: number): void {
    this.#epochMs += byMs;
  }

  /** Lets `durationMs` pass and everything that falls due in it happen. */
  async advance(durationMs: number): Promise<void> {
    const endMs = this.#monotonicMs + durationMs;
    await settled();
    for (let next = this.#nextDue(endMs); next !== null; next = this.#nextDue(endMs)) {
      this.#waiting.delete(next);
      this.#monotonicMs = Math.max(this.#monotonicMs, next.dueMs);
      next.act();
      await settled();
    }
    this.#monotonicMs = endMs;
  }

  /** Of those due by `endMs` the earliest, among equals the one asked for first. */
  #nextDue(endMs: number): Waiting | null {
    let next: Waiting | null = null;
    for (const entry of this.#waiting) {
      if (entry.dueMs <= endMs && (next === null || entry.dueMs < next.dueMs)) next = entry;
    }
    return next;
  }
}

/** Resolves once all promises that can go on without time have done so. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
