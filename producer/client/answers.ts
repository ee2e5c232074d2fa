/** What the job API answers, as a client sees it. Held equal to the API's own schemas by a test. */

export type JobState =
  | "waiting"
  | "scheduled"
  | "running"
  | "succeeded"
  | "failed"
  | "quarantined"
  | "parked"
  | "cancelled"
  | "expired";

/** Times are RFC 3339 in UTC; `null` means "not yet", "none" or "not known". */
export interface Job {
  readonly id: string;
  readonly type: string;
  readonly state: JobState;
  readonly tenant: string;
  readonly queue: string;
  /** The lane that holds the job, `null` when it is parked or quarantined. */
  readonly lane: string | null;
  readonly schemaversion: number | null;
  readonly minreaderversion: number | null;
  readonly source: string | null;
  readonly acceptedAt: string;
  readonly dueAt: string | null;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly release: string | null;
  readonly worker: string | null;
  readonly attempts: {
    readonly failed: number;
    readonly starts: number;
    readonly crashes: number;
    readonly entries: readonly JobAttempt[];
  };
  /** What the handler of the newest start last said. */
  readonly progress: JobProgress | null;
  /** What the handler returned. */
  readonly result: unknown;
  /** Size of a result that was too large to keep, in bytes. */
  readonly resultBytesDropped: number | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

export interface JobAttempt {
  readonly attempt: number;
  readonly release: string;
  readonly worker: string;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly outcome: "retry" | "failed" | "handed-back" | "quarantined" | "parked";
  readonly code: string;
  readonly message: string;
}

export interface JobProgress {
  /** 0 to 100. */
  readonly percent: number;
  readonly message: string | null;
  readonly at: string;
}

/** How a job ended; `result` and `error` are `null` while it has not. */
export interface JobResult {
  readonly id: string;
  readonly state: JobState;
  readonly result: unknown;
  readonly resultBytesDropped: number | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

export interface JobCancellation {
  readonly id: string;
  readonly state: JobState;
  /** The job runs, and its worker is told. */
  readonly cancelling?: boolean;
}

/** A job in a list. */
export interface JobSummary {
  readonly id: string;
  readonly type: string;
  readonly state: JobState;
  readonly queue: string;
  readonly lane: string | null;
  readonly schemaversion: number | null;
  readonly acceptedAt: string;
  readonly dueAt: string | null;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly attempts: { readonly failed: number };
}

export interface JobPage {
  readonly jobs: readonly JobSummary[];
  readonly nextCursor: string | null;
}
