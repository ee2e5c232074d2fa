/**
 * Runs a worker's lanes behind one slot budget.
 *
 * Carries out `decideSlotShares` whenever a job is taken, settled, a lane is found empty, or a lane trips or
 * is tried again. A tripped lane is paused and the others share the whole budget. With fewer slots than
 * lanes that may take, the lanes take turns: as many as there are slots are on turn, the others are
 * paused, and every second the one that is longest on turn gives its place away, once nothing of it is
 * in flight.
 *
 * What a changer must know: BullMQ must not be resumed before an awaited pause has ended, so a lane
 * counts as paused until then. Pausing without waiting may let one job come that was asked for already;
 * it is used where the lane must be able to go on at once.
 */
import type { Clock } from "#shared/clock";
import type { LaneWorker } from "#shared/redis/lane-worker";
import { decideSlotShares, type LaneDemand } from "./decide-slot-shares.ts";
import type { LaneStanding } from "./lane-trips.ts";

const TURN_MS = 1_000;

/** What is asked of a lane's worker here. */
export type SlottedWorker = Pick<
  LaneWorker,
  "lane" | "inFlight" | "paused" | "start" | "setSlots" | "pause" | "pauseSoon" | "resume" | "stopTaking"
>;

export interface LaneSlotsOptions {
  /** Slots of the worker, all lanes together. */
  readonly budget: number;
  readonly clock: Clock;
  /** How a lane stands now; call `standingsChanged` when an answer changes. */
  standingOf(lane: string): LaneStanding;
}

interface Lane {
  readonly worker: SlottedWorker;
  /** 0: paused. */
  slots: number;
  hungry: boolean;
  /** A job has come since the last turn. */
  took: boolean;
  /** An awaited pause has not ended. */
  pausing: boolean;
}

export class LaneSlots {
  readonly #lanes: Lane[] = [];
  readonly #options: LaneSlotsOptions;
  readonly #stop = new AbortController();
  /** Longest on turn first; all that may take when there are slots enough. */
  #onTurn: readonly Lane[] = [];
  #taking = true;
  #rebalancing: Promise<void> = Promise.resolve();

  constructor(options: LaneSlotsOptions) {
    this.#options = options;
  }

  get lanes(): readonly string[] {
    return this.#lanes.map((lane) => lane.worker.lane);
  }

  get inFlight(): number {
    return this.#lanes.reduce((total, lane) => total + lane.worker.inFlight, 0);
  }

