/** Jobs a second of each worker, from how many it had settled at two looks. */
import type { RolloutWorker } from "./rollout-answer.ts";

/** Shorter spans tell noise: heartbeats come every second. */
const SPAN_MS_MIN = 2_500;

interface Seen {
  readonly atMs: number;
  readonly settled: number;
}

export class JobRates {
  #since = new Map<string, Seen>();
  #rates = new Map<string, number>();

  /** Of workers that were seen for long enough. */
  get bySecond(): ReadonlyMap<string, number> {
    return this.#rates;
  }

  see(workers: readonly RolloutWorker[], atMs: number): void {
    const since = new Map<string, Seen>();
    const rates = new Map<string, number>();
    for (const { worker, settled } of workers) {
      const now = { atMs, settled: Object.values(settled).reduce((sum, it) => sum + it, 0) };
      const before = this.#since.get(worker);
      const spanMs = atMs - (before?.atMs ?? atMs);
      const isDue = before !== undefined && spanMs >= SPAN_MS_MIN;
      const rate = isDue ? (now.settled - before.settled) / (spanMs / 1_000) : this.#rates.get(worker);
      if (rate !== undefined) rates.set(worker, Math.max(rate, 0));
      since.set(worker, before === undefined || isDue ? now : before);
    }
    this.#since = since;
    this.#rates = rates;
  }
}
