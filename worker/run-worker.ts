/**
 * Runs one worker: register, take jobs, beat, and stop when told to.
 *
 * Two signals, kept apart: "stop taking" (an order, SIGTERM) and "stop running" (the drain's deadline).
 * A drain always ends: BullMQ's `close()` never returns while Redis is away, so everything that waits
 * here is raced with a deadline, and the caller exits the process.
 */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Clock } from "#shared/clock";
import { EXIT } from "#shared/exit-codes";
import type { Log } from "#shared/log";
import { bullmqMajor } from "#shared/redis/bullmq-version";
import { connectPatient, disconnect, type RedisConnection, untilReady } from "#shared/redis/connection";
import { readDurability, requireSafe } from "#shared/redis/durability";
import { FleetStore, type HeartbeatReply } from "#shared/redis/fleet-store";
import { type Keys, keysOf } from "#shared/redis/keys";
import { LaneQueues } from "#shared/redis/lane-queues";
import { LaneWorker } from "#shared/redis/lane-worker";
import { LoadStore } from "#shared/redis/load-store";
import { OpenJobs } from "#shared/redis/open-jobs";
import { loadRegistry } from "#shared/redis/registry-store";
import type { RegistryDocument } from "#shared/registry/registry-document";
import { untilAborted } from "#shared/until-aborted";
import { acceptTestOf } from "./accept-envelope.ts";
import type { ResolvedApp } from "./app.ts";
import { ChildJobs } from "./child-jobs.ts";
import type { WorkerConfig } from "./config.ts";
import { couldTake, decideWatchdog } from "./decide-watchdog.ts";
import { Heartbeat } from "./heartbeat.ts";
import { LaneSlots } from "./lane-slots.ts";
import { LaneTrips } from "./lane-trips.ts";
import { LazyEnqueuer } from "./lazy-enqueuer.ts";
import { loadApp } from "./load-app.ts";
import { JobProcessor } from "./process-job.ts";
import { releaseParked } from "./release-parked.ts";
import { requireLanes } from "./require-lanes.ts";
import { WorkerState } from "./worker-state.ts";

const START_TIMEOUT_MS = 15_000;

/** After the deadline: for handlers to wind up, jobs to be handed back, and a last word to the fleet. */
const DRAIN_GRACE_MS = 1_300;
const FAREWELL_MS = 300;

/** A worker whose parent is gone waits this long for an autoscaler before it stops by itself. */
const ORPHAN_PATIENCE_MS = 60_000;

export interface WorkerPorts {
  readonly clock: Clock;
  readonly log: Log;
  /** Aborts when the worker shall stop taking for good and drain. */
  readonly stop: AbortSignal;
  /** Aborts when the process that started the worker is gone. */
  readonly orphaned: AbortSignal;
}

/**
 * Resolves with the process's exit code once the worker has drained or its deadline has passed.
 *
 * @throws when the app, the environment or Redis does not allow a start.
 */
export async function runWorker(config: WorkerConfig, ports: WorkerPorts): Promise<number> {
  const { app } = await loadApp(config.app, config.release);
  const redis = connectPatient(config.redisUrl, `sluice-worker-${config.release}`);
  try {
    await untilReady(redis, START_TIMEOUT_MS);
    requireSafe(await readDurability(redis, config.durability));
    const worker = await RunningWorker.start(redis, { config, app, ...ports });
    return await worker.untilStopped();
  } finally {
    disconnect(redis);
  }
}

interface Setup extends WorkerPorts {
  readonly config: WorkerConfig;
  readonly app: ResolvedApp;
}

class RunningWorker {
  readonly #setup: Setup;
  readonly #fleet: FleetStore;
  readonly #workerId: string;
  readonly #state = new WorkerState();
  readonly #trips: LaneTrips;
  readonly #slots: LaneSlots;
  #openJobs: OpenJobs | null = null;
  readonly #enqueuer: LazyEnqueuer;
  readonly #processor: JobProcessor;
  readonly #heartbeat: Heartbeat;
  readonly #end = new AbortController();
  readonly #lag = monitorEventLoopDelay({ resolution: 20 });
  #exitCode: number = EXIT.ok;
  /** Both monotonic, for the watchdog: a stepped clock is no sign of being stuck. */
  #couldTakeSinceMs: number | null = null;
  #lastStartedMs: number | null = null;
  #autoscalerSeenMs: number;

