/** The hash of tripped lanes as the model has it; what `shared/redis/lane-trips.ts` keeps in Redis. */
import type {
  BuildDefect,
  LaneTrip,
  LaneTripStore,
  ObservedTrip,
  ReleaseLane,
  TripReply,
  TripsByLane,
} from "#shared/redis/lane-trips";

export class ModelTrips implements Pick<LaneTripStore, "trip" | "close" | "observe"> {
  readonly #trips = new Map<string, Map<string, LaneTrip>>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  of(release: string): TripsByLane {
    return this.#trips.get(release) ?? new Map();
  }

  async observe(releases: readonly string[]): Promise<readonly ObservedTrip[]> {
    return releases.flatMap((release) =>
      [...this.of(release)].map(([lane, trip]) => ({ ...trip, release, lane })),
    );
  }

  async trip(
    { release, lane }: ReleaseLane,
    earlier: Pick<LaneTrip, "failures"> | null,
    { lengthMs, ...facts }: BuildDefect & Pick<LaneTrip, "failures"> & { readonly lengthMs: number },
  ): Promise<TripReply> {
    const known = this.#trips.get(release)?.get(lane) ?? null;
    if ((known?.failures ?? 0) !== (earlier?.failures ?? 0)) return { set: false, trip: known };
    const atMs = this.#nowMs();
    const trip = { ...facts, atMs, untilMs: atMs + lengthMs };
    const lanes = this.#trips.get(release) ?? new Map<string, LaneTrip>();
    this.#trips.set(release, lanes.set(lane, trip));
    return { set: true, trip };
  }

  async close({ release, lane }: ReleaseLane, { failures }: Pick<LaneTrip, "failures">): Promise<void> {
    const lanes = this.#trips.get(release);
    if (lanes?.get(lane)?.failures === failures) lanes.delete(lane);
  }
}
