/**
 * Tells the fleet about this worker every two seconds and passes on what the reply asks for.
 *
 * A heartbeat that Redis does not answer is not repeated: the next one says more. Service counters
 * that were not acknowledged go with the next. The service counters are kept here, those of the release by whom they are
 * counted.
 */
import type { Clock } from "#shared/clock";
import type { FleetStore, HeartbeatReply, WorkerStatus } from "#shared/redis/fleet-store";
import { runBucketName, runTotalName } from "#shared/run-counters";
import type { ReleaseCounts } from "./release-counts.ts";

const INTERVAL_MS = 2_000;

/** Share of the interval that is drawn at random, so that a fleet does not beat in step. */
const JITTER = 0.1;

export interface HeartbeatPorts {
  readonly fleet: FleetStore;
  readonly clock: Clock;
  readonly workerId: string;
  readonly generation: number;
  readonly release: string;
  readonly queue: string;
  status(): WorkerStatus;
  /** What was run for the release; it keeps what was not acknowledged. */
  readonly releaseCounts: Pick<ReleaseCounts, "increases" | "acknowledged">;
  /** A draw in [0, 1). */
  random(): number;
  /** The fleet answered; the clock's offset is Redis' time minus ours, in milliseconds. */
  onReply(reply: HeartbeatReply, clockOffsetMs: number): void;
  /** A newer registration has taken this worker's place. */
  onSuperseded(): void;
  /** No answer; called at every failed beat. */
  onSilence(error: unknown): void;
}

export class Heartbeat {
  readonly #ports: HeartbeatPorts;
  readonly #unacknowledged = new Map<string, number>();
  #soon = new AbortController();

  constructor(ports: HeartbeatPorts) {
    this.#ports = ports;
  }

  /** A run of `type` has ended after holding a slot for `busyMs`. */
  countRun(type: string, busyMs: number): void {
    this.#add(runTotalName(type, "finished"), 1);
    this.#add(runTotalName(type, "busyms"), Math.round(busyMs));
    this.#add(runBucketName(type, "run", busyMs), 1);
  }

  /** A job of `type` was taken `waitedMs` after it fell due. */
  countPickup(type: string, waitedMs: number): void {
    this.#add(runTotalName(type, "pickupms"), Math.round(waitedMs));
    this.#add(runBucketName(type, "pickup", waitedMs), 1);
  }

  /** A job of `parentType` has created a job. */
  countCreated(parentType: string): void {
    this.#add(runTotalName(parentType, "created"), 1);
  }

  /** Beats until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#ports;
    while (!signal.aborted) {
      this.#soon = new AbortController();
      await this.beat();
      const waitMs = INTERVAL_MS * (1 - JITTER + 2 * JITTER * random());
      await clock.sleep(waitMs, AbortSignal.any([signal, this.#soon.signal]));
    }
  }

  /** Beats once more without waiting: the worker has changed what it does, and its place is waited for. */
  beatSoon(): void {
    this.#soon.abort();
  }

  async beat(): Promise<void> {
    const { fleet, clock, workerId, generation, release, queue, status, releaseCounts } = this.#ports;
    const { onReply, onSuperseded, onSilence } = this.#ports;
    const increases = new Map(this.#unacknowledged);
    const sentAtMs = clock.nowMs();
    try {
      const reply = await fleet.heartbeat({
        workerId,
        generation,
        release,
        queue,
        status: status(),
        serviceIncreases: Object.fromEntries(increases),
        releaseIncreases: releaseCounts.increases(),
      });
      releaseCounts.acknowledged();
      for (const [counter, increase] of increases) this.#add(counter, -increase);
      if (reply === null) onSuperseded();
      // Half of the round trip had passed when Redis looked at its clock.
      else onReply(reply, reply.redisNowMs - (sentAtMs + clock.nowMs()) / 2);
    } catch (error) {
      onSilence(error);
    }
  }

  #add(counter: string, increase: number): void {
    const total = (this.#unacknowledged.get(counter) ?? 0) + increase;
    if (total === 0) this.#unacknowledged.delete(counter);
    else this.#unacknowledged.set(counter, total);
  }
}