  private constructor(setup: Setup, fleet: FleetStore, identity: { workerId: string; generation: number }) {
    const { clock, config, log } = setup;
    this.#setup = setup;
    this.#fleet = fleet;
    this.#workerId = identity.workerId;
    this.#autoscalerSeenMs = clock.monotonicMs();
    const { release } = config;
    this.#trips = new LaneTrips({
      release,
      store: fleet.trips,
      clock,
      log,
      random: Math.random,
      onChange: () => this.#slots.standingsChanged(),
    });
    const standingOf = (lane: string) => this.#trips.standingOf(lane);
    this.#slots = new LaneSlots({ budget: config.slots, clock, standingOf });
    this.#heartbeat = new Heartbeat({
      fleet,
      clock,
      ...identity,
      release,
      queue: config.queue,
      status: () => this.#status(),
      random: Math.random,
      onReply: (reply, offsetMs) => this.#onReply(reply, offsetMs),
      onSuperseded: () => this.#endWith(EXIT.refused, "another process has registered as this worker"),
      onSilence: (error) => log.warn({ err: error }, "heartbeat was not answered"),
    });
    this.#enqueuer = new LazyEnqueuer({ ...config, clock, stop: this.#end.signal });
    this.#processor = new JobProcessor({
      app: setup.app,
      queue: config.queue,
      release,
      workerId: identity.workerId,
      clock,
      log,
      random: Math.random,
      children: new ChildJobs({
        open: () => this.#enqueuer.open(),
        nowMs: () => clock.nowMs(),
        onCreated: (type) => this.#heartbeat.countCreated(type),
      }),
      onPickedUp: (type, dueAtMs) => this.#countPickup(type, dueAtMs),
      onRunEnded: (type, busyMs) => this.#heartbeat.countRun(type, busyMs),
      onRead: (lane) => this.#trips.read(lane),
      onBuildDefect: (lane, defect) => this.#trips.failed(lane, defect),
    });
  }

  /** @throws {WorkerRefusedError} when the release is not published or the fleet refuses the worker. */
  static async start(redis: RedisConnection, setup: Setup): Promise<RunningWorker> {
    const { config, log } = setup;
    const keys = keysOf(config.prefix);
    const document = await loadRegistry(redis, keys);
    const lanes = await requireLanes(new LoadStore(redis, keys), document, config);
    const fleet = new FleetStore(redis, keys);
    const workerId = config.workerId ?? `w-${randomUUID().slice(0, 8)}`;
    const generation = await fleet.register(workerId, {
      release: config.release,
      queue: config.queue,
      slots: config.slots,
      bootId: randomUUID(),
      pid: process.pid,
      host: hostname(),
      bullmqMajor,
      nodeVersion: process.versions.node,
      startupMs: Math.round(process.uptime() * 1_000),
    });
    const worker = new RunningWorker(setup, fleet, { workerId, generation });
    await worker.#begin(redis, { keys, document, lanes });
    log.info({ worker: workerId, generation, lanes, slots: config.slots }, "worker is taking jobs");
    return worker;
  }

  async #begin(
    redis: RedisConnection,
    { keys, document, lanes }: { keys: Keys; document: RegistryDocument; lanes: readonly string[] },
  ): Promise<void> {
    const { config, app, log, clock } = this.#setup;
    const queues = new LaneQueues(redis, keys.prefix);
    this.#openJobs = new OpenJobs(redis, keys, config.queue);
    const accept = acceptTestOf(app.jobs.map((job) => job.contract));
    const released = await releaseParked(queues, document, { queue: config.queue, accept });
    if (released > 0) log.info({ released }, "parked jobs have a reader again");
    this.#lag.enable();
    const sentAtMs = clock.nowMs();
    const trips = await this.#fleet.trips.read(config.release, lanes);
    // Jobs are taken before the first heartbeat: their waits are told by Redis' clock too.
    this.#state.clockSeen(trips.redisNowMs - (sentAtMs + clock.nowMs()) / 2);
    this.#trips.heard(trips);
    await this.#slots.start(lanes.map((lane) => this.#laneWorker(redis, queues, lane)));
  }

  #laneWorker(redis: RedisConnection, queues: LaneQueues, lane: string): LaneWorker {
    const { config, clock, log } = this.#setup;
    return new LaneWorker({
      redis,
      queues,
      prefix: config.prefix,
      lane,
      workerName: `${config.release}/${this.#workerId}`,
      clock,
      run: async (job, leaseLost) => {
        this.#state.started(clock.nowMs());
        this.#lastStartedMs = clock.monotonicMs();
        this.#slots.changed(lane);
        // One that was asked for before the order to drain; whoever thinks the worker empty must know.
        if (!this.#state.taking) this.#heartbeat.beatSoon();
        const settlement = await this.#processor.process(job, leaseLost);
        this.#state.settled(settlement.kind, clock.nowMs());
        this.#slots.changed(lane);
        return settlement;
      },
      onEmptied: () => this.#slots.emptied(lane),
      onError: (error) => log.warn({ err: error, lane }, "queue client reports an error"),
      onRedelivered: (jobId) => log.warn({ jobId, lane }, "job's worker was lost; it runs again"),
      onEnded: (tenant, jobId) => {
        this.#openJobs?.ended(tenant, jobId);
        // Whoever waits for it to be drained is told with its last job and not up to two seconds later.
        if (!this.#state.taking && this.#slots.inFlight === 0) this.#heartbeat.beatSoon();
      },
    });
  }

  /** Beats and watches until told to stop, then drains. Gives the exit code. */
  async untilStopped(): Promise<number> {
    const { stop, log } = this.#setup;
    const beating = this.#heartbeat.run(this.#end.signal);
    const watching = Promise.all([this.#watch(), this.#openJobs?.run(this.#setup.clock, this.#end.signal)]);
    await Promise.race([untilAborted(stop), untilAborted(this.#end.signal)]);
    const drained = await this.#drain();
    this.#end.abort();
    const { clock } = this.#setup;
    await Promise.race([Promise.all([beating, watching, this.#enqueuer.closed()]), clock.sleep(FAREWELL_MS)]);
    if (drained)
      await Promise.race([
        Promise.all([this.#fleet.deregister(this.#workerId), this.#openJobs?.flush()]).catch(() => undefined),
        clock.sleep(FAREWELL_MS),
      ]);
    log.info({ drained }, "worker has stopped");
    return drained ? this.#exitCode : EXIT.drainIncomplete;
  }

  /** Whether everything in flight was settled or handed back in time. */
  async #drain(): Promise<boolean> {
    const { config, clock, log } = this.#setup;
    this.#state.stop();
    this.#heartbeat.beatSoon();
    log.info({ inFlight: this.#slots.inFlight, deadlineMs: config.drainDeadlineMs }, "draining");
    const emptied = this.#slots.stopTaking().then(() => true as const);
    if ((await Promise.race([emptied, clock.sleep(config.drainDeadlineMs)])) === true) return true;
    log.warn({ inFlight: this.#slots.inFlight }, "drain deadline has passed; handing back what is in flight");
    this.#processor.abortForDrain();
    return (await Promise.race([emptied, clock.sleep(DRAIN_GRACE_MS)])) === true;
  }

  #onReply(reply: HeartbeatReply, clockOffsetMs: number): void {
    const { clock } = this.#setup;
    const wasTaking = this.#state.taking;
    this.#state.obey(reply.order);
    this.#state.clockSeen(clockOffsetMs);
    if (this.#state.taking !== wasTaking) this.#heartbeat.beatSoon();
    if (reply.autoscalerAlive) this.#autoscalerSeenMs = clock.monotonicMs();
    for (const jobId of reply.cancelJobIds) this.#processor.cancel(jobId);
    this.#trips.heard(reply);
    this.#slots.setTaking(this.#state.taking).catch(() => undefined);
    this.#seeBacklog(reply);
  }

  /** Due times are by the clocks of others, which follow Redis' better than ours might. */
  #countPickup(type: string, dueAtMs: number | null): void {
    if (dueAtMs === null) return;
    const nowMs = this.#setup.clock.nowMs() + this.#state.clockOffsetMs;
    this.#heartbeat.countPickup(type, Math.max(0, nowMs - dueAtMs));
  }

  #seeBacklog(reply: HeartbeatReply): void {
    const { clock, config } = this.#setup;
    const could = couldTake({
      backlog: reply.backlog,
      trippedLanes: this.#trips.tripped,
      taking: this.#state.taking,
      freeSlots: config.slots - this.#slots.inFlight,
    });
    if (!could) this.#couldTakeSinceMs = null;
    else this.#couldTakeSinceMs ??= clock.monotonicMs();
  }

  /** Ends a worker that is stuck, or that nobody will ever stop. */
  async #watch(): Promise<void> {
    const { clock, orphaned } = this.#setup;
    while ((await clock.sleep(1_000, this.#end.signal)) === "elapsed") {
      const verdict = decideWatchdog({
        nowMs: clock.monotonicMs(),
        couldTakeSinceMs: this.#couldTakeSinceMs,
        lastStartedMs: this.#lastStartedMs,
      });
      if (verdict === "stuck") this.#endWith(EXIT.stuck, "work is waiting and nothing starts");
      const alone = orphaned.aborted && clock.monotonicMs() - this.#autoscalerSeenMs > ORPHAN_PATIENCE_MS;
      if (alone) this.#endWith(EXIT.ok, "the parent process and every autoscaler are gone");
    }
  }

  #endWith(exitCode: number, reason: string): void {
    if (this.#end.signal.aborted) return;
    this.#setup.log.warn({ reason }, "worker stops by itself");
    this.#exitCode = exitCode;
    this.#end.abort();
  }

  #status() {
    const status = this.#state.status({
      lanes: this.#slots.workers.map((worker) => worker.lane),
      trippedLanes: this.#trips.tripped,
      busy: this.#slots.inFlight,
      eventLoopLagMs: this.#lag.percentile(99) / 1e6,
      rssBytes: process.memoryUsage.rss(),
    });
    this.#lag.reset();
    return status;
  }
}
