/**
 * What a handler says of its progress, written with the job at most once a second.
 *
 * It is made for a run whose handler says something, and costs others nothing. Of what is said within a second the
 * last is written. A report can never fail the job: what cannot be written is left out, and a percentage
 * out of range is the nearest in it. Progress belongs to one start: a retry begins at nothing, because
 * its handler does, and the record that the retry leaves has none.
 */
import type { Clock } from "#shared/clock";
import { type JobProgress, PROGRESS_CHARS_MAX } from "#shared/job-record";
import type { TakenJob } from "#shared/redis/lane-worker";
import { toRfc3339 } from "#shared/system-clock";

const INTERVAL_MS = 1_000;

export interface ProgressPorts {
  readonly job: TakenJob;
  readonly clock: Clock;
  /** Whether the run has ended or was told to: from then on the job's record is its settlement's. */
  isOver(): boolean;
}

export class ProgressReport {
  readonly #ports: ProgressPorts;
  #unwritten: JobProgress | null = null;
  #isPacing = false;

  constructor(ports: ProgressPorts) {
    this.#ports = ports;
  }

  /** @param percent 0 to 100; anything that is no number says nothing. */
  say(percent: number, message?: string): void {
    const { job, clock, isOver } = this.#ports;
    if (isOver() || typeof percent !== "number" || Number.isNaN(percent)) return;
    this.#unwritten = {
      percent: Math.min(100, Math.max(0, percent)),
      ...(typeof message === "string" && { message: message.slice(0, PROGRESS_CHARS_MAX) }),
      at: toRfc3339(clock.nowMs()),
      start: job.starts,
    };
    if (!this.#isPacing) this.#write();
  }

  #write(): void {
    const { job, clock, isOver } = this.#ports;
    const progress = this.#unwritten;
    this.#unwritten = null;
    this.#isPacing = progress !== null && !isOver();
    if (progress === null || isOver()) return;
    // The next waits for this one too: while Redis is away nothing piles up.
    const written = job.keepRecord?.({ ...job.record, progress }).catch(() => undefined);
    clock.after(INTERVAL_MS, () => void Promise.resolve(written).then(() => this.#write()));
  }
}
