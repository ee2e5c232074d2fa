/**
 * A whole fleet without Redis and without processes: registry, producers, lanes, workers, operators.
 *
 * Every decision in it is production's own; what is played is only what surrounds them: the queues
 * (`ModelQueues`), time, processes that come and go, and people. It judges nothing: `invariants.ts` does.
 */

import { pino } from "pino";
import { type Observation, Observer, type ObserverPorts } from "#autoscaler/observe";
import { decideLaneRetirement } from "#autoscaler/retirement/decide-lane-retirement";
import { decideReleaseRetirement } from "#autoscaler/retirement/decide-release-retirement";
import type { RetirementAnswer } from "#autoscaler/retirement/retirement-answer";
import type { EnqueueAnswer } from "#shared/enqueue/enqueuer";
import type { JobRequest } from "#shared/envelope";
import { parseRecord } from "#shared/job-record";
import { deadName, laneName } from "#shared/lane";
import type { LaneQueues } from "#shared/redis/lane-queues";
import type { LoadStore } from "#shared/redis/load-store";
import type { QueuedJob } from "#shared/redis/queued-job";
import { decideGate, type GateDecision, type GateRequest } from "#shared/registry/decide-gate";
import { routeOf } from "#shared/registry/decide-lane";
import { decidePublish, type PublishDecision, retire, retireLane } from "#shared/registry/decide-publish";
import { EMPTY_REGISTRY, type RegistryDocument } from "#shared/registry/registry-document";
import { toRfc3339 } from "#shared/system-clock";
import { acceptTestOf } from "#worker/accept-envelope";
import { LaneMigration, type MigrationTotals } from "#worker/migrate-lane";
import { migratingBuildOf } from "#worker/migrating-build";
import { requireActive, requireMigrationLanes, requirePublished } from "#worker/migration-lanes";
import { releaseParked } from "#worker/release-parked";
import { requireLanes } from "#worker/require-lanes";
import type { Build } from "./model-build.ts";
import { ModelClock } from "./model-clock.ts";
import type { ModelProducer } from "./model-producer.ts";
import { ModelQueues } from "./model-queues.ts";
import { ModelTrips } from "./model-trips.ts";
import { ModelWorker, type Witness } from "./model-worker.ts";
import { QUEUE } from "./version-histories.ts";

/** Lease and stalled check: from then on whoever takes from the lane finds a lost worker's jobs. */
const LEASE_OVER_MS = 20_000;

/** How long a lane must have been empty for good, as `LaneRetirer` has it. */
const EMPTY_FOR_MS = 21_000;

/** Workers that the pool may have. */
export const WORKERS_MAX = 8;

/** How old a producer's copy of the registry gets. */
const REGISTRY_INTERVAL_MS = 1_000;

export interface HandMove {
  readonly jobId: string;
  readonly from: string;
  readonly to: string;
  readonly handBacks: number;
}

const nothing = () => undefined;

const silent = pino({ level: "silent" });

export class FleetModel {
  readonly clock = new ModelClock();
  readonly queues = new ModelQueues(() => this.clock.nowMs());
  readonly producers: readonly ModelProducer[];
  /** By release, every build that was ever published. */
  readonly builds = new Map<string, Build>();
  workers: readonly ModelWorker[] = [];
  document: RegistryDocument = EMPTY_REGISTRY;
  readonly #trips = new ModelTrips(() => this.clock.nowMs());
  readonly #witness: Witness;
  readonly #observer: Observer;
  readonly #emptySinceMs = new Map<string, number>();
  #workersStarted = 0;
  #random = 1;

  constructor(producers: readonly ModelProducer[], witness: Witness) {
    this.producers = producers;
    this.#witness = witness;
    this.#observer = new Observer(this.#observerPorts());
    for (const producer of producers) producer.serve(this);
  }

  get liveReleases(): readonly string[] {
    return Object.keys(this.document.releases).filter((id) => this.document.releases[id]?.state === "live");
  }

