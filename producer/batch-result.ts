/** What became of one job of several, as a batch's answer tells it. */
import type { EnqueueResult } from "#shared/enqueue/enqueuer";
import type { Problem } from "#shared/http/problem";
import type { JobState } from "#shared/job-state";
import { problemFor } from "./problems.ts";

export interface BatchResult {
  /** Place in the batch, from 0. */
  readonly index: number;
  readonly outcome: "created" | "replayed" | "deduplicated" | "refused" | "unknown";
  readonly id?: string;
  readonly state?: JobState | null;
  readonly problem?: BatchProblem;
}

/** A problem without what is the same in each. */
export type BatchProblem = Pick<
  Problem,
  "status" | "code" | "detail" | "errors" | "retryAfterSeconds" | "retryAfterMs"
>;

export function batchResultOf(index: number, result: EnqueueResult): BatchResult {
  if ("answer" in result) {
    const { job, outcome } = result.answer;
    return { index, outcome, id: job.id, state: job.state };
  }
  const { status, code, detail, errors, retryAfterSeconds, retryAfterMs, outcome } = problemFor(result.error);
  const problem = {
    status,
    code,
    detail,
    ...(errors !== undefined && { errors }),
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
  return { index, outcome: outcome === "unknown" ? "unknown" : "refused", problem };
}

/** How many ended how. */
export type BatchCounts = Readonly<Record<BatchResult["outcome"], number>>;

export function countsOf(results: readonly Pick<BatchResult, "outcome">[]): BatchCounts {
  const counts = { created: 0, replayed: 0, deduplicated: 0, refused: 0, unknown: 0 };
  for (const { outcome } of results) counts[outcome] += 1;
  return counts;
}

/** What a result is counted as. */
export function outcomeOf(result: EnqueueResult): BatchResult["outcome"] {
  if ("answer" in result) return result.answer.outcome;
  return problemFor(result.error).outcome === "unknown" ? "unknown" : "refused";
}

/** The same as JSON. Nearly every one is of a job that was created, which is made of signs that need no care. */
export function batchResultText(index: number, result: EnqueueResult): string {
  if (!("answer" in result) || result.answer.outcome !== "created") {
    return JSON.stringify(batchResultOf(index, result));
  }
  const { id, state } = result.answer.job;
  return `{"index":${index},"outcome":"created","id":"${id}","state":"${state}"}`;
}
