/**
 * Whether a call that failed is tried again, and after how long. Pure: draws and times are arguments.
 *
 * What may be tried again: no answer, 429, 503, and what a proxy answers for a server that is away (502, 504).
 * A 500 too, where the job's fate is not known: with the same key that is safe. Any other answer stays what it is.
 * Where the server says when to come back, nobody comes earlier; a client that may not wait as long gives up.
 */
import { fullJitterMs } from "#shared/pure/full-jitter";

export interface FailedAttempt {
  /** Its number, from 1. */
  readonly attempt: number;
  /** `null` when there was no answer. */
  readonly status: number | null;
  readonly outcome: "not_enqueued" | "unknown" | null;
  /** What the server asked for, in milliseconds; `null` when it said nothing. */
  readonly retryAfterMs: number | null;
  /** Since the call began, in milliseconds. */
  readonly elapsedMs: number;
}

export interface RetryPolicy {
  /** Attempts in all, the first included. At least 1. */
  readonly attempts: number;
  /** The longest wait between two attempts, in milliseconds. */
  readonly maxDelayMs: number;
  /** The call ends by then, in milliseconds from its beginning. */
  readonly timeoutMs: number;
}

export type RetryDecision =
  | { readonly kind: "retry"; readonly delayMs: number }
  | { readonly kind: "give-up"; readonly reason: GiveUpReason };

export type GiveUpReason = "not-retryable" | "attempts-used-up" | "delay-too-long" | "out-of-time";

/** Ceiling of the first delay where the server names none. */
const BASE_DELAY_MS = 200;

/** Callers that were told the same moment spread over so much of the wait, and at least so long. */
const SPREAD_SHARE = 0.2;
const SPREAD_MIN_MS = 100;

const RETRYABLE_STATUSES = new Set([429, 502, 503, 504]);

/** @param random a draw in [0, 1). */
export function decideRetry(failed: FailedAttempt, policy: RetryPolicy, random: number): RetryDecision {
  if (!mayBeRetried(failed)) return { kind: "give-up", reason: "not-retryable" };
  if (failed.attempt >= policy.attempts) return { kind: "give-up", reason: "attempts-used-up" };
  const { retryAfterMs, attempt } = failed;
  if (retryAfterMs !== null && retryAfterMs > policy.maxDelayMs) {
    return { kind: "give-up", reason: "delay-too-long" };
  }
  const delayMs =
    retryAfterMs === null
      ? fullJitterMs({ baseMs: BASE_DELAY_MS, maxMs: policy.maxDelayMs }, attempt, random)
      : spread(retryAfterMs, random);
  if (failed.elapsedMs + delayMs >= policy.timeoutMs) return { kind: "give-up", reason: "out-of-time" };
  return { kind: "retry", delayMs };
}

/** Whether trying again is safe and can help; when is another question. */
export function mayBeRetried({ status, outcome }: Pick<FailedAttempt, "status" | "outcome">): boolean {
  if (status === null || RETRYABLE_STATUSES.has(status)) return true;
  return status >= 500 && outcome === "unknown";
}

function spread(retryAfterMs: number, random: number): number {
  return Math.ceil(retryAfterMs + random * Math.max(SPREAD_MIN_MS, retryAfterMs * SPREAD_SHARE));
}
