/**
 * A lane's worker that a test drives: it obeys like the real one and takes nothing by itself.
 *
 * An awaited pause ends once nothing is in flight; a resume before that is what BullMQ does not survive,
 * so it is noted as a fault.
 */
import type { SlottedWorker } from "#worker/lane-slots";

export class FakeLaneWorker implements SlottedWorker {
  readonly lane: string;
  inFlight = 0;
  paused = false;
  started = false;
  /** Resumes that came in the middle of a pause. */
  faults = 0;
  #slots = 0;
  #emptied: (() => void) | null = null;

  constructor(lane: string) {
    this.lane = lane;
  }

  /** Jobs it may have in flight now; 0 while it takes nothing. */
  get slots(): number {
    return this.paused || !this.started ? 0 : this.#slots;
  }

  start(slots: number): void {
    this.started = true;
    this.#slots = slots;
  }

  async setSlots(slots: number): Promise<void> {
    this.#slots = slots;
  }

  async pause(): Promise<void> {
    if (this.paused) return;
    this.paused = true;
    if (this.inFlight === 0) return;
    await new Promise<void>((resolve) => {
      this.#emptied = resolve;
    });
  }

  async pauseSoon(): Promise<void> {
    this.paused = true;
  }

  async resume(): Promise<void> {
    if (this.#emptied !== null) this.faults += 1;
    this.paused = false;
  }

  async stopTaking(): Promise<void> {
    this.paused = true;
  }

  take(jobs = 1): void {
    this.inFlight += jobs;
  }

  settle(jobs = 1): void {
    this.inFlight -= jobs;
    if (this.inFlight > 0 || this.#emptied === null) return;
    const emptied = this.#emptied;
    this.#emptied = null;
    emptied();
  }
}
