/**
 * What one worker knows of the lanes that its release has tripped, and what it does about a new defect.
 *
 * A defect stops taking here at once and is then written for the other workers of the release; what they
 * wrote comes with each heartbeat. A lane is only ever opened again by a heartbeat, never by a timer: it
 * carries what the others have found in the meantime, so that usually one worker of the release makes the
 * trial and the rest learn from it. Without an answer from Redis nothing could be taken anyway.
 *
 * A job that goes well costs nothing here. Only the first one of a half-open lane costs a command.
 */
import type { Clock } from "#shared/clock";
import type { Log } from "#shared/log";
import type { BuildDefect, LaneTrip, LaneTripStore, TripsByLane } from "#shared/redis/lane-trips";
import { decideLaneTrip } from "./decide-lane-trip.ts";

/** `tripped`: takes nothing. `half-open`: tries whether it can be read again. */
export type LaneStanding = "clear" | "half-open" | "tripped";

/** Times that another worker may be first before the trip stays ours alone. */
const STORE_ATTEMPTS_MAX = 3;

export interface LaneTripsPorts {
  readonly release: string;
  readonly store: Pick<LaneTripStore, "trip" | "close">;
  readonly clock: Clock;
  readonly log: Log;
  /** A draw in [0, 1). */
  random(): number;
  /** The standing of a lane has changed. */
  onChange(): void;
}

interface Known {
  readonly trip: LaneTrip;
  readonly standing: "half-open" | "tripped";
  /** Whether Redis has it: until then a heartbeat without it says nothing. */
  readonly stored: boolean;
}

export class LaneTrips {
  readonly #ports: LaneTripsPorts;
  readonly #known = new Map<string, Known>();
  #redisAheadMs = 0;

  constructor(ports: LaneTripsPorts) {
    this.#ports = ports;
  }

  standingOf(lane: string): LaneStanding {
    return this.#known.get(lane)?.standing ?? "clear";
  }

  /** Lanes that nothing is taken from now. */
  get tripped(): readonly string[] {
    return [...this.#known].filter(([, { standing }]) => standing === "tripped").map(([lane]) => lane);
  }

  /** Takes over what Redis holds for this release. */
  heard({ redisNowMs, trips }: { readonly redisNowMs: number; readonly trips: TripsByLane }): void {
    this.#redisAheadMs = redisNowMs - this.#ports.clock.monotonicMs();
    const before = this.#standings();
    for (const [lane, { trip, stored }] of this.#known) {
      if (stored || redisNowMs >= trip.untilMs) this.#known.delete(lane);
    }
    for (const [lane, trip] of trips) {
      if (this.#known.has(lane)) continue;
      const standing = redisNowMs < trip.untilMs ? "tripped" : "half-open";
      this.#known.set(lane, { trip, standing, stored: true });
    }
    if (this.#standings() !== before) this.#ports.onChange();
  }

  /** A job of the lane could not be read because of a defect of this build. */
  failed(lane: string, defect: BuildDefect): void {
    const known = this.#known.get(lane);
    // Jobs that were taken before taking had stopped say nothing new.
    if (known?.standing === "tripped") return;
    const nowMs = this.#redisNowMs();
    const earlier = known?.trip ?? null;
    const { failures, untilMs } = decideLaneTrip(earlier, { nowMs, random: this.#ports.random() });
    const trip = { ...defect, failures, atMs: nowMs, untilMs };
    this.#known.set(lane, { trip, standing: "tripped", stored: false });
    this.#ports.onChange();
    this.#ports.log.error(
      { lane, ...defect, failures, lengthMs: untilMs - nowMs },
      "this build takes nothing from the lane for a while: its own step fails there",
    );
    this.#store(lane, trip, earlier).catch((error: unknown) => {
      this.#ports.log.warn({ err: error, lane }, "the other workers could not be told of the trip");
    });
  }

  /** A job of the lane was read. */
  read(lane: string): void {
    const known = this.#known.get(lane);
    if (known?.standing !== "half-open") return;
    const { release, store, log, onChange } = this.#ports;
    this.#known.delete(lane);
    onChange();
    log.info({ lane }, "a job of the lane was read again: the trip is over");
    store.close({ release, lane }, known.trip).catch((error: unknown) => {
      log.warn({ err: error, lane }, "the other workers could not be told that the trip is over");
    });
  }

  /** Another worker may have tripped the lane at the same moment: then its trip is ours too. */
  async #store(lane: string, mine: LaneTrip, earlier: LaneTrip | null): Promise<void> {
    const { release, store, random } = this.#ports;
    let [made, from] = [mine, earlier];
    for (let attempt = 0; attempt < STORE_ATTEMPTS_MAX; attempt += 1) {
      const lengthMs = made.untilMs - made.atMs;
      const { atMs: _atMs, untilMs: _untilMs, ...facts } = made;
      const reply = await store.trip({ release, lane }, from, { ...facts, lengthMs });
      const nowMs = this.#redisNowMs();
      const decision = decideLaneTrip(reply.trip, { nowMs, random: random() });
      if (reply.trip !== null && (reply.set || decision.kind === "in-force")) {
        this.#known.set(lane, { trip: reply.trip, standing: "tripped", stored: true });
        return;
      }
      from = reply.trip;
      made = { ...mine, failures: decision.failures, atMs: nowMs, untilMs: decision.untilMs };
    }
  }

  #redisNowMs(): number {
    return Math.round(this.#ports.clock.monotonicMs() + this.#redisAheadMs);
  }

  #standings(): string {
    return [...this.#known].map(([lane, { standing }]) => `${lane} ${standing}`).join();
  }
}
