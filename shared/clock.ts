/**
 * Time as an argument.
 *
 * Whatever waits or asks the time takes a `Clock`, so that a test can run an hour of scaling in
 * milliseconds. Only `system-clock.ts` may touch `Date` and timers; the linter enforces it.
 */

/** How a sleep ended: its time passed, or its signal aborted first. */
export type SleepOutcome = "elapsed" | "aborted";

export interface Clock {
  /** Milliseconds since the Unix epoch; follows the machine's clock, so it may step. */
  nowMs(): number;

  /** Milliseconds from an arbitrary start; never steps and never goes back. For measuring lengths of time. */
  monotonicMs(): number;

  /** Waits `durationMs` (>= 0). Resolves early, and never rejects, when `signal` aborts. */
  sleep(durationMs: number, signal?: AbortSignal): Promise<SleepOutcome>;

  /**
   * Calls `act` once after `durationMs`. The returned function cancels it; calling that twice, or
   * after `act` ran, does nothing. A pending call does not keep the process alive.
   */
  after(durationMs: number, act: () => void): () => void;
}
