/**
 * One call to the API: bounded in time, tried again where that is safe and can help, ended by its signal.
 *
 * What is not known of one attempt is not known of the call: a later attempt that says "not enqueued" speaks
 * of itself. Only a success answers for all of them, because every attempt carries the same key.
 */
import type { Clock } from "#shared/clock";
import { fromHttpDate } from "#shared/system-clock";
import { type Issue, type Outcome, SluiceClientError } from "./client-error.ts";
import { decideRetry, type RetryPolicy } from "./decide-retry.ts";

export interface TransportOptions {
  /** Without a slash at the end. */
  readonly baseUrl: string;
  readonly apiKey: string | null;
  readonly fetch: typeof fetch;
  readonly retry: RetryPolicy;
  /** How long one attempt may take, in milliseconds. */
  readonly attemptTimeoutMs: number;
  readonly clock: Clock;
  /** A draw in [0, 1). */
  readonly random: () => number;
}

export interface Call {
  readonly method: "GET" | "POST" | "DELETE";
  /** With its query. */
  readonly path: string;
  /** It hands in jobs: a failure says what became of them. */
  readonly enqueues: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | ReadableStream<Uint8Array>;
  readonly signal?: AbortSignal | undefined;
  /** The server may hold its answer back so long, in milliseconds. */
  readonly waitMs?: number;
  /** Instead of the policy's: the call ends by then, in milliseconds. */
  readonly timeoutMs?: number;
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  /** `null` for an empty body. */
  readonly value: unknown;
}

export class Transport {
  readonly #options: TransportOptions;

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  get clock(): Clock {
    return this.#options.clock;
  }

  get retry(): RetryPolicy {
    return this.#options.retry;
  }

  get attemptTimeoutMs(): number {
    return this.#options.attemptTimeoutMs;
  }

  random(): number {
    return this.#options.random();
  }

  /** A 2xx answer. @throws {SluiceClientError} for everything else. */
  async call(call: Call): Promise<Answered> {
    const { clock, retry, random } = this.#options;
    const policy = { ...retry, timeoutMs: (call.timeoutMs ?? retry.timeoutMs) + (call.waitMs ?? 0) };
    const startMs = clock.monotonicMs();
    const elapsedMs = () => clock.monotonicMs() - startMs;
    let isUnknown = false;
    for (let attempt = 1; ; attempt += 1) {
      const answer = await this.#attempt(call, policy.timeoutMs - elapsedMs());
      if (!(answer instanceof SluiceClientError)) return answer;
      isUnknown ||= answer.outcome === "unknown";
      const failure = isUnknown ? answer.withOutcome("unknown") : answer;
      if (failure.code === "ABORTED") throw failure;
      const decision = decideRetry({ ...answer, attempt, elapsedMs: elapsedMs() }, policy, random());
      if (decision.kind === "give-up") throw failure;
      await this.#pause(decision.delayMs, { call, failure });
    }
  }

  async #pause(
    delayMs: number,
    { call, failure }: { readonly call: Call; readonly failure: SluiceClientError },
  ): Promise<void> {
    const outcome = await this.#options.clock.sleep(delayMs, call.signal);
    if (outcome === "aborted") throw aborted(call.signal, failure.outcome);
  }

  /**
   * The response to one attempt, its body unread; ends only with `call.signal`.
   *
   * @throws {SluiceClientError} for every answer but 2xx, and for none.
   */
  async open(call: Call): Promise<Response> {
    const response = await this.#send(call, call.signal).catch((cause: unknown) => {
      throw noAnswer(call, cause);
    });
    if (response.ok) return response;
    throw refusalOf(call, response, await response.text().catch(() => ""));
  }

  async #attempt(call: Call, leftMs: number): Promise<Answered | SluiceClientError> {
    if (call.signal?.aborted) return aborted(call.signal, call.enqueues ? "not_enqueued" : null);
    const { clock, attemptTimeoutMs } = this.#options;
    const limitMs = Math.max(1, Math.min(leftMs, attemptTimeoutMs + (call.waitMs ?? 0)));
    const cut = new AbortController();
    const cancel = clock.after(limitMs, () => cut.abort(new TimedOut(limitMs)));
    try {
      const signals = [cut.signal, ...(call.signal === undefined ? [] : [call.signal])];
      const response = await this.#send(call, AbortSignal.any(signals));
      return answerOf(call, response, await response.text());
    } catch (cause) {
      return noAnswer(call, cut.signal.aborted ? cut.signal.reason : cause);
    } finally {
      cancel();
    }
  }

  #send({ method, path, headers, body }: Call, signal: AbortSignal | undefined): Promise<Response> {
    const { baseUrl, apiKey, fetch } = this.#options;
    // Not of the object: a browser's fetch refuses to be called as a method.
    return fetch(`${baseUrl}${path}`, {
      method,
      redirect: "manual",
      headers: {
        accept: "application/json",
        ...(apiKey !== null && { authorization: `Bearer ${apiKey}` }),
        ...headers,
      },
      ...(signal !== undefined && { signal }),
      ...(body !== undefined && { body }),
      ...(body instanceof ReadableStream && { duplex: "half" }),
    } as RequestInit);
  }
}

