/**
 * One worker of the model: a build that takes jobs from the lanes it chose at its start.
 *
 * What it does with a job is production's: `JobProcessor` accepts, reads, runs and decides, `LaneTrips`
 * keeps it from lanes where its own steps fail. What is played here is the process around them: slots, a
 * drain, a death. Its handler ends when the test says so.
 */
import { pino } from "pino";
import type { Clock } from "#shared/clock";
import { Flag } from "#shared/flag";
import type { ObservedWorker } from "#shared/redis/fleet-store";
import type { LaneTripStore } from "#shared/redis/lane-trips";
import type { Settlement, TakenJob } from "#shared/redis/lane-worker";
import type { HandledJob } from "#worker/app";
import { LaneTrips } from "#worker/lane-trips";
import { JobProcessor } from "#worker/process-job";
import type { Build } from "./model-build.ts";
import type { ModelQueues } from "./model-queues.ts";
import { QUEUE } from "./version-histories.ts";

/** Sees everything that happens to a job in a worker. */
export interface Witness {
  /** A worker got the job from the lane. */
  taken(job: TakenJob, build: Build): void;
  /** A handler was called with this data. */
  started(job: HandledJob<unknown>, build: Build): void;
  /** The settlement was carried out. */
  settled(job: TakenJob, build: Build, settlement: Settlement): void;
  /** The job of a lost worker is back in its lane. */
  redelivered(jobId: string): void;
}

export interface ModelWorkerPorts {
  readonly workerId: string;
  readonly build: Build;
  readonly lanes: readonly string[];
  readonly slots: number;
  readonly clock: Clock;
  readonly queues: ModelQueues;
  readonly trips: Pick<LaneTripStore, "trip" | "close">;
  readonly witness: Witness;
  random(): number;
}

/** How a handler ends. */
export type HandlerEnd = "returns" | "throws" | "throws-terminal";

interface Running {
  readonly job: TakenJob;
  readonly lease: string;
  readonly settlement: Promise<Settlement>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

interface Call {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

const silent = pino({ level: "silent" });

export class ModelWorker {
  readonly workerId: string;
  readonly build: Build;
  readonly lanes: readonly string[];
  readonly slots: number;
  readonly trips: LaneTrips;
  state: "ok" | "draining" | "lost" = "ok";
  /** When it was last heard of. */
  seenAtMs: number;
  readonly #ports: ModelWorkerPorts;
  readonly #processor: JobProcessor;
  readonly #running = new Map<string, Running>();
  /** The handler's call that the processor has just made. */
  #call: Call | null = null;
  /** What the witness found wrong with a start; thrown into the handler it would be a failed attempt. */
  #objection: { readonly error: unknown } | null = null;
  #leases = 0;

  constructor(ports: ModelWorkerPorts) {
    const { workerId, build, lanes, slots, clock, trips, random } = ports;
    this.workerId = workerId;
    this.build = build;
    this.lanes = lanes;
    this.slots = slots;
    this.seenAtMs = clock.nowMs();
    this.#ports = ports;
    const { release } = build;
    this.trips = new LaneTrips({
      release,
      store: trips,
      clock,
      log: silent,
      random,
      onChange: () => undefined,
    });
    this.#processor = new JobProcessor({
      app: build.app((job) => this.#handle(job)),
      queue: QUEUE,
      release,
      workerId,
      clock,
      log: silent,
      random,
      children: { of: () => () => Promise.reject(new Error("no handler of the model enqueues")) },
      onPickedUp: () => undefined,
      onRunEnded: () => undefined,
      onUnread: () => undefined,
      discounted: () => new Set(),
      onRead: (lane) => this.trips.read(lane),
      onBuildDefect: (lane, defect) => this.trips.failed(lane, defect),
    });
  }

