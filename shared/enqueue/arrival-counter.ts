/**
 * Counts accepted jobs by queue, type and lane, and hands the counts to Redis about once a second.
 *
 * Counts that could not be handed over stay and go with the next; a crash loses at most a second of
 * them, which is an estimate's error and no job's. The first job of a while is announced at once, so
 * that a fleet at zero wakes on it.
 */
import type { Clock } from "../clock.ts";
import type { LoadStore } from "../redis/load-store.ts";

const FLUSH_INTERVAL_MS = 1_000;

/** A queue is announced at most this often. */
const ANNOUNCE_INTERVAL_MS = 250;

type Counts = Map<string, Map<string, number>>;

export class ArrivalCounter {
  readonly #store: LoadStore;
  readonly #clock: Clock;
  readonly #announcedAtMs = new Map<string, number>();
  #counts: Counts = new Map();

  constructor(store: LoadStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** @param counter `arrivalCounterName` of the job. */
  count(queue: string, counter: string): void {
    addTo(this.#counts, queue, counter, 1);
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - (this.#announcedAtMs.get(queue) ?? Number.NEGATIVE_INFINITY) < ANNOUNCE_INTERVAL_MS) return;
    this.#announcedAtMs.set(queue, nowMs);
    // The job is accepted either way; without the announcement the autoscaler's next look finds it.
    this.#store.announce(queue).catch(() => undefined);
  }

  /** Hands counts over until `signal` aborts, then once more. */
  async run(signal: AbortSignal): Promise<void> {
    while ((await this.#clock.sleep(FLUSH_INTERVAL_MS, signal)) === "elapsed") await this.flush();
    await this.flush();
  }

  async flush(): Promise<void> {
    if (this.#counts.size === 0) return;
    const counts = this.#counts;
    this.#counts = new Map();
    try {
      await this.#store.addArrivals(counts);
    } catch {
      for (const [queue, byCounter] of counts) {
        for (const [counter, jobs] of byCounter) addTo(this.#counts, queue, counter, jobs);
      }
    }
  }
}

function addTo(counts: Counts, queue: string, counter: string, jobs: number): void {
  const byCounter = counts.get(queue) ?? new Map<string, number>();
  byCounter.set(counter, (byCounter.get(counter) ?? 0) + jobs);
  counts.set(queue, byCounter);
}