  /** @param workers oldest lane first. Starts taking. */
  async start(workers: readonly SlottedWorker[]): Promise<void> {
    for (const worker of workers)
      this.#lanes.push({ worker, slots: 0, hungry: false, took: false, pausing: false });
    const shares = this.#shares();
    for (const lane of this.#lanes) lane.slots = shares.get(lane.worker.lane) ?? 0;
    for (const lane of this.#lanes) {
      if (lane.slots === 0) await lane.worker.pauseSoon();
      lane.worker.start(Math.max(1, lane.slots));
    }
    this.#keepTurning().catch(() => undefined);
  }

  /** A job was taken from the lane. */
  taken(laneName: string): void {
    const lane = this.#lanes.find((it) => it.worker.lane === laneName);
    if (lane === undefined || this.#lanes.length === 1) return;
    lane.took = true;
    if (lane.slots > 0 && lane.worker.inFlight >= lane.slots) lane.hungry = true;
    this.#rebalanceSoon();
  }

  /**
   * A job of the lane was settled. That says nothing of what waits: a lane that was found empty and lowered may still
   * have more in flight than slots, and it is not found empty again before a job has come.
   */
  settled(laneName: string): void {
    if (this.#lanes.length > 1 && this.lanes.includes(laneName)) this.#rebalanceSoon();
  }

  /** The lane was found empty. */
  emptied(laneName: string): void {
    const lane = this.#lanes.find((it) => it.worker.lane === laneName);
    if (lane === undefined || !lane.hungry) return;
    lane.hungry = false;
    this.#rebalanceSoon();
  }

  /** A lane has tripped, may be tried, or may take freely again. */
  standingsChanged(): void {
    this.#rebalanceSoon();
  }

  /** Stops or goes on taking from all lanes; jobs in flight go on either way. */
  async setTaking(taking: boolean): Promise<void> {
    if (taking === this.#taking) return;
    this.#taking = taking;
    this.#rebalanceSoon();
    await this.#rebalancing;
  }

  /** Takes nothing more, for good; resolves when nothing is in flight. May never resolve: race it. */
  async stopTaking(): Promise<void> {
    this.#stop.abort();
    this.#taking = false;
    await Promise.all(this.#lanes.map(({ worker }) => worker.stopTaking()));
  }

  #shares(): ReadonlyMap<string, number> {
    const open = new Set(this.#taking ? this.#takers() : []);
    const demands = this.#lanes.map((lane): LaneDemand => {
      const { worker, slots, hungry, pausing } = lane;
      const standing = this.#options.standingOf(worker.lane);
      const freely = standing === "half-open" ? "on-trial" : "freely";
      return {
        lane: worker.lane,
        // What an unfinished pause may still let in needs a place.
        inFlight: Math.max(worker.inFlight, pausing ? 1 : 0),
        slots,
        hungry,
        taking: open.has(lane) && !pausing ? freely : "paused",
      };
    });
    return decideSlotShares(demands, this.#options.budget);
  }

  /** The lanes that may take now: all that are not tripped, or those of them that are on turn. */
  #takers(): readonly Lane[] {
    const { budget } = this.#options;
    const open = this.#untripped();
    const staying = this.#onTurn.filter((lane) => open.includes(lane));
    this.#onTurn = [...staying, ...this.#waitingForTurn(open, staying)].slice(0, budget);
    return this.#onTurn;
  }

  #untripped(): readonly Lane[] {
    return this.#lanes.filter(({ worker }) => this.#options.standingOf(worker.lane) !== "tripped");
  }

  /** In the order of the lanes, beginning after the one that came on turn last. */
  #waitingForTurn(open: readonly Lane[], onTurn: readonly Lane[]): readonly Lane[] {
    const last = onTurn.at(-1);
    const from = last === undefined ? 0 : open.indexOf(last) + 1;
    return [...open.slice(from), ...open.slice(0, from)].filter((lane) => !onTurn.includes(lane));
  }

  /** One change at a time: raising is two steps of which a second raise must not see the middle. */
  #rebalanceSoon(): void {
    this.#rebalancing = this.#rebalancing.then(() => this.#rebalance()).catch(() => undefined);
  }

  async #rebalance(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    const shares = this.#shares();
    const changes = this.#lanes
      .map((lane) => ({ lane, slots: shares.get(lane.worker.lane) ?? lane.slots }))
      .filter(({ lane, slots }) => slots !== lane.slots)
      .sort((a, b) => a.slots - a.lane.slots - (b.slots - b.lane.slots));
    for (const { lane, slots } of changes) {
      lane.slots = slots;
      if (slots === 0) await this.#pause(lane);
      else await this.#give(lane, slots);
    }
  }

  async #give({ worker }: Lane, slots: number): Promise<void> {
    await worker.setSlots(slots);
    if (worker.paused) await worker.resume();
  }

  /** A lane that gives its place away, or has nothing in flight, is emptied for certain; others must be able to go on. */
  async #pause(lane: Lane): Promise<void> {
    const { worker } = lane;
    const tripped = this.#options.standingOf(worker.lane) === "tripped";
    if (!this.#taking || (tripped && worker.inFlight > 0)) return worker.pauseSoon();
    lane.pausing = true;
    worker
      .pause()
      .catch(() => undefined)
      .finally(() => {
        lane.pausing = false;
        this.#rebalanceSoon();
      });
  }

  /** Ends turns, and tries again what could not be given a slot when it was asked for. */
  async #keepTurning(): Promise<void> {
    const { clock, budget } = this.#options;
    if (this.#lanes.length === 1) return;
    while ((await clock.sleep(TURN_MS, this.#stop.signal)) === "elapsed") {
      const open = this.#untripped();
      const allHadATurn = this.#onTurn.every(({ slots }) => slots > 0);
      if (open.length > budget && allHadATurn) {
        const [next] = this.#waitingForTurn(open, this.#onTurn);
        if (next !== undefined) this.#onTurn = [...this.#onTurn.slice(1), next];
      }
      if (this.#sawEmpty() || open.some(({ slots }) => slots === 0)) this.#rebalanceSoon();
    }
  }

  /**
   * Whether a lane is found not to be hungry after all: it has free slots and took nothing for a whole turn. That it is
   * empty is said once, and may be said before its last job is.
   */
  #sawEmpty(): boolean {
    const empty = this.#lanes.filter((it) => it.hungry && !it.took && it.worker.inFlight < it.slots);
    for (const lane of empty) lane.hungry = false;
    for (const lane of this.#lanes) lane.took = false;
    return empty.length > 0;
  }
}
