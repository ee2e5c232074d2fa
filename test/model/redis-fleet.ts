/**
 * A fleet on a real Redis that is asked the same things as a `JournalFleet`: the registry as it is stored, the
 * real door on copies as old, whole workers that take, run and settle by themselves.
 *
 * The workers run in this process, so that what their handlers are given can be judged. Nobody is killed
 * here and no lease runs out; `test/e2e/worker-faults.test.ts` does that to real processes.
 */

import { fileURLToPath } from "node:url";
import type { Redis } from "ioredis";
import { pino } from "pino";
import { expect } from "vitest";
import { GateKeeper } from "#autoscaler/gate-keeper";
import { Observer, type ObserverPorts } from "#autoscaler/observe";
import { decideReleaseRetirement } from "#autoscaler/retirement/decide-release-retirement";
import { Backlogs } from "#shared/enqueue/backlogs";
import { Enqueuer } from "#shared/enqueue/enqueuer";
import { PublishRefusedError, SluiceError, WorkerRefusedError } from "#shared/errors";
import { EMPTY_RECORD } from "#shared/job-record";
import { deadName, laneName, parkedName } from "#shared/lane";
import { EMPTY_LIMITS } from "#shared/limits/limits-document";
import { resolveLimits } from "#shared/limits/resolve-limits";
import { FleetStore } from "#shared/redis/fleet-store";
import { JobReader } from "#shared/redis/job-reader";
import { type Keys, keysOf } from "#shared/redis/keys";
import { LaneQueues } from "#shared/redis/lane-queues";
import { LoadStore } from "#shared/redis/load-store";
import { loadRegistry, publishRelease, RegistryFollower, retireRelease } from "#shared/redis/registry-store";
import { ThrottleStore } from "#shared/redis/throttle-store";
import { systemClock, toRfc3339 } from "#shared/system-clock";
import { Throttler } from "#shared/throttle/throttler";
import { addJob } from "#test/support/add-job";
import { bullmqFinder } from "#test/support/bullmq-finder";
import type { HandledJob, HandlerContext } from "#worker/app";
import type { WorkerConfig } from "#worker/config";
import { LaneMigration } from "#worker/migrate-lane";
import { migratingBuildOf } from "#worker/migrating-build";
import { requireActive, requireMigrationLanes, requirePublished } from "#worker/migration-lanes";
import { runWorker } from "#worker/run-worker";
import { WORKERS_MAX } from "./fleet-model.ts";
import { type Asked, failsAtFirst, gateVerdict, retirementVerdict, type Stored } from "./journal-fleet.ts";
import type { Build } from "./model-build.ts";
import { TENANT } from "./model-producer.ts";
import { serve } from "./replay-app.ts";
import { QUEUE } from "./version-histories.ts";
import { PRODUCERS } from "./world.ts";

const APP = fileURLToPath(new URL("./replay-app.ts", import.meta.url));

const POLL = { timeout: 20_000, interval: 20 };

const nothing = () => undefined;

const silent = pino({ level: "silent" });

export interface RedisFleetOptions {
  readonly redis: Redis;
  readonly prefix: string;
  readonly redisUrl: string;
  /** Called with what each handler is given. */
  onStarted(job: HandledJob<unknown>, build: Build): void;
}

interface Worker {
  readonly stop: AbortController;
  readonly ended: Promise<number>;
}

interface Producer {
  readonly registry: RegistryFollower;
  readonly door: Enqueuer;
}

export class RedisFleet {
  readonly #options: RedisFleetOptions;
  readonly #keys: Keys;
  readonly #queues: LaneQueues;
  readonly #load: LoadStore;
  readonly #builds = new Map<string, Build>();
  readonly #workers = new Map<string, Worker>();
  readonly #producers: readonly Producer[];
  #nextDelayMs = 0;

  constructor(options: RedisFleetOptions) {
    const { redis, prefix } = options;
    this.#options = options;
    this.#keys = keysOf(prefix);
    this.#queues = new LaneQueues(redis, prefix);
    this.#load = new LoadStore(redis, this.#keys);
    this.#producers = Array.from({ length: PRODUCERS }, () => this.#producer());
  }

