/** The calls about jobs that are there: look, wait, cancel, list, follow. */
import type { Job, JobCancellation, JobPage, JobResult, JobState, JobSummary } from "./answers.ts";
import { SluiceClientError } from "./client-error.ts";
import { type JobEvent, JobEvents } from "./job-events.ts";
import type { Call, Transport } from "./transport.ts";

export interface CallOptions {
  readonly signal?: AbortSignal;
}

export interface WaitOptions extends CallOptions {
  /** How long the server may wait for the job's end, in milliseconds, in whole seconds up to 60. @default 0 */
  readonly waitMs?: number;
}

export interface CancelOptions extends CallOptions {
  /** For the job's record; one line. */
  readonly why?: string;
}

export interface ListOptions extends CallOptions {
  readonly type?: string;
  /** Left out: those that have not ended. Ended ones are listed one state at a time. */
  readonly state?: JobState;
  /** Jobs a request, 1 to 200; all of them are listed, however many requests it takes. @default 50 */
  readonly pageSize?: number;
}

export class JobReads {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** `null` when the job is not known: never accepted, another tenant's, or cleaned away. */
  get(id: string, options: CallOptions = {}): Promise<Job | null> {
    return this.#known({ method: "GET", path: pathOf(id), enqueues: false, signal: options.signal });
  }

  /** How the job ended, or its state when it has not within `waitMs`; `null` when it is not known. */
  result(id: string, { signal, waitMs = 0 }: WaitOptions = {}): Promise<JobResult | null> {
    const seconds = wholeSeconds(waitMs);
    const path = `${pathOf(id)}/result${seconds > 0 ? `?wait=${seconds}` : ""}`;
    return this.#known({ method: "GET", path, enqueues: false, signal, waitMs: seconds * 1_000 });
  }

  /**
   * The job shall not run, or not go on; a running one is told, and ends as soon as its handler lets it.
   *
   * @returns `null` when the job is not known.
   * @throws {SluiceClientError} with the code `JOB_ENDED` when it is too late.
   */
  cancel(id: string, { signal, why }: CancelOptions = {}): Promise<JobCancellation | null> {
    return this.#known({
      method: "POST",
      path: `${pathOf(id)}/cancel`,
      enqueues: false,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(why === undefined ? {} : { why }),
      signal,
    });
  }

  /** The caller's jobs, newest first; asks for the next page when it is needed. */
  async *list({ signal, ...filter }: ListOptions = {}): AsyncGenerator<JobSummary, void, undefined> {
    let cursor: string | null = null;
    do {
      const path = `/v1/jobs${queryOf({ ...filter, cursor })}`;
      const { value } = await this.#transport.call({ method: "GET", path, enqueues: false, signal });
      const page = value as JobPage;
      yield* page.jobs;
      cursor = page.nextCursor;
    } while (cursor !== null);
  }

  /** What happens to the job from now on, its present state first; ends with the job. */
  events(id: string, { signal }: CallOptions = {}): AsyncGenerator<JobEvent, void, undefined> {
    return new JobEvents(this.#transport, { path: `${pathOf(id)}/events`, signal }).all();
  }

  async #known<Answer>(call: Call): Promise<Answer | null> {
    try {
      return (await this.#transport.call(call)).value as Answer;
    } catch (error) {
      if (error instanceof SluiceClientError && error.code === "JOB_NOT_FOUND") return null;
      throw error;
    }
  }
}

/** The unit of `Prefer: wait` and of `?wait`. */
export function wholeSeconds(waitMs: number): number {
  return Math.ceil(Math.max(0, waitMs) / 1_000);
}

function pathOf(id: string): string {
  return `/v1/jobs/${encodeURIComponent(id)}`;
}

function queryOf({
  type,
  state,
  pageSize,
  cursor,
}: Omit<ListOptions, "signal"> & { readonly cursor: string | null }): string {
  const query = new URLSearchParams();
  if (type !== undefined) query.set("type", type);
  if (state !== undefined) query.set("state", state);
  if (pageSize !== undefined) query.set("limit", String(pageSize));
  if (cursor !== null) query.set("cursor", cursor);
  return query.size === 0 ? "" : `?${query}`;
}
