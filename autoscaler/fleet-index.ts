/**
 * The workers of one look, found by queue, release and lane.
 *
 * Built in one pass, so that a round over a thousand lanes and ten thousand workers does not go through all
 * workers for each lane. It counts and judges nothing.
 */
import type { WorkerState, WorkerView } from "./snapshot.ts";

/** A worker in one of these keeps another from being started in its place. */
const HOLDS_PLACE: ReadonlySet<WorkerState> = new Set(["starting", "ok", "suspect", "quarantined"]);

interface Taking {
  workers: number;
  slots: number;
}

export class FleetIndex {
  readonly #byQueue = new Map<string, WorkerView[]>();
  readonly #taking = new Map<string, Taking>();
  readonly #subscribers = new Map<string, number>();
  readonly #holding = new Map<string, number>();
  readonly #starting = new Map<string, number>();
  readonly #stuck = new Map<string, number>();

  constructor(workers: readonly WorkerView[]) {
    for (const worker of workers) this.#add(worker);
  }

  /** A queue's workers, in the order of the look. */
  of(queue: string): readonly WorkerView[] {
    return this.#byQueue.get(queue) ?? [];
  }

  /** Workers that take from the lane now. */
  consumers(lane: string): number {
    return this.#taking.get(lane)?.workers ?? 0;
  }

  /** Slots of the workers that take from the lane now, busy or free. */
  readySlots(lane: string): number {
    return this.#taking.get(lane)?.slots ?? 0;
  }

  /** Workers of a release that take from the lane, will soon, or are only kept from it by a trip. */
  subscribers({ queue, lane, release }: { queue: string; lane: string; release: string }): number {
    const subscribed = this.#subscribers.get(keyOf(`${queue}|${lane}`, release)) ?? 0;
    return subscribed + (this.#starting.get(keyOf(queue, release)) ?? 0);
  }

  /** Workers of a release that keep others from being started in their place. */
  holding(queue: string, release: string): number {
    return this.#holding.get(keyOf(queue, release)) ?? 0;
  }

  /** A queue's quarantined workers. */
  stuck(queue: string): number {
    return this.#stuck.get(queue) ?? 0;
  }

  #add(worker: WorkerView): void {
    const { queue, release, state } = worker;
    const own = this.#byQueue.get(queue);
    if (own === undefined) this.#byQueue.set(queue, [worker]);
    else own.push(worker);
    if (!HOLDS_PLACE.has(state)) return;
    raise(this.#holding, keyOf(queue, release));
    if (state === "quarantined") raise(this.#stuck, queue);
    else if (state === "starting") raise(this.#starting, keyOf(queue, release));
    else this.#addLanes(worker);
  }

  #addLanes({ queue, release, state, slots, lanes, trippedLanes }: WorkerView): void {
    for (const lane of new Set([...lanes, ...trippedLanes]))
      raise(this.#subscribers, keyOf(`${queue}|${lane}`, release));
    if (state !== "ok") return;
    for (const lane of lanes) {
      const taking = this.#taking.get(lane);
      if (taking === undefined) this.#taking.set(lane, { workers: 1, slots });
      else {
        taking.workers += 1;
        taking.slots += slots;
      }
    }
  }
}

/** Neither a queue's name, a lane's nor a release's id holds a bar. */
function keyOf(place: string, release: string): string {
  return `${place}|${release}`;
}

function raise(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
