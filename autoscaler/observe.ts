/**
 * Looks at lanes, fleet and registry, and puts them together as one snapshot.
 *
 * Reads only. Two looks within a second share one, so that any number of viewers costs Redis one.
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
import type { ExecutedWorker, FleetExecutor } from "./fleet/fleet-executor.ts";
import { laneReaders, laneTrips } from "./lane-readers.ts";
import { unfinishedIn } from "./retirement/decide-lane-retirement.ts";
import { decideLaneAlarm } from "./scaling/decide-lane-alarm.ts";
import { TICK_MS } from "./scaling/decide-lane-slots.ts";
import { decideWorkerState } from "./scaling/decide-worker-state.ts";
import type { LoadEstimates } from "./scaling/load-estimates.ts";
import type { LaneView, QueueView, ReleaseView, Snapshot, WorkerView } from "./snapshot.ts";

const FRESH_MS = 1_000;

export interface ObserverPorts {
  readonly clock: Clock;
  readonly config: SluiceConfig;
  readonly fleet: FleetStore;
  readonly load: LoadStore;
  readonly registry: RegistryFollower;
  readonly executor: FleetExecutor;
  readonly estimates: LoadEstimates;
  /** Measured time from spawning a worker to its first heartbeat, in milliseconds. */
  startDelayMs(): number;
}

export interface Observation {
  readonly snapshot: Snapshot;
  readonly document: RegistryDocument;
  readonly redisNowMs: number;
  readonly heard: readonly ObservedWorker[];
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
    const { registry, fleet, load, startDelayMs } = this.#ports;
    await registry.refresh();
    const { document } = registry;
    const places = Object.entries(document.queues).flatMap(([queue, { generations }]) => [
      ...generations.map((it) => laneName(queue, it.generation)),
      parkedName(queue),
      deadName(queue),
    ]);
    const live = Object.keys(document.releases).filter((id) => document.releases[id]?.state === "live");
    const [{ redisNowMs, workers: heard }, trips, { lanes }, memory] = await Promise.all([
      fleet.observe(),
      fleet.trips.observe(live),
      load.observeLanes(places, Math.round(startDelayMs() + 2 * TICK_MS)),
      load.memory(),
    ]);
    const workers = this.#workers(heard, redisNowMs);
    const queues = Object.keys(document.queues)
      .sort()
      .map((queue) => this.#queue({ queue, document, lanes, workers, trips, redisNowMs }));
    const observedAt = toRfc3339(redisNowMs);
    const snapshot = { observedAt, queues, workers, releases: releasesOf(document), memory };
    return { snapshot, document, redisNowMs, heard };
  }

  #queue(facts: {
    readonly queue: string;
    readonly document: RegistryDocument;
    readonly lanes: ReadonlyMap<string, LaneCounts>;
    readonly workers: readonly WorkerView[];
    readonly trips: readonly ObservedTrip[];
    readonly redisNowMs: number;
  }): QueueView {
    const { queue, document, lanes } = facts;
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
        this.#lane({ ...facts, generation, retiredAt: retired?.at ?? null }),
      ),
      parked: held(parkedName(queue)),
      quarantined: held(deadName(queue)),
    };
  }

  #lane(facts: {
    readonly queue: string;
    readonly generation: number;
    readonly retiredAt: string | null;
    readonly document: RegistryDocument;
    readonly lanes: ReadonlyMap<string, LaneCounts>;
    readonly workers: readonly WorkerView[];
    readonly trips: readonly ObservedTrip[];
    readonly redisNowMs: number;
  }): LaneView {
    const { queue, generation, document, workers, redisNowMs } = facts;
    const { estimates, executor, config } = this.#ports;
    const lane = laneName(queue, generation);
    const counts = facts.lanes.get(lane);
    const { next = null, ...numbers } = counts ?? NO_JOBS;
    const readers = Object.keys(document.releases)
      .filter((id) => document.releases[id]?.state === "live")
      .filter((id) => lanesReadBy(document, id, queue).includes(generation))
      .sort(byOrder(document));
    const jobs = unfinishedIn(numbers);
    const blocked = (release: string) => executor.blocked(queue, release) !== null;
    const read = { queue, lane, readers, workers, trips: facts.trips, config, blocked };
    const alarm = decideLaneAlarm(jobs, laneReaders(read));
    return {
      lane,
      generation,
      retiredAt: facts.retiredAt,
      ...numbers,
      oldestDueAgeMs: next === null ? null : Math.max(0, redisNowMs - this.#dueAtMs(lane, next, redisNowMs)),
      readers,
      consumers: workers.filter((it) => it.state === "ok" && it.lanes.includes(lane)).length,
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

  #workers(heard: readonly ObservedWorker[], redisNowMs: number): WorkerView[] {
    const { executor } = this.#ports;
    const executed = executor.workers();
    const running = new Set(executed.map((it) => it.workerId));
    const known = new Set(heard.map((it) => it.workerId));
    const silent = executed.filter((it) => !known.has(it.workerId)).map(startingWorker);
    const processRuns = (id: string) => (running.has(id) ? true : executor.hasEnded(id) ? false : null);
    return [...heard.map((it) => workerView(it, redisNowMs, processRuns(it.workerId))), ...silent];
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

function workerView(
  { workerId, facts, status, registeredAtMs, seenAtMs }: ObservedWorker,
  redisNowMs: number,
  processRuns: boolean | null,
): WorkerView {
  const heartbeatAgeMs = Math.max(0, redisNowMs - seenAtMs);
  const verdict = decideWorkerState({ heartbeatAgeMs, said: status, processRuns });
  return {
    worker: workerId,
    release: facts.release,
    queue: facts.queue,
    ...verdict,
    slots: facts.slots,
    busy: status?.busy ?? 0,
    lanes: status?.lanes.filter((lane) => !status.trippedLanes.includes(lane)) ?? [],
    trippedLanes: status?.trippedLanes ?? [],
    heartbeatAgeMs,
    startedAt: toRfc3339(registeredAtMs),
    pid: facts.pid,
    host: facts.host,
    settled: status?.settled ?? {},
    eventLoopLagMs: status?.eventLoopLagMs ?? null,
    rssBytes: status?.rssBytes ?? null,
    clockOffsetMs: status?.clockOffsetMs ?? null,
  };
}

function startingWorker({ workerId, release, queue, startedAtMs, pid }: ExecutedWorker): WorkerView {
  return {
    worker: workerId,
    release,
    queue,
    state: "starting",
    reason: "spawned, not registered yet",
    slots: 0,
    busy: 0,
    lanes: [],
    trippedLanes: [],
    heartbeatAgeMs: null,
    startedAt: toRfc3339(startedAtMs),
    pid,
    host: null,
    settled: {},
    eventLoopLagMs: null,
    rssBytes: null,
    clockOffsetMs: null,
  };
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
