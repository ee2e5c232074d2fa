/**
 * The share of jobs that were picked up late, over about the last thousand.
 *
 * Pure. It begins on budget: nothing known is neither good nor bad. The window is counted in jobs, so that a night
 * without any does not forgive what the evening did.
 */
import { gainOf } from "./estimate-mean.ts";

/** About so many started jobs make up the share; older ones fade. */
const WINDOW_JOBS = 1_000;

export interface ErrorBudgetEstimate {
  /** Share of late jobs, 0 to 1. */
  readonly lateShare: number;
  /** Counters as last read. */
  readonly startedTotal: number;
  readonly lateTotal: number;
}

export interface ErrorBudgetSample {
  /** Jobs started ever, and those of them that were late. `null`: not known. */
  readonly startedTotal: number | null;
  readonly lateTotal: number | null;
  /** Share of jobs that may be late. */
  readonly target: number;
}

/** The estimate after one more reading. One that is not known tells nothing; counters that went back begin anew. */
export function estimateErrorBudget(
  previous: ErrorBudgetEstimate | null,
  { startedTotal, lateTotal, target }: ErrorBudgetSample,
): ErrorBudgetEstimate | null {
  if (startedTotal === null || lateTotal === null) return previous;
  if (previous === null) return { lateShare: target, startedTotal, lateTotal };
  const started = startedTotal - previous.startedTotal;
  const late = lateTotal - previous.lateTotal;
  if (started < 0 || late < 0) return { ...previous, startedTotal, lateTotal };
  // Late jobs are counted when they start; more late than started is a reading between the two.
  if (started === 0) return previous;
  const gain = gainOf(started, WINDOW_JOBS);
  const share = Math.min(late / started, 1);
  return { lateShare: previous.lateShare * (1 - gain) + share * gain, startedTotal, lateTotal };
}

/** How many times the allowed share is late: 1 is exactly on budget. */
export function burntOf(lateShare: number | null, target: number): number | null {
  return lateShare === null ? null : lateShare / target;
}
