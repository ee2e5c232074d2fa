/**
 * Runs one worker: register, take jobs, beat, and stop when told to.
 *
 * Two signals, kept apart: "stop taking" (an order, SIGTERM) and "stop running" (the drain's deadline).
 * A drain always ends: BullMQ's `close()` never returns while Redis is away, so everything that waits
 * here is raced with a deadline, and the caller exits the process.
 */
import { randomUUID } from "node:crypto";
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Clock } from "#shared/clock";
import { EXIT } from "#shared/exit-codes";
import type { Log } from "#shared/log";
import { connectPatient, disconnect, type RedisConnection, untilReady } from "#shared/redis/connection";
import { readDurability, requireSafe } from "#shared/redis/durability";
import { FleetStore, type HeartbeatReply } from "#shared/redis/fleet-store";
import { type Keys, keysOf } from "#shared/redis/keys";
import { LaneQueues } from "#shared/redis/lane-queues";
import { LaneWorker, type TakenJob } from "#shared/redis/lane-worker";
import { LoadStore } from "#shared/redis/load-store";
import { OpenJobs } from "#shared/redis/open-jobs";
import { loadRegistry } from "#shared/redis/registry-store";
import { untilAborted } from "#shared/until-aborted";
import type { ResolvedApp } from "./app.ts";
import { ChildJobs } from "./child-jobs.ts";
import type { WorkerConfig } from "./config.ts";
import { Heartbeat } from "./heartbeat.ts";
import { LaneSlots } from "./lane-slots.ts";
import { LaneTrips } from "./lane-trips.ts";
import { LazyEnqueuer } from "./lazy-enqueuer.ts";
import { loadApp } from "./load-app.ts";
import { JobProcessor } from "./process-job.ts";
import { releaseParkedFor } from "./release-parked.ts";
import { type ReleasePart, releasePart } from "./release-part.ts";
import { requireLanes } from "./require-lanes.ts";
import { Watchdog } from "./watchdog.ts";
import { factsOf } from "./worker-facts.ts";
import { WorkerState } from "./worker-state.ts";

const START_TIMEOUT_MS = 15_000;

/** After the deadline: for handlers to wind up, jobs to be handed back, and a last word to the fleet. */
const DRAIN_GRACE_MS = 1_300;
const FAREWELL_MS = 300;

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

interface Place {
  readonly redis: RedisConnection;
  readonly keys: Keys;
  readonly fleet: FleetStore;
  readonly workerId: string;
  readonly generation: number;
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
  readonly #release: ReleasePart;
  readonly #slots: LaneSlots;
  #openJobs: OpenJobs | null = null;
  #releaseParked: (() => Promise<void>) | null = null;
  readonly #enqueuer: LazyEnqueuer;
  readonly #processor: JobProcessor;
  readonly #heartbeat: Heartbeat;
  readonly #end = new AbortController();
  readonly #lag = monitorEventLoopDelay({ resolution: 20 });
  #exitCode: number = EXIT.ok;
  readonly #watchdog: Watchdog;

