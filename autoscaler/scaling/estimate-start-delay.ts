/**
 * How long a worker takes from being spawned to its first heartbeat: the `D` of the scaling law.
 *
 * Pure. Workers that never came up give no sample here; they are the executor's alarm.
 */

/** Until a start was measured. A Node.js process that loads an app and connects to Redis is about this fast. */
export const START_DELAY_DEFAULT_MS = 2_000;

/** A longer start is counted as this long, or one stuck image pull would stretch every window for an hour. */
export const START_DELAY_MAX_MS = 600_000;

/** The share of the newest start in the estimate: about the last five starts decide. */
const GAIN = 0.3;

export interface StartDelayEstimate {
  /** From spawn to first heartbeat, in milliseconds, 0 to 600,000. */
  readonly startDelayMs: number;
  /** False while this is the default because no start was seen. */
  readonly measured: boolean;
}

/**
 * The estimate after the starts seen since the last call, in the order they were seen. `previous` is
 * `null` before the first call. The first measured start replaces the default, which is an assumption
 * and not evidence. A negative delay (two clocks that disagree) tells nothing and is left out.
 */
export function estimateStartDelay(
  previous: StartDelayEstimate | null,
  delaysMs: readonly number[],
): StartDelayEstimate {
  let estimate = previous ?? { startDelayMs: START_DELAY_DEFAULT_MS, measured: false };
  for (const delayMs of delaysMs) {
    if (!(delayMs >= 0)) continue;
    const seenMs = Math.min(delayMs, START_DELAY_MAX_MS);
    const gain = estimate.measured ? GAIN : 1;
    estimate = {
      startDelayMs: estimate.startDelayMs * (1 - gain) + seenMs * gain,
      measured: true,
    };
  }
  return estimate;
}
