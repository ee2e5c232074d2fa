/**
 * A pool with a real Redis, its real leader code and workers that are only heartbeats: they do what a worker says that
 * it does, in no time. A round of the leader and a beat of every worker happen when they are told to.
 */
import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import { pino } from "pino";
import type { ExecutedWorker, FleetExecutor } from "#autoscaler/fleet/fleet-executor";
import { FleetSight } from "#autoscaler/fleet/fleet-sight";
import { Observer } from "#autoscaler/observe";
import { PoolScaler } from "#autoscaler/pool-scaler";
import { KeepingDesk } from "#autoscaler/releases/keeping-desk";
import { rolloutKeeperOf } from "#autoscaler/releases/release-parts";
import type { RolloutKeeper } from "#autoscaler/releases/rollout-keeper";
import type { Rollout } from "#autoscaler/rollout/rollout-document";
import { LoadEstimates } from "#autoscaler/scaling/load-estimates";
import { StartDelays } from "#autoscaler/start-delays";
import { FleetStore } from "#shared/redis/fleet-store";
import { keysOf } from "#shared/redis/keys";
import { LoadStore } from "#shared/redis/load-store";
import { ProbeStore } from "#shared/redis/probe-store";
import { loadRegistry, publishRelease, RegistryFollower } from "#shared/redis/registry-store";
import { RolloutStore } from "#shared/redis/rollout-store";
import { lanesReadBy } from "#shared/registry/decide-lane";
import type { ReleaseOrders } from "#shared/rollout/release-orders";
import type { Freeze } from "#shared/scaling/overrides-document";
import type { SluiceConfig } from "#shared/sluice-config";
import { systemClock } from "#shared/system-clock";

export const POOL = "mail";

/** How the workers of a release do. */
export interface Quality {
  /** Share of first attempts that fail, 0 to 1. */
  readonly failing: number;
  /** Jobs that a worker holds and does not end before they are taken back. */
  readonly stuck?: number;
  /** The same as `failing`, of its first worker alone. */
  readonly firstFailing?: number;
}

interface FakeWorker extends ExecutedWorker {
  generation: number;
  orders: ReleaseOrders | null;
  drains: boolean;
  quarantined: boolean;
  busy: number;
  finished: number;
  failed: number;
  inRow: number;
}

/** What a leader does in Redis: it stores a transition, tells the workers of its releases, or something else. */
export type LeaderWrite = "transition" | "orders" | "other";

/** Asked at each write of a leader, right before it and right after it; it throws to have the leader killed there. */
export type Kill = (write: LeaderWrite, moment: "before" | "after") => void;

export class Killed extends Error {}

const JOBS_A_BEAT = 40;
const log = pino({ level: "silent" });

export function configFor(
  releases: readonly string[],
  rollout: Readonly<Record<string, unknown>> = {},
): SluiceConfig {
  return {
    path: "/nowhere",
    queues: { [POOL]: { pickupPromiseMs: 30_000 } },
    pools: {
      [POOL]: {
        ...{ slotsPerWorker: 10, workersMin: 4, workersMax: 4, scaleInHoldMs: 60_000, executor: "local" },
        takeover: "rollout",
        rollout: {
          ...{ steps: [0.25, 1], soakMs: 0, emissionSoakMs: 0, extensionsMax: 20, jobsMin: 50 },
          ...{ failureFactor: 3, worseFactor: 1.5, failureFloor: 0.005, runFactor: 1.5, failuresInRow: 5 },
          ...{ freshJobs: 200, fanOutMax: 10, errorRate: 0.002, startDeadlineMs: 60_000 },
          ...{ verifyDeadlineMs: 60_000, drainDeadlineMs: 60_000, handBackGraceMs: 60_000, drainHoldMs: 1 },
          ...{ unknownAfterMs: 15_000, rollbackWindowMs: 0, warmShare: 1, autoRollback: true },
          ...{ badWorkersMax: 1 },
          ...rollout,
        },
      },
    },
    releases: releases.map((id) => ({ id, app: "/nowhere/app.js", command: null })),
  };
}

