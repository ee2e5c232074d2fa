/**
 * Runs a worker's lanes behind one slot budget.
 *
 * Carries out `decideSlotShares` whenever a job is taken, settled, or a lane is found empty. With fewer
 * slots than lanes the lanes take turns: one runs, the others are paused, and a turn ends after a
 * second once nothing is in flight.
 */
import type { Clock } from "#shared/clock";
import type { LaneWorker } from "#shared/redis/lane-worker";
import { decideSlotShares, type LaneDemand } from "./decide-slot-shares.ts";

const TURN_MS = 1_000;

interface Lane {
  readonly worker: LaneWorker;
  slots: number;
  hungry: boolean;
}

export class LaneSlots {
  readonly #lanes: Lane[] = [];
  readonly #budget: number;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  #taking = true;
  #rebalancing: Promise<void> = Promise.resolve();

  /** @param budget slots of the worker, all lanes together. */
  constructor(budget: number, clock: Clock) {
    this.#budget = budget;
    this.#clock = clock;
  }

  get workers(): readonly LaneWorker[] {
    return this.#lanes.map((lane) => lane.worker);
  }

  get inFlight(): number {
    return this.#lanes.reduce((total, lane) => total + lane.worker.inFlight, 0);
  }

  /** @param workers oldest lane first. Starts taking. */
  async start(workers: readonly LaneWorker[]): Promise<void> {
    const takesTurns = workers.length > this.#budget;
    for (const worker of workers) this.#lanes.push({ worker, slots: 1, hungry: false });
    if (takesTurns) {
      for (const { worker } of this.#lanes) await worker.pauseSoon();
      for (const { worker } of this.#lanes) worker.start(1);
      this.#takeTurns().catch(() => undefined);
      return;
    }
    const shares = decideSlotShares(this.#demands(), this.#budget);
    for (const lane of this.#lanes) {
      lane.slots = shares.get(lane.worker.lane) ?? 1;
      lane.worker.start(lane.slots);
    }
  }

  /** A job was taken from the lane, or settled. */
  changed(laneName: string): void {
    const lane = this.#lanes.find((it) => it.worker.lane === laneName);
    if (lane === undefined || this.#lanes.length === 1) return;
    if (lane.worker.inFlight >= lane.slots) lane.hungry = true;
    this.#rebalanceSoon();
  }

  /** The lane was found empty. */
  emptied(laneName: string): void {
    const lane = this.#lanes.find((it) => it.worker.lane === laneName);
    if (lane === undefined || !lane.hungry) return;
    lane.hungry = false;
    this.#rebalanceSoon();
  }

  /** Stops or goes on taking from all lanes; jobs in flight go on either way. */
  async setTaking(taking: boolean): Promise<void> {
    if (taking === this.#taking) return;
    this.#taking = taking;
    if (this.#lanes.length > this.#budget) return;
    await Promise.all(this.#lanes.map(({ worker }) => (taking ? worker.resume() : worker.pauseSoon())));
  }

  /** Takes nothing more, for good; resolves when nothing is in flight. May never resolve: race it. */
  async stopTaking(): Promise<void> {
    this.#stop.abort();
    this.#taking = false;
    await Promise.all(this.#lanes.map(({ worker }) => worker.stopTaking()));
  }

  #demands(): LaneDemand[] {
    return this.#lanes.map(({ worker, slots, hungry }) => ({
      lane: worker.lane,
      inFlight: worker.inFlight,
      slots,
      hungry,
    }));
  }

  /** One change at a time: raising is two steps of which a second raise must not see the middle. */
  #rebalanceSoon(): void {
    if (this.#lanes.length > this.#budget) return;
    this.#rebalancing = this.#rebalancing.then(() => this.#rebalance()).catch(() => undefined);
  }

  async #rebalance(): Promise<void> {
    if (this.#stop.signal.aborted || !this.#taking) return;
    const shares = decideSlotShares(this.#demands(), this.#budget);
    const changes = this.#lanes
      .map((lane) => ({ lane, slots: shares.get(lane.worker.lane) ?? lane.slots }))
      .filter(({ lane, slots }) => slots !== lane.slots)
      .sort((a, b) => a.slots - a.lane.slots - (b.slots - b.lane.slots));
    for (const { lane, slots } of changes) {
      lane.slots = slots;
      await lane.worker.setSlots(slots);
    }
  }

  async #takeTurns(): Promise<void> {
    for (let turn = 0; !this.#stop.signal.aborted; turn += 1) {
      const lane = this.#lanes[turn % this.#lanes.length];
      if (lane === undefined) return;
      if (this.#taking) await lane.worker.resume();
      await this.#clock.sleep(TURN_MS, this.#stop.signal);
      await lane.worker.pause();
    }
  }
}
