/**
 * Looks at lanes, fleet and registry, and puts them together as one snapshot.
 *
 * Reads only, all in one pipeline. Two looks within a second share one, so that any number of viewers costs
 * Redis one.
 */
import type { Clock } from "#shared/clock";
import { deadName, laneName, parkedName } from "#shared/lane";
import type { FleetStore, ObservedWorker } from "#shared/redis/fleet-store";
import type { ObservedTrip } from "#shared/redis/lane-trips";
import type { LaneCounts, LoadStore } from "#shared/redis/load-store";
import type { RegistryFollower } from "#shared/redis/registry-store";
import { floorOf, lanesReadBy } from "#shared/registry/decide-lane";
import type { RegistryDocument } from "#shared/registry/registry-document";
import type { SluiceConfig } from "#shared/sluice-config";
import { toRfc3339 } from "#shared/system-clock";
import type { FleetSight } from "./fleet/fleet-sight.ts";
import { FleetIndex } from "./fleet-index.ts";
import { laneReaders, laneTrips } from "./lane-readers.ts";
import { unfinishedIn } from "./retirement/decide-lane-retirement.ts";
import { decideLaneAlarm } from "./scaling/decide-lane-alarm.ts";
import type { LoadEstimates } from "./scaling/load-estimates.ts";
import type { LaneView, QueueView, ReleaseView, Snapshot } from "./snapshot.ts";
import { workerViews } from "./worker-views.ts";

const FRESH_MS = 1_000;

export interface ObserverPorts {
  readonly clock: Clock;
  readonly config: SluiceConfig;
  readonly fleet: FleetStore;
  readonly load: LoadStore;
  readonly registry: RegistryFollower;
  readonly executor: Pick<FleetSight, "refresh" | "workers" | "hasEnded" | "blocked">;
  readonly estimates: LoadEstimates;
  /** How often the autoscaler looks, in milliseconds. */
  readonly tickMs: number;
  /** Measured time from spawning a worker to its first heartbeat, in milliseconds. */
  startDelayMs(): number;
}

interface RegisteredLane {
  readonly queue: string;
  readonly generation: number;
  readonly retiredAt: string | null;
}

/** What one look has found, indexed: nothing below goes through all workers or releases for each lane. */
interface Sight {
  readonly document: RegistryDocument;
  readonly lanes: ReadonlyMap<string, LaneCounts>;
  readonly fleet: FleetIndex;
  readonly redisNowMs: number;
  /** Live releases that read a lane, oldest first. */
  readonly readersOf: ReadonlyMap<string, readonly string[]>;
  readonly tripsOf: ReadonlyMap<string, readonly ObservedTrip[]>;
}

export interface Observation {
  readonly snapshot: Snapshot;
  readonly document: RegistryDocument;
  readonly redisNowMs: number;
  readonly heard: readonly ObservedWorker[];
  /** The snapshot's workers, by what they are asked for. */
  readonly fleet: FleetIndex;
}

export class Observer {
  readonly #ports: ObserverPorts;
  /** When the job at the head of a lane was first seen there, for jobs that were started before. */
  readonly #headSeen = new Map<string, { readonly jobId: string; readonly atMs: number }>();
  #last: { readonly atMs: number; readonly observation: Promise<Observation> } | null = null;

  constructor(ports: ObserverPorts) {
    this.#ports = ports;
  }

  /** A look at most a second old. Rejects when Redis is away. */
  recent(): Promise<Observation> {
    const nowMs = this.#ports.clock.monotonicMs();
    if (this.#last !== null && nowMs - this.#last.atMs < FRESH_MS) return this.#last.observation;
    return this.look();
  }

  /** A new look. Rejects when Redis is away. */
  look(): Promise<Observation> {
    const observation = this.#look();
    this.#last = { atMs: this.#ports.clock.monotonicMs(), observation };
    observation.catch(() => {
      this.#last = null;
    });
    return observation;
  }

  async #look(): Promise<Observation> {
    const { registry, executor } = this.#ports;
    await registry.refresh();
    const { document } = registry;
    const [{ fleet: heardFleet, trips, lanes, memory }] = await Promise.all([
      this.#read(document),
      executor.refresh(),
    ]);
    const { redisNowMs, workers: heard } = heardFleet;
    const workers = workerViews(heard, redisNowMs, executor);
    const fleet = new FleetIndex(workers);
    const sight = { document, lanes, fleet, redisNowMs, ...indexed(document, trips) };
    const queues = Object.keys(document.queues)
      .sort()
      .map((queue) => this.#queue(queue, sight));
    const observedAt = toRfc3339(redisNowMs);
    const snapshot = { observedAt, queues, workers, releases: releasesOf(document), memory };
    return { snapshot, document, redisNowMs, heard, fleet };
  }

  /** Everything in one pipeline: one command a place, two a queue, and a few that do not grow with anything. */
  async #read(document: RegistryDocument) {
    const { fleet, load, config, estimates, clock, tickMs, startDelayMs } = this.#ports;
    const places = Object.entries(document.queues).flatMap(([queue, { generations }]) => [
      ...generations.map((it) => laneName(queue, it.generation)),
      parkedName(queue),
      deadName(queue),
    ]);
    const live = Object.keys(document.releases).filter((id) => document.releases[id]?.state === "live");
    const queues = [...new Set([...Object.keys(config.pools), ...Object.keys(document.queues)])];
    const horizonMs = Math.round(startDelayMs() + 2 * tickMs);
    const batch = load.openBatch();
    const [heard, trips, { lanes }, memory, counters] = await Promise.all([
      fleet.observe(batch),
      fleet.trips.observe(live, batch),
      load.observeLanes(places, horizonMs, batch),
      load.memory(batch),
      load.counters(queues, batch),
      batch.send(),
    ]);
    const readAtMs = clock.monotonicMs();
    for (const [queue, it] of counters) estimates.read(queue, { readAtMs, ...it });
    return { fleet: heard, trips, lanes, memory };
  }

