/**
 * What becomes of a job whose run has ended.
 *
 * Pure. A run that ended because of us (drain, lost lease, cancel) never counts as an attempt; one
 * that threw or took too long does, unless its release is discounted: then the job fails for none of that
 * release's failures. Backoff is full jitter, see shared/pure/full-jitter.ts.
 */
import { fullJitterMs } from "#shared/pure/full-jitter";

/** Why a run was told to end before it ended by itself. */
export type AbortCause = "draining" | "lease-lost" | "cancelled";

export type RunEnd =
  | { readonly kind: "returned" }
  | {
      readonly kind: "threw";
      readonly retryability: "retryable" | "terminal";
      readonly code: string;
      readonly message: string;
    }
  | { readonly kind: "aborted"; readonly cause: AbortCause };

export interface RetryPolicy {
  /** Attempts that may fail, from 1. */
  readonly attempts: number;
  readonly backoff: { readonly baseMs: number; readonly maxMs: number };
}

export type OutcomeDecision =
  | { readonly kind: "succeeded" }
  | { readonly kind: "retry"; readonly delayMs: number }
  | { readonly kind: "failed"; readonly reason: "terminal" | "attempts-exhausted" }
  | { readonly kind: "returned-to-head" }
  | { readonly kind: "cancelled" }
  | { readonly kind: "abandoned" };

export interface RunFacts {
  /** Counted failures before this run, those of discounted releases left out. */
  readonly failures: number;
  /** A draw in [0, 1). */
  readonly random: number;
  /** Somebody has asked for the job to be cancelled, perhaps after something else had ended the run. */
  readonly cancelled?: boolean;
  /** The release that ran it is discounted. */
  readonly discounted?: boolean;
}

/** A job that was cancelled does not run again, whatever else would have it run again. */
export function decideOutcome(end: RunEnd, policy: RetryPolicy, facts: RunFacts): OutcomeDecision {
  const decision = outcomeOf(end, policy, facts);
  const runsAgain = decision.kind === "retry" || decision.kind === "returned-to-head";
  return facts.cancelled === true && runsAgain ? { kind: "cancelled" } : decision;
}

function outcomeOf(
  end: RunEnd,
  policy: RetryPolicy,
  { failures, random, discounted }: RunFacts,
): OutcomeDecision {
  switch (end.kind) {
    case "returned":
      return { kind: "succeeded" };
    case "aborted":
      return outcomeOfAbort(end.cause);
    case "threw":
      // Another release may do what this one says cannot be done.
      if (discounted === true)
        return { kind: "retry", delayMs: fullJitterMs(policy.backoff, failures + 1, random) };
      if (end.retryability === "terminal") return { kind: "failed", reason: "terminal" };
      if (failures + 1 >= policy.attempts) return { kind: "failed", reason: "attempts-exhausted" };
      return { kind: "retry", delayMs: fullJitterMs(policy.backoff, failures + 1, random) };
  }
}

function outcomeOfAbort(cause: AbortCause): OutcomeDecision {
  switch (cause) {
    case "draining":
      return { kind: "returned-to-head" };
    case "cancelled":
      return { kind: "cancelled" };
    case "lease-lost":
      return { kind: "abandoned" };
  }
}
