/**
 * Gathers single jobs that are handed in at about the same time into batches. Off unless it is asked for: it
 * makes each job wait up to `maxWaitMs` for company, and is worth it from some hundred jobs a second.
 *
 * A job that is aborted before its batch leaves is never sent; afterwards its fate is not known.
 */
import type { Clock } from "#shared/clock";
import type { BatchSender } from "./batch-sender.ts";
import type { ItemResult } from "./item-result.ts";
import { aborted } from "./transport.ts";

export interface MicroBatchPolicy {
  /** A batch leaves when it has so many jobs; 1 to 1,000. */
  readonly maxItems: number;
  /** A batch leaves when its first job has waited so long, in milliseconds. */
  readonly maxWaitMs: number;
}

interface Gathered {
  readonly text: string;
  resolve(result: ItemResult): void;
  reject(error: unknown): void;
}

export class MicroBatcher {
  readonly #sender: BatchSender;
  readonly #policy: MicroBatchPolicy;
  readonly #clock: Clock;
  #gathered: Gathered[] = [];
  #leavesBy: AbortController | null = null;

  constructor(sender: BatchSender, policy: MicroBatchPolicy, clock: Clock) {
    this.#sender = sender;
    this.#policy = policy;
    this.#clock = clock;
  }

  add(text: string, signal?: AbortSignal): Promise<ItemResult> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(aborted(signal, "not_enqueued"));
        return;
      }
      const onAbort = () => {
        const isWaiting = this.#gathered.includes(job);
        this.#gathered = this.#gathered.filter((it) => it !== job);
        reject(aborted(signal, isWaiting ? "not_enqueued" : "unknown"));
      };
      const settling =
        <Value>(settle: (value: Value) => void) =>
        (value: Value) => {
          signal?.removeEventListener("abort", onAbort);
          settle(value);
        };
      const job: Gathered = { text, resolve: settling(resolve), reject: settling(reject) };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#gathered.push(job);
      this.#arrange();
    });
  }

  #arrange(): void {
    if (this.#gathered.length >= this.#policy.maxItems) {
      this.#leave();
      return;
    }
    if (this.#leavesBy !== null) return;
    const leavesBy = new AbortController();
    this.#leavesBy = leavesBy;
    // Not a call in the background: a job that waits keeps the process alive.
    void this.#clock.sleep(this.#policy.maxWaitMs, leavesBy.signal).then((outcome) => {
      if (outcome === "elapsed") this.#leave();
    });
  }

  #leave(): void {
    const jobs = this.#gathered;
    this.#gathered = [];
    this.#leavesBy?.abort();
    this.#leavesBy = null;
    if (jobs.length === 0) return;
    this.#sender.send(jobs.map(({ text }, index) => ({ index, text }))).then(
      (results) => {
        jobs.forEach((job, index) => {
          const result = results[index];
          if (result !== undefined) job.resolve(result);
        });
      },
      (error: unknown) => {
        for (const job of jobs) job.reject(error);
      },
    );
  }
}
