/** What the fleet, the configuration and the trips say of the releases that read one lane. */
import type { ObservedTrip } from "#shared/redis/lane-trips";
import type { SluiceConfig } from "#shared/sluice-config";
import { toRfc3339 } from "#shared/system-clock";
import type { LaneReader } from "./scaling/decide-lane-alarm.ts";
import type { LaneTripView, WorkerState, WorkerView } from "./snapshot.ts";

export interface LaneFacts {
  readonly queue: string;
  readonly lane: string;
  /** Live releases that read it, oldest first. */
  readonly readers: readonly string[];
  readonly workers: readonly WorkerView[];
  readonly trips: readonly ObservedTrip[];
  readonly config: SluiceConfig;
  /** Whether workers of a release keep ending at once, so that none is started for now. */
  blocked(release: string): boolean;
}

/** A worker in one of these keeps another from being started in its place. */
const HOLDS_PLACE: ReadonlySet<WorkerState> = new Set(["starting", "ok", "suspect", "quarantined"]);

export function laneReaders(facts: LaneFacts): readonly LaneReader[] {
  const { queue, lane, readers, config, blocked } = facts;
  const workers = facts.workers.filter((it) => it.queue === queue);
  const configured = new Set(config.releases.map(({ id }) => id));
  const stuck = workers.filter(({ state }) => state === "quarantined").length;
  const hasRoom = (config.pools[queue]?.workersMax ?? 0) > stuck;
  const tripped = new Set(tripsOfLane(facts).map(({ release }) => release));
  return readers.map((release) => {
    const own = workers.filter((it) => it.release === release && HOLDS_PLACE.has(it.state));
    return {
      release,
      subscribers: own.filter((worker) => subscribes(worker, lane)).length,
      // Beside a worker that is there and does not read the lane nobody would be started for it.
      startable: hasRoom && configured.has(release) && own.length === 0 && !blocked(release),
      tripped: tripped.has(release),
    };
  });
}

function subscribes({ state, lanes, trippedLanes }: WorkerView, lane: string): boolean {
  if (state === "starting") return true;
  return state !== "quarantined" && (lanes.includes(lane) || trippedLanes.includes(lane));
}

/** In the order of the readers. */
export function laneTrips(facts: LaneFacts): readonly LaneTripView[] {
  return tripsOfLane(facts).map(({ release, untilMs, failures, type, targetVersion, code, jobId }) => ({
    release,
    until: toRfc3339(untilMs),
    failures,
    type,
    targetVersion,
    code,
    jobId,
  }));
}

function tripsOfLane({ lane, readers, trips }: LaneFacts): readonly ObservedTrip[] {
  return readers.flatMap((release) => trips.find((it) => it.lane === lane && it.release === release) ?? []);
}