  /** Jobs in flight here. */
  get running(): readonly TakenJob[] {
    return [...this.#running.values()].map((it) => it.job);
  }

  get isIdle(): boolean {
    return this.#running.size === 0;
  }

  /** Lanes from which it would take now. */
  get openLanes(): readonly string[] {
    if (this.state !== "ok" || this.#running.size >= this.slots) return [];
    return this.lanes.filter((lane) => this.trips.standingOf(lane) !== "tripped");
  }

  /** Takes the next job of a lane until its handler runs or it is settled. Answers whether there was one. */
  async take(lane: string): Promise<boolean> {
    const { queues, witness, build } = this.#ports;
    this.#leases += 1;
    const lease = `${this.workerId}/${this.#leases}`;
    const job = queues.take(lane, lease);
    if (job === null) return false;
    witness.taken(job, build);
    const settlement = this.#processor.process(job, new Flag());
    const call = this.#call ?? (await this.#calledOrSettled(settlement));
    this.#call = null;
    if (this.#objection !== null) throw this.#objection.error;
    if (call === null) this.#settle(job, lease, await settlement);
    else this.#running.set(job.jobId, { job, lease, settlement, ...call });
    return true;
  }

  /** The handler of a job in flight ends. */
  async finish(jobId: string, end: HandlerEnd): Promise<void> {
    const running = this.#running.get(jobId);
    if (running === undefined) throw new Error(`${jobId} does not run on ${this.workerId}`);
    if (end === "returns") running.resolve();
    else running.reject(Object.assign(new Error("the handler fails"), TERMINAL[end]));
    await this.#ended(running);
  }

  /** Takes nothing new. */
  drain(): void {
    this.state = "draining";
  }

  /** The drain is out of time: every handler obeys its signal. */
  async outOfTime(): Promise<void> {
    this.drain();
    this.#processor.abortForDrain();
    for (const running of [...this.#running.values()]) {
      running.reject(new Error("told to end"));
      await this.#ended(running);
    }
  }

  /** The process is gone; what it ran stays in flight until somebody finds its lease run out. */
  kill(): void {
    this.state = "lost";
  }

  /** A lost worker's job is somebody else's now. */
  forget(jobId: string): void {
    this.#running.delete(jobId);
  }

  observed(): ObservedWorker {
    const { workerId, build, slots, seenAtMs, lanes } = this;
    const state = this.state === "lost" ? "ok" : this.state;
    const facts = { release: build.release, queue: QUEUE, slots, bootId: workerId, pid: 1, host: "model" };
    const status = {
      state,
      reason: null,
      lanes: [...lanes],
      trippedLanes: [...this.trips.tripped],
      takes: "all" as const,
      heldLanes: [],
      firstRuns: null,
      busy: this.#running.size,
      lastStartedAtMs: null,
      lastFinishedAtMs: null,
      settled: {},
      eventLoopLagMs: 0,
      rssBytes: 0,
      clockOffsetMs: 0,
    };
    return {
      workerId,
      facts: { ...facts, bullmqMajor: "6", nodeVersion: "20" },
      status,
      registeredAtMs: 0,
      seenAtMs,
    };
  }

  #handle(job: HandledJob<unknown>): Promise<void> {
    try {
      this.#ports.witness.started(job, this.build);
    } catch (error) {
      this.#objection = { error };
    }
    return new Promise((resolve, reject) => {
      this.#call = { resolve, reject };
    });
  }

  /** For a processor that does not call the handler at once. */
  async #calledOrSettled(settlement: Promise<Settlement>): Promise<Call | null> {
    let settled = false;
    settlement.then(
      () => {
        settled = true;
      },
      () => undefined,
    );
    while (this.#call === null && !settled) await Promise.resolve();
    return this.#call;
  }

  async #ended({ job, lease, settlement }: Running): Promise<void> {
    this.#running.delete(job.jobId);
    this.#settle(job, lease, await settlement);
  }

  #settle(job: TakenJob, lease: string, settlement: Settlement): void {
    const { queues, witness, build } = this.#ports;
    if (queues.settle(job, lease, settlement)) witness.settled(job, build, settlement);
  }
}

const TERMINAL = {
  throws: {},
  "throws-terminal": { retryability: "terminal" },
} as const;
