/**
 * Full-jitter exponential backoff (Brooker, "Exponential Backoff and Jitter", AWS 2015): a uniform
 * draw between 0 and `min(maxMs, baseMs * 2^(attempt-1))`.
 *
 * `attempt` counts from 1; `random` is a draw in [0, 1). The exponent is clamped, so that no attempt
 * number overflows. Result in whole milliseconds.
 */
export interface Backoff {
  /** Ceiling of the first delay, in milliseconds. */
  readonly baseMs: number;
  /** Ceiling of every delay, in milliseconds. */
  readonly maxMs: number;
}

export function fullJitterMs(backoff: Backoff, attempt: number, random: number): number {
  const exponent = Math.min(Math.max(attempt - 1, 0), 30);
  return Math.floor(random * Math.min(backoff.maxMs, backoff.baseMs * 2 ** exponent));
}
