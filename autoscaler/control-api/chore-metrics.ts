/** Counters of what the leader does beside scaling: schedules and chores. Labels are bounded by the registry. */
import { Counter, Gauge, type Registry } from "prom-client";

export class ChoreMetrics {
  readonly #occurrences: Counter<"outcome">;
  readonly #refused: Gauge;
  readonly #raised: Counter<"queue">;
  readonly #memory: Gauge;
  readonly #cleaned: Counter;
  readonly #quarantinedRemoved: Counter<"queue">;
  readonly #parkedBeyond: Gauge<"queue">;
  readonly #swept: Counter<"queue">;
  readonly #failed: Counter<"chore">;

  constructor(registry: Registry) {
    const registers = [registry];
    const counter = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
      new Counter({ name, help, labelNames, registers });
    const gauge = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
      new Gauge({ name, help, labelNames, registers });
    this.#occurrences = counter(
      "sluice_schedule_occurrences_total",
      "Occurrences of schedules: enqueued, refused at a try, or missed for good.",
      "outcome",
    );
    this.#refused = gauge(
      "sluice_schedules_refused",
      "Schedules with an occurrence that is not taken and tried again.",
    );
    this.#raised = counter(
      "sluice_raised_jobs_total",
      "Jobs that were given the highest priority because they had waited long.",
      "queue",
    );
    this.#memory = gauge(
      "sluice_redis_memory_used_ratio",
      "Share of Redis' maxmemory that is in use; not a number without a limit.",
    );
    this.#cleaned = counter(
      "sluice_cleaned_jobs_total",
      "Succeeded jobs that were removed early because Redis' memory ran low.",
    );
    this.#quarantinedRemoved = counter(
      "sluice_quarantined_jobs_removed_total",
      "Quarantined jobs that were removed because they were too many or too old.",
      "queue",
    );
    this.#parkedBeyond = gauge(
      "sluice_parked_jobs_beyond_bounds",
      "1 when a queue has more than 10,000 parked jobs, or one for more than 14 days.",
      "queue",
    );
    this.#swept = counter(
      "sluice_open_jobs_swept_total",
      "Jobs that had ended and were still counted as their tenant's open ones.",
      "queue",
    );
    this.#failed = counter(
      "sluice_chore_failures_total",
      "Rounds of a chore of the leader that failed.",
      "chore",
    );
    this.#memory.set(Number.NaN);
    this.#refused.set(Number.NaN);
  }

  scheduleFired(fired: {
    readonly enqueued: readonly unknown[];
    readonly missed: number;
    readonly refusal: unknown;
  }): void {
    this.#occurrences.inc({ outcome: "enqueued" }, fired.enqueued.length);
    this.#occurrences.inc({ outcome: "missed" }, fired.missed);
    if (fired.refusal !== null) this.#occurrences.inc({ outcome: "refused" });
  }

  schedulesRefused(count: number): void {
    this.#refused.set(count);
  }

  raised(queue: string, jobs: number): void {
    this.#raised.inc({ queue }, jobs);
  }

  memoryUsed(share: number | null): void {
    this.#memory.set(share ?? Number.NaN);
  }

  cleaned(jobs: number): void {
    this.#cleaned.inc(jobs);
  }

  quarantinedRemoved(queue: string, jobs: number): void {
    this.#quarantinedRemoved.inc({ queue }, jobs);
  }

  parkedBeyond(queue: string, isBeyond: boolean): void {
    this.#parkedBeyond.set({ queue }, isBeyond ? 1 : 0);
  }

  swept(queue: string, jobs: number): void {
    this.#swept.inc({ queue }, jobs);
  }

  choreFailed(chore: string): void {
    this.#failed.inc({ chore });
  }
}
