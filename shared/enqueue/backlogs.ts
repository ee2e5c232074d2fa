/**
 * What this process knows of each queue's backlog, from its own admissions: how fast it drains, how large its jobs
 * are, and which places have been promised to jobs that were refused.
 */
import type { Clock } from "../clock.ts";
import type { QueueSeen } from "../redis/admission.ts";
import { decideReturn } from "./decide-return.ts";
import type { QueueLoad } from "./decide-room.ts";
import { type DrainEstimate, drainPerSec, NO_DRAIN_ESTIMATE, withDrainLook } from "./estimate-drain-rate.ts";

/** Weight of a new job in the mean size. */
const SIZE_WEIGHT = 1 / 64;

interface Backlog {
  drain: DrainEstimate;
  meanBytes: number | null;
  depth: number;
  promisedUntilMs: number | null;
}

export class Backlogs {
  readonly #clock: Clock;
  readonly #queues = new Map<string, Backlog>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** To be told what each call of the admission script, or a look, saw. */
  seen({ queue, depth, admitted }: QueueSeen): void {
    const backlog = this.#of(queue);
    backlog.depth = depth;
    backlog.drain = withDrainLook(backlog.drain, { atMs: this.#clock.monotonicMs(), depth, admitted });
  }

  /** @param bytes size of the envelope of a job that was accepted. */
  accepted(queue: string, bytes: number): void {
    const backlog = this.#of(queue);
    const mean = backlog.meanBytes;
    backlog.meanBytes = mean === null ? bytes : mean + (bytes - mean) * SIZE_WEIGHT;
  }

  loadOf(queue: string): QueueLoad {
    const { drain, meanBytes } = this.#of(queue);
    return { drainPerSec: drainPerSec(drain, this.#clock.monotonicMs()), meanBytes };
  }

  /** Promises a place to a job that is refused because `depthMax` jobs wait. @returns milliseconds from now. */
  promise(queue: string, depthMax: number): number {
    const backlog = this.#of(queue);
    const { drainPerSec: rate } = this.loadOf(queue);
    const nowMs = this.#clock.monotonicMs();
    const ahead = Math.max(1, backlog.depth - depthMax + 1);
    const { promisedUntilMs } = backlog;
    const decision = decideReturn({ nowMs, ahead, drainPerSec: rate, promisedUntilMs });
    backlog.promisedUntilMs = decision.promisedUntilMs;
    return decision.retryAfterMs;
  }

  #of(queue: string): Backlog {
    let backlog = this.#queues.get(queue);
    if (backlog === undefined) {
      backlog = { drain: NO_DRAIN_ESTIMATE, meanBytes: null, depth: 0, promisedUntilMs: null };
      this.#queues.set(queue, backlog);
    }
    return backlog;
  }
}