  private constructor(setup: Setup, place: Place) {
    const { clock, config, log } = setup;
    const { fleet, workerId } = place;
    this.#setup = setup;
    this.#fleet = fleet;
    this.#workerId = workerId;
    const onEnd = (exitCode: number, reason: string) => this.#endWith(exitCode, reason);
    this.#watchdog = new Watchdog({ ...setup, onEnd });
    const { release } = config;
    this.#trips = new LaneTrips({
      release,
      store: fleet.trips,
      clock,
      log,
      random: Math.random,
      onChange: () => this.#slots.standingsChanged(),
    });
    this.#release = releasePart({
      ...config,
      ...setup,
      ...place,
      stop: this.#end.signal,
      onChange: () => this.#takesChanged(),
    });
    const { counts, standing } = this.#release;
    const standingOf = (lane: string) => (standing.holds(lane) ? "tripped" : this.#trips.standingOf(lane));
    this.#slots = new LaneSlots({ budget: config.slots, clock, standingOf });
    this.#heartbeat = new Heartbeat({
      ...place,
      ...config,
      clock,
      workerId,
      status: () => this.#status(),
      random: Math.random,
      releaseCounts: counts,
      onReply: (reply, offsetMs) => this.#onReply(reply, offsetMs),
      onSuperseded: () => this.#endWith(EXIT.refused, "another process has registered as this worker"),
      onSilence: (error) => log.warn({ err: error }, "heartbeat was not answered"),
    });
    this.#enqueuer = new LazyEnqueuer({ ...config, clock, stop: this.#end.signal });
    this.#processor = new JobProcessor({
      ...config,
      ...setup,
      workerId,
      random: Math.random,
      children: new ChildJobs({
        open: () => this.#enqueuer.open(),
        nowMs: () => clock.nowMs(),
        onCreated: (type) => {
          this.#heartbeat.countCreated(type);
          counts.created();
        },
      }),
      discounted: () => standing.discounted,
      onPickedUp: (job, type, dueAtMs) => this.#countPickup(job, type, dueAtMs),
      onRunEnded: (run) => {
        this.#heartbeat.countRun(run.type, run.busyMs);
        counts.ended(run);
      },
      onUnread: () => counts.unread(),
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
    const { generation, releaseOrders } = await fleet.register(workerId, factsOf(config));
    const worker = new RunningWorker(setup, { redis, keys, fleet, workerId, generation });
    // Before anything is taken.
    worker.#release.standing.hear(releaseOrders);
    await worker.#begin({ redis, keys }, lanes);
    const { takes } = worker.#release.standing;
    log.info({ worker: workerId, generation, lanes, takes, slots: config.slots }, "worker is taking jobs");
    return worker;
  }

  async #begin({ redis, keys }: Pick<Place, "redis" | "keys">, lanes: readonly string[]): Promise<void> {
    const { config, app, clock, log } = this.#setup;
    const queues = new LaneQueues(redis, keys.prefix);
    this.#openJobs = new OpenJobs(redis, keys, config.queue);
    this.#releaseParked = async () =>
      releaseParkedFor(app, { queues, document: await loadRegistry(redis, keys), queue: config.queue, log });
    if (this.#release.standing.takes === "all") await this.#releaseParked();
    this.#lag.enable();
    const sentAtMs = clock.nowMs();
    const trips = await this.#fleet.trips.read(config.release, lanes);
    // Jobs are taken before the first heartbeat: their waits are told by Redis' clock too.
    this.#state.clockSeen(trips.redisNowMs - (sentAtMs + clock.nowMs()) / 2);
    this.#trips.heard(trips);
    await this.#slots.start(lanes.map((lane) => this.#laneWorker(redis, queues, lane)));
  }

  #takesChanged(): void {
    this.#slots.standingsChanged();
    this.#heartbeat.beatSoon();
    // What is parked has a reader only once this build takes jobs.
    if (this.#release.standing.takes !== "all") return;
    this.#releaseParked?.().catch((err: unknown) => {
      this.#setup.log.warn({ err }, "parked jobs could not be put back");
    });
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
        // One that was asked for before nothing more was to be taken: it was not begun, so others may have it.
        if (this.#release.standing.holds(lane)) return { kind: "returned", record: job.record };
        this.#state.started(clock.nowMs());
        this.#watchdog.started();
        this.#slots.taken(lane);
        // One that was asked for before the order to drain; whoever thinks the worker empty must know.
        if (this.#isLeaving) this.#heartbeat.beatSoon();
        const settlement = await this.#processor.process(job, leaseLost);
        this.#state.settled(settlement.kind, clock.nowMs());
        this.#slots.settled(lane);
        return settlement;
      },
      onEmptied: () => this.#slots.emptied(lane),
      onError: (error) => log.warn({ err: error, lane }, "queue client reports an error"),
      onRedelivered: (jobId) => log.warn({ jobId, lane }, "job's worker was lost; it runs again"),
      onEnded: (tenant, jobId) => {
        this.#openJobs?.ended(tenant, jobId);
        this.#tellIfDrained();
      },
      onPutBack: () => this.#tellIfDrained(),
    });
  }

  /** It was told to take nothing, or not from all its lanes. */
  get #isLeaving(): boolean {
    return !this.#state.taking || this.#release.standing.takes !== "all";
  }

  /** Whoever waits for it to be drained is told with its last job and not up to two seconds later. */
  #tellIfDrained(): void {
    if (this.#isLeaving && this.#slots.inFlight === 0) this.#heartbeat.beatSoon();
  }

  /** Beats and watches until told to stop, then drains. Gives the exit code. */
  async untilStopped(): Promise<number> {
    const { stop, log } = this.#setup;
    const beating = this.#heartbeat.run(this.#end.signal);
    const watching = Promise.all([
      this.#watchdog.run(this.#end.signal),
      this.#openJobs?.run(this.#setup.clock, this.#end.signal),
    ]);
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
    const wasTaking = this.#state.taking;
    this.#state.obey(reply.order);
    this.#state.clockSeen(clockOffsetMs);
    if (this.#state.taking !== wasTaking) this.#heartbeat.beatSoon();
    if (reply.autoscalerAlive) this.#watchdog.autoscalerSeen();
    for (const jobId of reply.cancelJobIds) this.#processor.cancel(jobId);
    const { standing } = this.#release;
    standing.hear(reply.releaseOrders);
    this.#processor.handBackRuns((lane) => standing.handsBack(lane, this.#state.reason));
    this.#trips.heard(reply);
    this.#slots.setTaking(this.#state.taking).catch(() => undefined);
    this.#watchdog.seen({
      backlog: reply.backlog,
      trippedLanes: [...this.#trips.tripped, ...this.#heldLanes],
      taking: this.#state.taking,
      freeSlots: this.#setup.config.slots - this.#slots.inFlight,
    });
  }

  /** Due times are by the clocks of others, which follow Redis' better than ours might. */
  #countPickup({ record }: TakenJob, type: string, dueAtMs: number | null): void {
    if (dueAtMs === null) return;
    const nowMs = this.#setup.clock.nowMs() + this.#state.clockOffsetMs;
    const waitedMs = Math.max(0, nowMs - dueAtMs);
    this.#heartbeat.countPickup(type, waitedMs);
    this.#release.counts.pickedUp(record, waitedMs);
  }

  #endWith(exitCode: number, reason: string): void {
    if (this.#end.signal.aborted) return;
    this.#setup.log.warn({ reason }, "worker stops by itself");
    this.#exitCode = exitCode;
    this.#end.abort();
  }

  get #heldLanes(): readonly string[] {
    return this.#slots.lanes.filter((lane) => this.#release.standing.holds(lane));
  }

  #status() {
    const { standing, counts } = this.#release;
    const status = this.#state.status({
      lanes: this.#slots.lanes,
      trippedLanes: this.#trips.tripped,
      takes: standing.takes,
      heldLanes: this.#heldLanes,
      firstRuns: counts.firstRuns,
      busy: this.#slots.inFlight,
      eventLoopLagMs: this.#lag.percentile(99) / 1e6,
      rssBytes: process.memoryUsage.rss(),
    });
    this.#lag.reset();
    return status;
  }
}
