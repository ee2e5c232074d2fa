/** What became of one of several jobs, read from an answer of `POST /v1/jobs/batch`. */
import type { JobState } from "./answers.ts";
import { type Outcome, SluiceClientError } from "./client-error.ts";
import { fieldsOf, issuesOf } from "./transport.ts";

export interface ItemResult {
  /** Place among the items that were given, from 0. */
  readonly index: number;
  /**
   * `replayed`: an earlier attempt had handed it in already. `deduplicated`: a job with the same dedup key has
   * not ended; `id` is that one's.
   */
  readonly outcome: "created" | "replayed" | "deduplicated" | "refused" | "unknown";
  /** `null` when it was not accepted. */
  readonly id: string | null;
  /** `null` when it was not accepted, or is not known. */
  readonly state: JobState | null;
  /** Why it was not accepted, or why that is not known. */
  readonly error: SluiceClientError | null;
}

/** @throws {SluiceClientError} when `value` is no result. */
export function itemResultOf(index: number, value: unknown): ItemResult {
  const { outcome, id, state, problem } = fieldsOf(value);
  if (outcome === "created" || outcome === "replayed" || outcome === "deduplicated") {
    return { index, outcome, id: String(id), state: (state ?? null) as JobState | null, error: null };
  }
  if (outcome === "refused" || outcome === "unknown") {
    const fate = outcome === "refused" ? "not_enqueued" : "unknown";
    return { index, outcome, id: null, state: null, error: problemError(problem, fate) };
  }
  throw new SluiceClientError({
    code: "ANSWER_UNREADABLE",
    message: "The server answered something that is no result of a job",
    outcome: "unknown",
  });
}

/** An item that shares the fate of its whole request. */
export function failedItem(index: number, error: SluiceClientError): ItemResult {
  const outcome = error.outcome === "not_enqueued" ? "refused" : "unknown";
  return { index, outcome, id: null, state: null, error };
}

function problemError(problem: unknown, outcome: Outcome): SluiceClientError {
  const { code, detail, status, retryAfterMs, errors } = fieldsOf(problem);
  return new SluiceClientError({
    code: typeof code === "string" ? code : "ANSWER_UNREADABLE",
    message: typeof detail === "string" ? detail : "The job was not accepted",
    outcome,
    status: typeof status === "number" ? status : null,
    retryAfterMs: typeof retryAfterMs === "number" ? retryAfterMs : null,
    issues: issuesOf(errors),
  });
}
