/**
 * The workers of a simulated pool: who there is, in which state, and what each slot runs.
 *
 * Flat arrays by worker number, since a slot changes hands some hundred thousand times a day. Numbers are never used
 * again. It has no time of its own and starts or ends nobody by itself: that is pool-run.ts.
 */

export const WORKER = { starting: 0, ready: 1, draining: 2, gone: 3 } as const;

export const ORDER = { none: 0, drain: 1, run: 2, stop: 3 } as const;

/** No job in the slot. */
export const FREE_SLOT = -1;

export class SimulatedFleet {
  readonly slotsPerWorker: number;
  /** Numbers of those that are not gone, oldest first. */
  alive: number[] = [];
  starting = 0;
  ready = 0;
  draining = 0;
  /** Busy slots of ready workers. */
  busySlots = 0;
  state = new Uint8Array(64);
  busy = new Uint16Array(64);
  startedAtMs = new Float64Array(64);
  /** 1: its start is over. */
  up = new Uint8Array(64);
  /** What it was last told and has not heard yet. */
  order = new Uint8Array(64);
  /** By slot: worker x slots + place. */
  slotJob: Int32Array;
  slotTakenAtMs: Float64Array;
  #count = 0;
  readonly #free = new Ring();

  constructor(slotsPerWorker: number) {
    this.slotsPerWorker = slotsPerWorker;
    this.slotJob = new Int32Array(64 * slotsPerWorker).fill(FREE_SLOT);
    this.slotTakenAtMs = new Float64Array(64 * slotsPerWorker);
  }

  add(atMs: number): number {
    const worker = this.#count;
    if (worker === this.state.length) this.#grow();
    this.#count += 1;
    this.startedAtMs[worker] = atMs;
    this.alive.push(worker);
    this.starting += 1;
    return worker;
  }

  /** Takes jobs from now on, or does so once its start is over. */
  makeReady(worker: number): void {
    this.#leaveState(worker);
    if (this.up[worker] === 0) {
      this.state[worker] = WORKER.starting;
      this.starting += 1;
      return;
    }
    this.state[worker] = WORKER.ready;
    this.ready += 1;
    this.busySlots += this.busy[worker] as number;
    this.#free.add(worker);
  }

  makeDraining(worker: number): void {
    this.#leaveState(worker);
    this.state[worker] = WORKER.draining;
    this.draining += 1;
  }

  remove(worker: number): void {
    this.#leaveState(worker);
    this.state[worker] = WORKER.gone;
    this.alive.splice(this.alive.indexOf(worker), 1);
  }

  /** The ready worker that has had a free slot for longest, or -1. Redis too serves who has asked for longest. */
  nextFree(): number {
    for (;;) {
      const worker = this.#free.first;
      if (worker < 0) return -1;
      if (this.state[worker] === WORKER.ready && (this.busy[worker] as number) < this.slotsPerWorker) {
        return worker;
      }
      this.#free.dropFirst();
    }
  }

  /** Puts the job into a free slot of a ready worker, and tells which. */
  occupy(worker: number, job: number, atMs: number): number {
    let slot = worker * this.slotsPerWorker;
    while (this.slotJob[slot] !== FREE_SLOT) slot += 1;
    this.slotJob[slot] = job;
    this.slotTakenAtMs[slot] = atMs;
    this.busy[worker] = (this.busy[worker] as number) + 1;
    this.busySlots += 1;
    if (this.#free.first === worker) this.#free.dropFirst();
    if ((this.busy[worker] as number) < this.slotsPerWorker) this.#free.add(worker);
    return slot;
  }

  /** Empties the slot, and tells which job was in it. */
  vacate(slot: number): number {
    const worker = this.workerOf(slot);
    const job = this.slotJob[slot] as number;
    this.slotJob[slot] = FREE_SLOT;
    this.busy[worker] = (this.busy[worker] as number) - 1;
    if (this.state[worker] === WORKER.ready) {
      this.busySlots -= 1;
      this.#free.add(worker);
    }
    return job;
  }

  /** Slots of the worker that hold a job. */
  busySlotsOf(worker: number): number[] {
    const slots: number[] = [];
    for (let place = 0; place < this.slotsPerWorker; place += 1) {
      const slot = worker * this.slotsPerWorker + place;
      if (this.slotJob[slot] !== FREE_SLOT) slots.push(slot);
    }
    return slots;
  }

  workerOf(slot: number): number {
    return Math.floor(slot / this.slotsPerWorker);
  }

  #leaveState(worker: number): void {
    switch (this.state[worker]) {
      case WORKER.starting:
        this.starting -= 1;
        return;
      case WORKER.ready:
        this.ready -= 1;
        this.busySlots -= this.busy[worker] as number;
        return;
      default:
        this.draining -= 1;
    }
  }

  #grow(): void {
    const length = this.state.length * 2;
    const { state, busy, up, order, startedAtMs, slotJob, slotTakenAtMs, slotsPerWorker } = this;
    this.state = new Uint8Array(length);
    this.busy = new Uint16Array(length);
    this.up = new Uint8Array(length);
    this.order = new Uint8Array(length);
    this.startedAtMs = new Float64Array(length);
    this.slotJob = new Int32Array(length * slotsPerWorker).fill(FREE_SLOT);
    this.slotTakenAtMs = new Float64Array(length * slotsPerWorker);
    this.state.set(state);
    this.busy.set(busy);
    this.up.set(up);
    this.order.set(order);
    this.startedAtMs.set(startedAtMs);
    this.slotJob.set(slotJob);
    this.slotTakenAtMs.set(slotTakenAtMs);
  }
}

/** A queue of workers, each in it at most once. */
class Ring {
  #places = new Int32Array(64);
  #inside = new Uint8Array(64);
  #head = 0;
  #length = 0;

  /** -1 when it is empty. */
  get first(): number {
    return this.#length === 0 ? -1 : (this.#places[this.#head] as number);
  }

  add(worker: number): void {
    if (worker >= this.#inside.length) this.#inside = grown(this.#inside, worker);
    if (this.#inside[worker] === 1) return;
    if (this.#length === this.#places.length) this.#double();
    this.#places[(this.#head + this.#length) % this.#places.length] = worker;
    this.#length += 1;
    this.#inside[worker] = 1;
  }

  dropFirst(): void {
    this.#inside[this.first] = 0;
    this.#head = (this.#head + 1) % this.#places.length;
    this.#length -= 1;
  }

  #double(): void {
    const places = new Int32Array(this.#places.length * 2);
    for (let at = 0; at < this.#length; at += 1) {
      places[at] = this.#places[(this.#head + at) % this.#places.length] as number;
    }
    this.#places = places;
    this.#head = 0;
  }
}

function grown(inside: Uint8Array<ArrayBuffer>, worker: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.max(inside.length * 2, worker + 1));
  larger.set(inside);
  return larger;
}
