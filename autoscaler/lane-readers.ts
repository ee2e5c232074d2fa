/** What the fleet, the configuration and the trips say of the releases that read one lane. */
import type { ObservedTrip } from "#shared/redis/lane-trips";
import { toRfc3339 } from "#shared/system-clock";
import type { FleetIndex } from "./fleet-index.ts";
import type { LaneReader } from "./scaling/decide-lane-alarm.ts";
import type { LaneTripView } from "./snapshot.ts";

export interface LaneFacts {
  readonly queue: string;
  readonly lane: string;
  /** Live releases that read it, oldest first. */
  readonly readers: readonly string[];
  readonly fleet: FleetIndex;
  /** Trips of the lane, and perhaps of others. */
  readonly trips: readonly ObservedTrip[];
  readonly config: {
    readonly pools: Readonly<Record<string, { readonly workersMax: number }>>;
    readonly releases: readonly { readonly id: string }[];
  };
  /** Whether workers of a release keep ending at once, so that none is started for now. */
  blocked(release: string): boolean;
}

export function laneReaders(facts: LaneFacts): readonly LaneReader[] {
  const { queue, lane, readers, fleet, config, blocked } = facts;
  const hasRoom = (config.pools[queue]?.workersMax ?? 0) > fleet.stuck(queue);
  const tripped = new Set(tripsOfLane(facts).map(({ release }) => release));
  return readers.map((release) => ({
    release,
    subscribers: fleet.subscribers({ queue, lane, release }),
    // Beside a worker that is there and does not read the lane nobody would be started for it.
    startable:
      hasRoom && isConfigured(config, release) && fleet.holding(queue, release) === 0 && !blocked(release),
    tripped: tripped.has(release),
  }));
}

function isConfigured({ releases }: LaneFacts["config"], release: string): boolean {
  return releases.some(({ id }) => id === release);
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