  #queue(queue: string, sight: Sight): QueueView {
    const { document, lanes } = sight;
    const registered = document.queues[queue];
    const held = (place: string) => {
      const counts = lanes.get(place);
      return (counts?.waiting ?? 0) + (counts?.scheduled ?? 0);
    };
    return {
      queue,
      app: registered?.app ?? "",
      floor: floorOf(document, queue),
      pickupPromiseMs: this.#ports.config.queues[queue]?.pickupPromiseMs ?? null,
      lanes: (registered?.generations ?? []).map(({ generation, retired }) =>
        this.#lane({ queue, generation, retiredAt: retired?.at ?? null }, sight),
      ),
      parked: held(parkedName(queue)),
      quarantined: held(deadName(queue)),
      ...this.#ports.estimates.spread(queue),
    };
  }

  #lane({ queue, generation, retiredAt }: RegisteredLane, sight: Sight): LaneView {
    const { fleet, redisNowMs } = sight;
    const { estimates, executor, config } = this.#ports;
    const lane = laneName(queue, generation);
    const { next = null, ...numbers } = sight.lanes.get(lane) ?? NO_JOBS;
    const readers = sight.readersOf.get(lane) ?? [];
    const jobs = unfinishedIn(numbers);
    const blocked = (release: string) => executor.blocked(queue, release) !== null;
    const trips = sight.tripsOf.get(lane) ?? [];
    const read = { queue, lane, readers, fleet, trips, config, blocked };
    const alarm = decideLaneAlarm(jobs, laneReaders(read));
    return {
      lane,
      generation,
      retiredAt,
      ...numbers,
      oldestDueAgeMs: next === null ? null : Math.max(0, redisNowMs - this.#dueAtMs(lane, next, redisNowMs)),
      readers,
      consumers: fleet.consumers(lane),
      orphaned: alarm === "orphaned",
      tripped: alarm === "tripped",
      trips: laneTrips(read),
      arrivalRatePerSec: estimates.arrivalRatePerSec(queue, generation),
      serviceTimeMs: estimates.serviceTimeMs(queue, generation),
    };
  }

  #dueAtMs(lane: string, next: NonNullable<LaneCounts["next"]>, nowMs: number): number {
    if (next.dueAtMs !== null) return next.dueAtMs;
    const seen = this.#headSeen.get(lane);
    if (seen?.jobId === next.jobId) return seen.atMs;
    this.#headSeen.set(lane, { jobId: next.jobId, atMs: nowMs });
    return nowMs;
  }
}

const NO_JOBS = {
  waiting: 0,
  inFlight: 0,
  scheduled: 0,
  dueSoon: 0,
  succeeded: 0,
  failed: 0,
  other: 0,
  next: null,
};

/** Live readers and trips by lane. */
function indexed(document: RegistryDocument, trips: readonly ObservedTrip[]) {
  const readersOf = new Map<string, string[]>();
  const live = Object.entries(document.releases).filter(([, { state }]) => state === "live");
  for (const [release, { queues }] of live.toSorted(([a], [b]) => byOrder(document)(a, b))) {
    for (const queue of Object.keys(queues)) {
      for (const generation of lanesReadBy(document, release, queue))
        append(readersOf, laneName(queue, generation), release);
    }
  }
  const tripsOf = new Map<string, ObservedTrip[]>();
  for (const trip of trips) append(tripsOf, trip.lane, trip);
  return { readersOf, tripsOf };
}

function append<Item>(lists: Map<string, Item[]>, key: string, item: Item): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}

function releasesOf(document: RegistryDocument): ReleaseView[] {
  return Object.keys(document.releases)
    .sort(byOrder(document))
    .flatMap((release) => {
      const known = document.releases[release];
      if (known === undefined) return [];
      const { app, state, publishedAt, queues } = known;
      const own = Object.entries(queues).map(([queue, it]) => [queue, it.generation] as const);
      return [{ release, app, state, publishedAt, generations: Object.fromEntries(own) }];
    });
}

function byOrder(document: RegistryDocument) {
  return (a: string, b: string) => (document.releases[a]?.order ?? 0) - (document.releases[b]?.order ?? 0);
}