/** Why an attempt of ours was cut off. */
export class TimedOut extends Error {
  constructor(limitMs: number) {
    super(`no answer within ${Math.round(limitMs)} ms`);
  }
}

/** The error of a caller's own abort. */
export function aborted(signal: AbortSignal | undefined, outcome: Outcome | null): SluiceClientError {
  return new SluiceClientError({
    code: "ABORTED",
    message: "The call was aborted",
    outcome,
    cause: signal?.reason,
  });
}

export function noAnswer(call: Pick<Call, "enqueues" | "signal">, cause: unknown): SluiceClientError {
  const outcome = call.enqueues ? (neverSent(cause) ? "not_enqueued" : "unknown") : null;
  const isLate = cause instanceof TimedOut;
  if (call.signal?.aborted && !isLate) return aborted(call.signal, outcome);
  const code = isLate ? "TIMEOUT" : "NO_ANSWER";
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new SluiceClientError({ code, message: `The server did not answer: ${reason}`, outcome, cause });
}

/** No connection came about, so nothing can have been read. */
function neverSent(cause: unknown): boolean {
  const inner = cause instanceof Error ? cause.cause : null;
  return inner instanceof Error && "code" in inner && NOT_CONNECTED.has(String(inner.code));
}

const NOT_CONNECTED = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "UND_ERR_CONNECT_TIMEOUT"]);

function answerOf(call: Call, response: Response, text: string): Answered | SluiceClientError {
  if (!response.ok) return refusalOf(call, response, text);
  const value = text === "" ? null : parsed(text);
  if (value !== undefined) return { status: response.status, headers: response.headers, value };
  return new SluiceClientError({
    code: "ANSWER_UNREADABLE",
    message: `The server answered ${response.status} with something that is not JSON`,
    outcome: call.enqueues ? "unknown" : null,
  });
}

function refusalOf(call: Call, response: Response, text: string): SluiceClientError {
  const { status } = response;
  const told = fieldsOf(parsed(text));
  const { code, detail, title, outcome } = told;
  // Whoever refuses with a 4xx has not handed the job on; of a 5xx that is not ours nobody knows.
  const known = outcome === "not_enqueued" || outcome === "unknown" ? outcome : null;
  return new SluiceClientError({
    code: typeof code === "string" ? code : `HTTP_${status}`,
    message: [detail, title].find((it) => typeof it === "string") ?? `The server answered ${status}`,
    outcome: call.enqueues ? (known ?? (status < 500 ? "not_enqueued" : "unknown")) : null,
    status,
    retryAfterMs: retryAfterMsOf(told.retryAfterMs, response.headers),
    issues: issuesOf(told.errors),
  });
}

function retryAfterMsOf(told: unknown, headers: Headers): number | null {
  if (typeof told === "number" && told >= 0) return told;
  const header = headers.get("retry-after");
  if (header === null) return null;
  if (/^\d+$/.test(header)) return Number(header) * 1_000;
  const [dueMs, sentMs] = [fromHttpDate(header), fromHttpDate(headers.get("date") ?? "")];
  return dueMs === null || sentMs === null ? null : Math.max(0, dueMs - sentMs);
}

export function issuesOf(errors: unknown): readonly Issue[] {
  if (!Array.isArray(errors)) return [];
  return errors.map((it) => {
    const { pointer, rule, message } = fieldsOf(it);
    return { pointer: String(pointer ?? ""), rule: String(rule ?? ""), message: String(message ?? "") };
  });
}

/** The fields of a JSON object; none of anything else. */
export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return value !== null && typeof value === "object" ? (value as Record<string, unknown>) : {};
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