  /** Does what is asked and gives the verdict in the journal's words. */
  async perform(asked: Asked): Promise<string> {
    switch (asked.ask) {
      case "publish":
        return this.#publish(asked.build);
      case "start worker":
        return this.#startWorker(asked);
      case "drain":
        return this.#drain(asked.workerId);
      case "enqueue":
        return this.#enqueue(asked);
      case "refresh":
        await this.#producers[asked.producer]?.registry.refresh();
        return "done";
      case "move gate":
        return this.#moveGate(asked);
      case "retire":
        return this.#retire(asked.release);
      case "retire by force":
        await retireRelease(this.#options.redis, this.#keys, asked.release);
        return "done";
      case "migrate":
        return this.#migrate(asked);
      case "add by hand":
        await addJob(this.#queues, asked.lane, asked.job);
        return "done";
      case "move by hand":
        return this.#moveByHand(asked.move);
    }
  }

  /** Waits until every job is where it should be; the difference shows where it never got to. */
  async untilStored(stored: Stored): Promise<void> {
    await expect.poll(() => this.#stored(), POLL).toEqual(stored);
  }

  /** Starts of every job so far. */
  async startsOf(stored: Stored): Promise<Readonly<Record<string, number>>> {
    const starts: Record<string, number> = {};
    for (const [jobId, where] of Object.entries(stored)) {
      const [place = ""] = where.split(" ");
      const [found] = await bullmqFinder(this.#queues).find([place], jobId);
      starts[jobId] = found?.raw.attemptsStarted ?? 0;
    }
    return starts;
  }

  async stop(): Promise<void> {
    for (const workerId of [...this.#workers.keys()]) await this.#drain(workerId);
    this.#queues.close();
  }

  async #publish(build: Build): Promise<string> {
    const { redis } = this.#options;
    const { revision } = await loadRegistry(redis, this.#keys);
    const publication = { descriptor: build.descriptor, at: toRfc3339(systemClock.nowMs()), by: "model" };
    try {
      const document = await publishRelease(redis, this.#keys, publication);
      this.#builds.set(build.release, build);
      return document.revision === revision ? "unchanged" : "published";
    } catch (error) {
      if (error instanceof PublishRefusedError) return "refused";
      throw error;
    }
  }

  /** A whole worker, as its process runs it. */
  async #startWorker({ release, slots, workerId }: Extract<Asked, { ask: "start worker" }>): Promise<string> {
    const { prefix, redisUrl } = this.#options;
    const build = this.#buildOf(release);
    serve(build.app((job, context) => this.#handle(job, build, context)));
    const stop = new AbortController();
    const config: WorkerConfig = {
      ...{ redisUrl, prefix, release, slots, workerId, app: APP, queue: QUEUE, drainDeadlineMs: 10_000 },
      ...{ logLevel: "silent", durability: { required: "disk", asserted: false } },
    };
    const orphaned = new AbortController().signal;
    const ports = { clock: systemClock, log: silent, stop: stop.signal, orphaned };
    this.#workers.set(workerId, { stop, ended: runWorker(config, ports) });
    await expect.poll(() => this.#lanesOf(workerId), POLL).not.toBeNull();
    return (await this.#lanesOf(workerId)) ?? "none";
  }

  /** Lanes that a worker says it takes from; `null` until it has said so. */
  async #lanesOf(workerId: string): Promise<string | null> {
    const { workers } = await new FleetStore(this.#options.redis, this.#keys).observe();
    return workers.find((it) => it.workerId === workerId)?.status?.lanes.join() ?? null;
  }

  async #drain(workerId: string): Promise<string> {
    const worker = this.#workers.get(workerId);
    this.#workers.delete(workerId);
    worker?.stop.abort();
    const exitCode = await worker?.ended;
    return exitCode === 0 ? "done" : `exit ${exitCode}`;
  }

  #handle(job: HandledJob<unknown>, build: Build, { attempt }: HandlerContext): void {
    this.#options.onStarted(job, build);
    if (attempt === 1 && failsAtFirst(job.data)) throw new Error("the first run of it fails");
  }

  async #enqueue({ producer, request, delayMs }: Extract<Asked, { ask: "enqueue" }>): Promise<string> {
    this.#nextDelayMs = delayMs;
    try {
      const answer = await this.#producers[producer]?.door.enqueue(request, { tenant: TENANT });
      return answer?.job.id ?? "no producer";
    } catch (error) {
      if (error instanceof SluiceError) return error.code;
      throw error;
    }
  }

  async #moveGate({ request, loadSlots }: Extract<Asked, { ask: "move gate" }>): Promise<string> {
    await this.#untilHeard();
    const observer = this.#observer();
    const estimates = { loadSlots: () => loadSlots };
    const keeper = new GateKeeper({
      redis: this.#options.redis,
      keys: this.#keys,
      clock: systemClock,
      estimates: estimates as unknown as ConstructorParameters<typeof GateKeeper>[0]["estimates"],
      observe: () => observer.recent(),
      look: () => observer.look(),
    });
    return gateVerdict(await keeper.move({ ...request, by: "model", why: "the model says so" }));
  }

  async #retire(release: string): Promise<string> {
    await this.#untilHeard();
    const { snapshot, document } = await this.#observer().look();
    const answer = decideReleaseRetirement(document, { release, ...snapshot });
    if (answer.mayRetire) await retireRelease(this.#options.redis, this.#keys, release);
    return retirementVerdict(answer);
  }

  async #migrate({ release, fromLane }: Extract<Asked, { ask: "migrate" }>): Promise<string> {
    const document = await loadRegistry(this.#options.redis, this.#keys);
    try {
      const build = this.#buildOf(release);
      const lanes = requireMigrationLanes(document, { release, queue: QUEUE, fromLane });
      requirePublished(document, build.app(nothing), release);
      requireActive(document, build.app(nothing), QUEUE);
      const totals = await new LaneMigration({
        ...lanes,
        dead: deadName(QUEUE),
        queues: this.#queues,
        build: migratingBuildOf(build.contracts, systemClock),
        release,
        workerId: "migrate-1",
        jobsPerSecond: 10_000,
        clock: systemClock,
        log: silent,
        count: async () => {
          const counts = (await this.#load.observeLanes([fromLane], 0)).lanes.get(fromLane);
          return counts ?? { waiting: 0, scheduled: 0, inFlight: 0, other: 0 };
        },
      }).run(new AbortController().signal);
      return JSON.stringify(totals);
    } catch (error) {
      if (error instanceof WorkerRefusedError) return error.code;
      throw error;
    }
  }

  async #moveByHand({ jobId, from, to, handBacks }: Extract<Asked, { ask: "move by hand" }>["move"]) {
    const record = { ...EMPTY_RECORD, handBacks };
    const move = { jobId, lease: null, dataSha1: null, dataText: null, record };
    const [outcome] = await this.#queues.move({ from, to, due: "now" }, [move]);
    return outcome === "moved" ? "done" : String(outcome);
  }

  /** Waits until the fleet has heard from each worker that it takes jobs and has none in flight. */
  async #untilHeard(): Promise<void> {
    const fleet = new FleetStore(this.#options.redis, this.#keys);
    const idle = async () => {
      const { workers } = await fleet.observe();
      return workers.filter(({ status }) => status?.state === "ok" && status.busy === 0).length;
    };
    await expect.poll(idle, POLL).toBe(this.#workers.size);
  }

  #observer(): Observer {
    const { redis } = this.#options;
    const ports = {
      clock: systemClock,
      config: {
        queues: {},
        pools: { [QUEUE]: { workersMax: WORKERS_MAX } },
        releases: [...this.#builds.keys()].map((id) => ({ id })),
      },
      fleet: new FleetStore(redis, this.#keys),
      load: this.#load,
      registry: new RegistryFollower(redis, this.#keys),
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
        spread: () => ({ pickup: null, run: null }),
      },
      tickMs: 5_000,
      startDelayMs: () => 0,
    };
    return new Observer(ports as unknown as ObserverPorts);
  }

  #producer(): Producer {
    const registry = new RegistryFollower(this.#options.redis, this.#keys);
    const limits = () => resolveLimits(EMPTY_LIMITS, 0);
    const door = new Enqueuer({
      queues: {
        admit: (job) => this.#queues.admit({ ...job, delayMs: this.#nextDelayMs }),
        admitAll: (jobs) => this.#queues.admitAll(jobs),
        admitEach: (jobs) => this.#queues.admitEach(jobs),
      },
      reader: new JobReader(this.#options.redis, this.#options.prefix, () => registry.document),
      arrivals: { count: () => undefined },
      clock: systemClock,
      backlogs: new Backlogs(systemClock),
      throttler: new Throttler({ store: new ThrottleStore(this.#options.redis, this.#keys), limits }),
      limits,
      registry,
    });
    return { registry, door };
  }

  async #stored(): Promise<Stored> {
    const { redis, prefix } = this.#options;
    const document = await loadRegistry(redis, this.#keys);
    const generations = document.queues[QUEUE]?.generations ?? [];
    const lanes = generations.map((it) => laneName(QUEUE, it.generation));
    const stored: Record<string, string> = {};
    for (const place of [...lanes, parkedName(QUEUE), deadName(QUEUE)]) {
      const key = (name: string) => `${prefix}:${place}:${name}`;
      const [waiting, active, scheduled, succeeded, failed] = await Promise.all([
        redis.lrange(key("wait"), "0", "-1"),
        redis.lrange(key("active"), "0", "-1"),
        redis.zrange(key("delayed"), "0", "-1"),
        redis.zrange(key("completed"), "0", "-1"),
        redis.zrange(key("failed"), "0", "-1"),
      ]);
      const states = { "in flight": active, stored: [...waiting, ...scheduled], succeeded, failed };
      for (const [state, jobIds] of Object.entries(states)) {
        for (const jobId of jobIds)
          stored[jobId] = [stored[jobId], `${place} ${state}`].filter(Boolean).join(" and ");
      }
    }
    return stored;
  }

  #buildOf(release: string): Build {
    const build = this.#builds.get(release);
    if (build === undefined) throw new Error(`no build was published as ${release}`);
    return build;
  }
}