export class LedPool {
  readonly fleet: FleetStore;
  readonly store: RolloutStore;
  readonly config: SluiceConfig;
  readonly desk: KeepingDesk;
  readonly quality = new Map<string, Quality>();
  keeper!: RolloutKeeper;
  #scaler!: PoolScaler;
  epoch = 0;
  /** Of the pool, as an operator sets it. */
  freeze: Freeze | null = null;
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #workers = new Map<string, FakeWorker>();
  #ended: string[] = [];
  readonly #estimates = new LoadEstimates();
  readonly #sight: FleetSight;
  readonly #observer: Observer;

  constructor(redis: Redis, prefix: string, config: SluiceConfig) {
    const keys = keysOf(prefix);
    this.#redis = redis;
    this.#prefix = prefix;
    this.config = config;
    this.fleet = new FleetStore(redis, keys);
    this.store = new RolloutStore(redis, keys);
    this.#sight = new FleetSight(this.#executor());
    this.#observer = new Observer({
      clock: systemClock,
      config,
      fleet: this.fleet,
      load: new LoadStore(redis, keys),
      registry: new RegistryFollower(redis, keys),
      executor: this.#sight,
      estimates: this.#estimates,
      tickMs: 5_000,
      startDelayMs: () => 1_000,
    });
    this.desk = new KeepingDesk({
      config,
      log,
      store: this.store,
      keeper: { seen: (rollout) => this.keeper.seen(rollout) },
      soon: (answer) => answer,
      look: () => this.#observer.look(),
      onStored: () => undefined,
    });
  }

  /** Publishes a release whose type has `versions` versions, each of them breaking. */
  async publish(release: string, versions: number, quality: Quality = { failing: 0 }): Promise<void> {
    this.quality.set(release, quality);
    const policy = {
      ...{ attempts: 5, timeoutMs: 60_000, backoff: { baseMs: 1_000, maxMs: 60_000 } },
      excess: "reject" as const,
    };
    const known = Array.from({ length: versions }, (_, index) => ({
      ...{ version: index + 1, minReaderVersion: index + 1, schema: { type: "object" } },
    }));
    const types = [{ type: "mail.send", queue: POOL, policy, versions: known }];
    const descriptor = { release, app: POOL, types };
    const published = { at: "2026-01-31T12:00:00.000Z", by: "ana" };
    await publishRelease(this.#redis, keysOf(this.#prefix), { descriptor, ...published });
  }

  /** A leader that remembers nothing begins its term. */
  async newLeader(kill: Kill = () => undefined): Promise<void> {
    this.epoch += 1;
    await this.#redis.set(keysOf(this.#prefix).epoch, this.epoch);
    const redis = this.#killable(kill);
    const setup = { redis, prefix: this.#prefix, config: this.config, clock: systemClock, log };
    const keeper = rolloutKeeperOf({ ...setup, fleet: this.fleet, estimates: { loadSlots: () => 1 } });
    const { epoch } = this;
    const term = { epoch, over: new AbortController().signal, require: () => undefined };
    this.keeper = keeper;
    this.#scaler = new PoolScaler({
      queue: POOL,
      policy: this.config.pools[POOL] as never,
      config: this.config,
      clock: systemClock,
      fleet: this.fleet,
      decisions: { record: async () => true },
      desired: { show: async () => true },
      memory: { keep: async () => undefined },
      remembered: undefined,
      holds: { of: () => null },
      rollouts: keeper,
      overrides: { of: () => ({ freeze: this.freeze, bounds: null }) },
      executor: this.#executor(),
      sight: this.#sight,
      startDelays: new StartDelays(systemClock),
      estimates: this.#estimates,
      term,
      tickMs: 5_000,
      onDecision: () => undefined,
    });
  }

  /** Rounds and beats until `isDone` says so, with a new leader whenever one is killed. */
  async untilThroughKills(isDone: (rollout: Rollout) => boolean, kill: () => Kill): Promise<number> {
    for (let killed = 0; killed < 300; killed += 1) {
      await this.newLeader(kill());
      try {
        await this.until(isDone, 200);
        return killed;
      } catch (error) {
        if (!(error instanceof Killed)) throw error;
        await this.beat();
      }
    }
    throw new Error("no leader lived to the end");
  }

  /** One look of the leader, then one beat of every worker. */
  async round(): Promise<void> {
    await this.keeper.refresh();
    await this.#scaler.scale(await this.#observer.look());
  }

  look() {
    return this.#observer.look();
  }

  async beat(): Promise<void> {
    for (const worker of this.#workers.values()) await this.#beat(worker);
  }

  /** Rounds and beats until `isDone` says so. @throws after `roundsMax`. */
  async until(isDone: (rollout: Rollout) => boolean, roundsMax = 80): Promise<Rollout> {
    for (let round = 0; round < roundsMax; round += 1) {
      await this.round();
      await this.beat();
      const rollout = await this.rollout();
      if (isDone(rollout)) return rollout;
    }
    const { state, stage, paused } = await this.rollout();
    const [last] = await this.store.records(POOL, 1);
    throw new Error(`still ${state}: ${JSON.stringify({ stage, paused, last, workers: this.counts() })}`);
  }

  async rollout(): Promise<Rollout> {
    return (await this.store.read(POOL)) as Rollout;
  }

  /** Workers by release and what they take. */
  counts(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { release, orders, drains } of this.#workers.values()) {
      const name = `${release} ${drains ? "drains" : (orders?.takes ?? "all")}`;
      counts[name] = (counts[name] ?? 0) + 1;
    }
    return counts;
  }

  /** Jobs that ended on workers of a release. */
  async finished(release: string): Promise<number> {
    return Number(await this.#redis.hget(keysOf(this.#prefix).releaseRuns(POOL, release), "finished"));
  }

  async gate(): Promise<number | undefined> {
    const document = await loadRegistry(this.#redis, keysOf(this.#prefix));
    return document.types["mail.send"]?.activeVersion;
  }

  async stateOf(release: string): Promise<string | undefined> {
    return (await loadRegistry(this.#redis, keysOf(this.#prefix))).releases[release]?.state;
  }

  /** The leader's connection: `kill` is asked around each script that it sends. */
  #killable(kill: Kill): Redis {
    const { rollouts, releaseOrders } = keysOf(this.#prefix);
    const writeOf = (key: unknown): LeaderWrite =>
      key === rollouts ? "transition" : key === releaseOrders(POOL) ? "orders" : "other";
    return new Proxy(this.#redis, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== "function") return value;
        if (name !== "eval") return value.bind(target);
        return async (...args: unknown[]) => {
          const write =
            args
              .slice(2)
              .map(writeOf)
              .find((it) => it !== "other") ?? "other";
          kill(write, "before");
          const reply: unknown = await value.apply(target, args);
          kill(write, "after");
          return reply;
        };
      },
    });
  }

  #executor(): FleetExecutor {
    return {
      desired: async ({ queue, release, desired, leaving }) => {
        const there = [...this.#workers.values()].filter(
          (it) => it.release === release && !leaving.includes(it.workerId),
        );
        const started: string[] = [];
        for (let missing = desired - there.length; missing > 0; missing -= 1) {
          started.push(await this.#start(queue, release));
        }
        return { started, limitedBy: null };
      },
      stop: async ({ workers }) => {
        for (const worker of workers) await this.#end(worker);
      },
      status: async () => ({
        epoch: this.epoch,
        workers: [...this.#workers.values()],
        ended: this.#ended,
        blocked: [],
        room: { [POOL]: null },
      }),
    };
  }

  async #start(queue: string, release: string): Promise<string> {
    const workerId = `w-${randomUUID().slice(0, 8)}`;
    const facts = {
      ...{ release, queue, slots: 10, bootId: workerId, pid: 1, host: "here", bullmqMajor: "6" },
      ...{ nodeVersion: "v20", startupMs: 100 },
    };
    const { generation, releaseOrders } = await this.fleet.register(workerId, facts);
    this.#workers.set(workerId, {
      ...{ workerId, release, queue, startedAtMs: systemClock.nowMs(), pid: null, generation },
      ...{ orders: releaseOrders, drains: false, quarantined: false },
      ...{ busy: 0, finished: 0, failed: 0, inRow: 0 },
    });
    return workerId;
  }

  async #end(workerId: string): Promise<void> {
    if (!this.#workers.delete(workerId)) return;
    this.#ended.push(workerId);
    await this.fleet.deregister(workerId);
  }

  async #beat(worker: FakeWorker): Promise<void> {
    const { workerId, generation, release, queue } = worker;
    const document = await loadRegistry(this.#redis, keysOf(this.#prefix));
    const increases = this.#run(worker);
    const lanes = lanesReadBy(document, release, queue).map((it) => `${queue}.r${it}`);
    const takes = worker.orders?.takes ?? "all";
    const reply = await this.fleet.heartbeat({
      ...{ workerId, generation, release, queue, serviceIncreases: {} },
      releaseIncreases: { [release]: increases },
      status: {
        state: worker.quarantined ? "quarantined" : worker.drains ? "draining" : "ok",
        reason: worker.drains ? "ordered-to-drain" : null,
        ...{ lanes, trippedLanes: [], takes, heldLanes: takes === "all" ? [] : lanes, busy: worker.busy },
        firstRuns: {
          ...{ finished: worker.finished, failed: worker.failed, failedElsewhere: 0, stalls: 0 },
          inRow: worker.inRow,
        },
        ...{ lastStartedAtMs: null, lastFinishedAtMs: null, settled: {}, eventLoopLagMs: 1 },
        ...{ rssBytes: 1, clockOffsetMs: 0 },
      },
    });
    if (reply === null) return;
    worker.orders = reply.releaseOrders;
    worker.drains = reply.order?.order === "drain";
    worker.quarantined = reply.order?.order === "quarantine";
    const { probeAttempt = null, handBack = false } = worker.orders ?? {};
    if (handBack && (worker.drains || worker.orders?.takes === "nothing")) worker.busy = 0;
    if (probeAttempt !== null) await this.#probe(worker, probeAttempt);
  }

  /** What it ran since the last beat. */
  #run(worker: FakeWorker): Record<string, number> {
    const takes = worker.orders?.takes ?? "all";
    if (takes !== "all" || worker.drains || worker.quarantined) return {};
    const { failing, stuck = 0, firstFailing } = this.quality.get(worker.release) ?? { failing: 0 };
    const first = [...this.#workers.values()].find((it) => it.release === worker.release);
    const share = first === worker ? (firstFailing ?? failing) : failing;
    worker.busy = stuck;
    const failed = Math.round(JOBS_A_BEAT * share);
    worker.finished += JOBS_A_BEAT;
    worker.failed += failed;
    worker.inRow = failed === JOBS_A_BEAT ? worker.inRow + failed : 0;
    return {
      ...{ finished: JOBS_A_BEAT, failed, completed: JOBS_A_BEAT - failed },
      ...{ "run|0": JOBS_A_BEAT, "pickup|0": JOBS_A_BEAT },
      ...{ "type|mail.send|finished": JOBS_A_BEAT, "type|mail.send|failed": failed },
    };
  }

  async #probe({ release, workerId }: FakeWorker, attempt: number): Promise<void> {
    const probes = new ProbeStore(this.#redis, keysOf(this.#prefix));
    const outcome = { attempt, worker: workerId, outcome: "succeeded" as const, detail: "read 3 samples" };
    await probes.say(POOL, release, outcome);
  }
}
