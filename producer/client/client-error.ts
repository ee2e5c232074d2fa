/** The one error of the client. */

/** What became of the job: certainly not stored, or not known. */
export type Outcome = "not_enqueued" | "unknown";

export interface Issue {
  /** JSON pointer into the request, "" for all of it. */
  readonly pointer: string;
  readonly rule: string;
  readonly message: string;
}

export interface ClientErrorFacts {
  readonly code: string;
  readonly message: string;
  readonly outcome: Outcome | null;
  readonly status?: number | null;
  readonly retryAfterMs?: number | null;
  readonly issues?: readonly Issue[];
  readonly cause?: unknown;
}

/**
 * A call that did not succeed.
 *
 * The codes of the server are passed on; the client's own are `NO_ANSWER`, `TIMEOUT`, `ABORTED` and
 * `ANSWER_UNREADABLE`.
 */
export class SluiceClientError extends Error {
  /** Stable, and safe to match on. */
  readonly code: string;
  /** What became of the job; `null` for a call that hands in none. */
  readonly outcome: Outcome | null;
  /** The HTTP status; `null` when there was no answer. */
  readonly status: number | null;
  /** When trying again makes sense, in milliseconds from the answer; `null` when nobody said. */
  readonly retryAfterMs: number | null;
  /** What is wrong with the request, field by field. */
  readonly issues: readonly Issue[];

  constructor({ code, message, outcome, status, retryAfterMs, issues, cause }: ClientErrorFacts) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.outcome = outcome;
    this.status = status ?? null;
    this.retryAfterMs = retryAfterMs ?? null;
    this.issues = issues ?? [];
  }

  override get name(): string {
    return "SluiceClientError";
  }

  /** The same with another outcome: what is not known of an earlier attempt is not known of the call. */
  withOutcome(outcome: Outcome | null): SluiceClientError {
    if (outcome === this.outcome) return this;
    const { code, message, status, retryAfterMs, issues, cause } = this;
    return new SluiceClientError({ code, message, outcome, status, retryAfterMs, issues, cause });
  }
}
