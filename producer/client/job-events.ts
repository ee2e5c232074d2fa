/**
 * One job's server-sent events as an iteration. A connection that breaks, or that the server ends before the job
 * has, is opened again where it was, for as long as the retry policy has it.
 */
import type { Job, JobState } from "./answers.ts";
import { SluiceClientError } from "./client-error.ts";
import { decideRetry } from "./decide-retry.ts";
import { type ServerSentEvent, serverSentEvents } from "./server-sent-events.ts";
import { aborted, noAnswer, type Transport } from "./transport.ts";

/** What of a job changes. States that came and went between two looks of the server are not told. */
export type JobChange = Pick<
  Job,
  "state" | "release" | "worker" | "dueAt" | "startedAt" | "finishedAt" | "progress"
> & { readonly attempts: Omit<Job["attempts"], "entries"> };

export type JobEvent =
  | { readonly event: "state"; readonly data: JobChange }
  /** The last one. `state` is `null` when the job is no longer known. */
  | { readonly event: "end"; readonly data: { readonly id: string; readonly state: JobState | null } };

export interface JobEventsTerms {
  readonly path: string;
  readonly signal: AbortSignal | undefined;
}

export class JobEvents {
  readonly #transport: Transport;
  readonly #terms: JobEventsTerms;
  #lastId = "";
  /** A new connection begins with the present state, which may have been told. */
  #lastData = "";
  /** Connections in a row that brought nothing, and since when. */
  #failures = 0;
  #failingSinceMs = 0;

  constructor(transport: Transport, terms: JobEventsTerms) {
    this.#transport = transport;
    this.#terms = terms;
  }

  /** @throws {SluiceClientError} when the job is not known, or the connection is not to be had again. */
  async *all(): AsyncGenerator<JobEvent, void, undefined> {
    for (;;) {
      const cut = new AbortController();
      let cause: unknown = new Error("the events ended before the job");
      try {
        const body = await this.#connect(cut.signal);
        if (body === null) return;
        if (yield* this.#told(serverSentEvents(body))) return;
      } catch (error) {
        cause = error;
      } finally {
        cut.abort();
      }
      await this.#pause(cause);
    }
  }

  /** @returns whether the last event was among them. */
  async *#told(
    events: AsyncGenerator<ServerSentEvent, void, undefined>,
  ): AsyncGenerator<JobEvent, boolean, undefined> {
    for await (const { event, id, data } of events) {
      this.#failures = 0;
      this.#lastId = id;
      if (event !== "state" && event !== "end") continue;
      if (data !== this.#lastData) yield { event, data: JSON.parse(data) };
      this.#lastData = data;
      if (event === "end") return true;
    }
    return false;
  }

  /** `null` when there is nothing more to come. */
  async #connect(cut: AbortSignal): Promise<ReadableStream<Uint8Array> | null> {
    const { path, signal } = this.#terms;
    const response = await this.#transport.open({
      method: "GET",
      path,
      enqueues: false,
      headers: {
        accept: "text/event-stream",
        ...(this.#lastId !== "" && { "last-event-id": this.#lastId }),
      },
      signal: signal === undefined ? cut : AbortSignal.any([signal, cut]),
    });
    return response.body;
  }

  /** @throws what went wrong, when nothing is to be tried again. */
  async #pause(cause: unknown): Promise<void> {
    const { signal } = this.#terms;
    const { clock, retry } = this.#transport;
    if (signal?.aborted) throw aborted(signal, null);
    if (this.#failures === 0) this.#failingSinceMs = clock.monotonicMs();
    this.#failures += 1;
    const error = cause instanceof SluiceClientError ? cause : noAnswer({ enqueues: false, signal }, cause);
    const elapsedMs = clock.monotonicMs() - this.#failingSinceMs;
    const decision = decideRetry(
      { ...error, attempt: this.#failures, elapsedMs },
      retry,
      this.#transport.random(),
    );
    if (decision.kind === "give-up") throw error;
    if ((await clock.sleep(decision.delayMs, signal)) === "aborted") throw aborted(signal, null);
  }
}