  /** The live release that was published last. */
  get newestRelease(): string | undefined {
    return [...this.liveReleases].sort((a, b) => this.#orderOf(b) - this.#orderOf(a))[0];
  }

  buildOf(release: string): Build {
    const build = this.builds.get(release);
    if (build === undefined) throw new Error(`no build was published as ${release}`);
    return build;
  }

  async publish(build: Build): Promise<PublishDecision> {
    const at = toRfc3339(this.clock.nowMs());
    const decision = decidePublish(this.document, build.descriptor, { at, by: "model" });
    if (decision.kind === "refused") return decision;
    this.builds.set(build.release, build);
    if (decision.kind === "published") this.document = decision.document;
    return decision;
  }

  /** A client asks a producer. Rejects as the door does. */
  async offer(producer: number, request: JobRequest, delayMs: number): Promise<EnqueueAnswer> {
    return this.producerOf(producer).enqueue(request, delayMs);
  }

  producerOf(index: number): ModelProducer {
    const producer = this.producers[index];
    if (producer === undefined) throw new RangeError(`there is no producer ${index}`);
    return producer;
  }

  /** A producer looks at the registry. */
  async refresh(producer: number): Promise<void> {
    this.producerOf(producer).document = this.document;
  }

  /** Somebody adds a job with a plain BullMQ tool. */
  async addByHand(lane: string, job: QueuedJob): Promise<void> {
    await this.queues.add(lane, job);
  }

  /** Somebody moves a resting job with a plain BullMQ tool, as one that was handed back so often. */
  async moveByHand({ jobId, from, to, handBacks }: HandMove): Promise<void> {
    const record = { ...parseRecord(this.queues.bodyOf(from, jobId)?.recordText ?? undefined), handBacks };
    const move = { jobId, lease: null, dataSha1: null, dataText: null, record };
    await this.queues.move({ from, to, due: "now" }, [move]);
  }

  /** Starts a worker on the registry as it is now. Rejects when the release may not have one. */
  async startWorker(release: string, slots: number): Promise<ModelWorker> {
    const { document, queues, clock } = this;
    const build = this.buildOf(release);
    const lanes = await requireLanes(this.#load, document, { release, queue: QUEUE });
    const accept = acceptTestOf(build.contracts);
    await releaseParked(queues as unknown as LaneQueues, document, { queue: QUEUE, accept });
    this.#workersStarted += 1;
    const workerId = `w-${this.#workersStarted}`;
    const ports = {
      workerId,
      build,
      lanes,
      slots,
      clock,
      queues,
      trips: this.#trips,
      witness: this.#witness,
    };
    const worker = new ModelWorker({ ...ports, random: () => this.#draw() });
    this.#beat(worker);
    this.workers = [...this.workers, worker];
    return worker;
  }

  /** Takes nothing new from now on. */
  async drain(workerId: string): Promise<void> {
    this.workers.find((it) => it.workerId === workerId)?.drain();
    this.sweep();
  }

  /** Drained workers leave the fleet. */
  sweep(): void {
    this.workers = this.workers.filter((it) => it.state !== "draining" || !it.isIdle);
  }

  async moveGate(request: GateRequest, loadSlots: number | null): Promise<GateDecision> {
    const { type, version } = request;
    const readiness = { readerSlots: await this.#readerSlots(type, version), loadSlots };
    const change = { at: toRfc3339(this.clock.nowMs()), by: "model", why: "the model says so" };
    const decision = decideGate(this.document, request, { readiness, change });
    if (decision.kind === "moved") this.document = decision.document;
    return decision;
  }

  /** Retires a release when that is allowed. */
  async retire(release: string): Promise<RetirementAnswer> {
    const { snapshot, document } = await this.observe();
    const answer = decideReleaseRetirement(document, { release, ...snapshot });
    if (answer.mayRetire) this.document = retire(this.document, release);
    return answer;
  }

  /** Retires a release without asking. */
  async forceRetire(release: string): Promise<void> {
    this.document = retire(this.document, release);
  }

  /** Empties an older lane into the own lane of a release, once through. Rejects when it must not. */
  async migrate(release: string, fromLane: string): Promise<MigrationTotals> {
    const { clock, queues } = this;
    const build = this.buildOf(release);
    const lanes = requireMigrationLanes(this.document, { release, queue: QUEUE, fromLane });
    requirePublished(this.document, build.app(nothing), release);
    requireActive(this.document, build.app(nothing), QUEUE);
    const onceThrough = new AbortController();
    const migration = new LaneMigration({
      ...lanes,
      dead: deadName(QUEUE),
      queues,
      build: migratingBuildOf(build.contracts, clock),
      release,
      workerId: "migrate-1",
      jobsPerSecond: 1_000_000,
      clock,
      log: silent,
      count: async () => {
        onceThrough.abort();
        return queues.countsOf(fromLane);
      },
    });
    return migration.run(onceThrough.signal);
  }

  /** Lets time pass. Answers the lanes that were retired in it. */
  async tick(byMs: number): Promise<readonly string[]> {
    this.clock.advance(byMs);
    for (const worker of this.workers) if (worker.state !== "lost") this.#beat(worker);
    if (byMs >= REGISTRY_INTERVAL_MS) for (const it of this.producers) it.document = this.document;
    this.#redeliver();
    this.queues.promote();
    this.sweep();
    return this.#retireLanes(await this.observe());
  }

  observe(): Promise<Observation> {
    return this.#observer.look();
  }

  #beat(worker: ModelWorker): void {
    const redisNowMs = this.clock.nowMs();
    worker.seenAtMs = redisNowMs;
    worker.trips.heard({ redisNowMs, trips: this.#trips.of(worker.build.release) });
  }

  #redeliver(): void {
    const nowMs = this.clock.nowMs();
    const isWatched = (lane: string) =>
      this.workers.some((it) => it.state === "ok" && it.lanes.includes(lane));
    for (const worker of this.workers.filter((it) => it.state === "lost")) {
      if (nowMs - worker.seenAtMs < LEASE_OVER_MS) continue;
      for (const { jobId, lane } of worker.running.filter((it) => isWatched(it.lane))) {
        worker.forget(jobId);
        this.queues.redeliver(lane, jobId);
        this.#witness.redelivered(jobId);
      }
      if (worker.isIdle) this.workers = this.workers.filter((it) => it !== worker);
    }
  }

  #retireLanes({ snapshot, document }: Observation): readonly string[] {
    const nowMs = this.clock.nowMs();
    const retired: string[] = [];
    for (const lane of snapshot.queues.flatMap((it) => it.lanes).filter((it) => it.retiredAt === null)) {
      if (!decideLaneRetirement(document, QUEUE, lane).mayRetire) {
        this.#emptySinceMs.delete(lane.lane);
        continue;
      }
      const sinceMs = this.#emptySinceMs.get(lane.lane) ?? nowMs;
      this.#emptySinceMs.set(lane.lane, sinceMs);
      if (nowMs - sinceMs < EMPTY_FOR_MS) continue;
      const { generation } = lane;
      this.document = retireLane(this.document, {
        queue: QUEUE,
        generation,
        at: toRfc3339(nowMs),
        by: "model",
      });
      retired.push(lane.lane);
    }
    return retired;
  }

  /** Slots of workers that take from the version's lane and do not drain, as the keeper of the gates counts them. */
  async #readerSlots(type: string, version: number): Promise<number> {
    const route = routeOf(this.document, type, version);
    if (route === null) return 0;
    const lane = laneName(route.queue, route.generation);
    const { snapshot } = await this.observe();
    const readers = snapshot.workers.filter((it) => it.state === "ok" && it.lanes.includes(lane));
    return readers.reduce((total, { slots }) => total + slots, 0);
  }

  get #load(): LoadStore {
    const observeLanes = async (lanes: readonly string[]) => ({
      redisNowMs: this.clock.nowMs(),
      lanes: new Map(lanes.map((lane) => [lane, this.queues.countsOf(lane)])),
    });
    const memory = async () => ({ usedBytes: 0, maxBytes: 0 });
    const openBatch = () => ({ send: async () => undefined });
    const counters = async () => new Map();
    return { openBatch, observeLanes, memory, counters } as unknown as LoadStore;
  }

  #observerPorts(): ObserverPorts {
    const ports = {
      clock: this.clock,
      config: {
        queues: {},
        pools: { [QUEUE]: { workersMax: WORKERS_MAX } },
        releases: [],
      },
      fleet: {
        observe: async () => ({
          redisNowMs: this.clock.nowMs(),
          workers: this.workers.map((it) => it.observed()),
        }),
        trips: this.#trips,
      },
      load: this.#load,
      registry: { refresh: async () => false, document: EMPTY_REGISTRY },
      executor: {
        refresh: async () => undefined,
        workers: () => [],
        hasEnded: () => false,
        blocked: () => null,
      },
      estimates: {
        read: () => undefined,
        arrivalRatePerSec: () => null,
        serviceTimeMs: () => null,
        loadSlots: () => null,
        spread: () => ({ pickup: null, run: null }),
      },
      tickMs: 5_000,
      startDelayMs: () => 0,
    };
    Object.defineProperty(ports.registry, "document", { get: () => this.document });
    Object.defineProperty(ports.config, "releases", {
      get: () => [...this.builds.keys()].map((id) => ({ id })),
    });
    // Classes of production's with private parts; what is given is all that the observer asks of them.
    return ports as unknown as ObserverPorts;
  }

  #orderOf(release: string): number {
    return this.document.releases[release]?.order ?? 0;
  }

  /** The same draws in every run: a linear congruential generator (Numerical Recipes, 7.1). */
  #draw(): number {
    this.#random = (this.#random * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return this.#random / 2 ** 32;
  }
}
