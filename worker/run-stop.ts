/**
 * How one run is told to end: the first cause counts, and the handler sees it as an AbortSignal that is
 * made only when it asks for one.
 */
import { JobTimeoutError } from "#shared/errors";
import type { AbortCause } from "./decide-outcome.ts";

export type StopCause = AbortCause | "timeout";

export class RunStop {
  readonly #timeoutMs: number;
  #cause: StopCause | null = null;
  #controller: AbortController | null = null;

  /** @param timeoutMs the run's time limit, for the reason that the handler sees. */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** Why the run was told to end, `null` while it was not. */
  get cause(): StopCause | null {
    return this.#cause;
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#cause !== null) this.#controller.abort(this.#reason(this.#cause));
    }
    return this.#controller.signal;
  }

  /** Answers whether this was the first cause. */
  end(cause: StopCause): boolean {
    if (this.#cause !== null) return false;
    this.#cause = cause;
    this.#controller?.abort(this.#reason(cause));
    return true;
  }

  #reason(cause: StopCause): Error {
    return cause === "timeout" ? new JobTimeoutError(this.#timeoutMs) : new Error(cause);
  }
}
