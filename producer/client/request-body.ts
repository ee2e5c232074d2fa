/** The body of one request of a stream: takes the next line when the connection has room for it, until told. */
import type { Clock } from "#shared/clock";

export interface RequestBodyOptions {
  readonly clock: Clock;
  /** It takes no more lines after so long, in milliseconds. */
  readonly durationMs: number;
  readonly signal: AbortSignal | undefined;
  /** The next line, `null` for the end; called again only after it has resolved. `ended` aborts when it is late. */
  next(ended: AbortSignal): Promise<string | null>;
}

export class RequestBody {
  readonly stream: ReadableStream<Uint8Array>;
  /** Aborts the request: the caller's, or `cut`. */
  readonly signal: AbortSignal;
  readonly #ended = new AbortController();
  readonly #cut = new AbortController();
  readonly #cancelLimit: () => void;

  constructor({ clock, durationMs, signal, next }: RequestBodyOptions) {
    const encoder = new TextEncoder();
    this.signal = signal === undefined ? this.#cut.signal : AbortSignal.any([signal, this.#cut.signal]);
    this.stream = new ReadableStream(
      {
        pull: async (controller) => {
          const line = await next(this.#ended.signal);
          if (line === null) controller.close();
          else controller.enqueue(encoder.encode(`${line}\n`));
        },
        cancel: () => this.takeNoMore(),
      },
      { highWaterMark: 0 },
    );
    this.#cancelLimit = clock.after(durationMs, () => this.takeNoMore());
  }

  /** Ends the body; the answers to what is sent still come. */
  takeNoMore(): void {
    this.#ended.abort();
  }

  /** Ends the whole request. */
  cut(reason: unknown): void {
    this.#cancelLimit();
    this.#ended.abort();
    this.#cut.abort(reason);
  }
}

/** What `promise` resolves with, or `undefined` once `signal` aborts. */
export function unlessAborted<Value>(
  signal: AbortSignal,
  promise: Promise<Value>,
): Promise<Value | undefined> {
  return new Promise((resolve, reject) => {
    const onAbort = () => resolve(undefined);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
