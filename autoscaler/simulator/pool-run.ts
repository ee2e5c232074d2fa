/**
 * The run of one simulation: carries out arrivals, takes, settlements, starts, exits and looks in their order.
 *
 * All of the model is here and none of the judgement: how many workers is the policy's, which of them leave is
 * production's decide-leavers.ts or, for baselines, scale-in.ts. Jobs are taken in the order in which they came; one
 * whose worker was lost is taken first when its lease is over, as BullMQ puts stalled jobs at the head.
 * Time goes on after the horizon until every job has been settled, for an hour at most; that part is not paid.
 */
import { estimateStartDelay, type StartDelayEstimate } from "../scaling/estimate-start-delay.ts";
import { EventHeap } from "./event-heap.ts";
import type { Outcome } from "./outcome.ts";
import { type Random, randomFrom } from "./random.ts";
import { RunMeter } from "./run-meter.ts";
import { applyPlan, type ScaleInRun } from "./scale-in.ts";
import type { PoolSight, ScalingPolicy } from "./scaling-policy.ts";
import { ORDER, SimulatedFleet, WORKER } from "./simulated-fleet.ts";
import type { Simulation } from "./simulation.ts";
import { drawStart } from "./worker-fate.ts";

const EVENT = {
  settle: 0,
  ready: 1,
  startFails: 2,
  crash: 3,
  graceEnds: 4,
  rerun: 5,
  hears: 6,
  exits: 7,
} as const;

const AFTER_HORIZON_MS_MAX = 3_600_000;
const WAKE_GAP_MS = 200;

export class PoolRun implements ScaleInRun {
  readonly fleet: SimulatedFleet;
  readonly victims: Random;
  nowMs = 0;
  readonly #simulation: Simulation;
  readonly #policy: ScalingPolicy;
  readonly #events = new EventHeap();
  readonly #meter: RunMeter;
  readonly #startDraws: Random;
  readonly #orderDraws: Random;
  readonly #tickMs: number;
  #startDelay: StartDelayEstimate | null = null;
  /** Jobs before it have come; those from `#head` on have not been taken. */
  #arrived = 0;
  #head = 0;
  /** Jobs that are due again. */
  readonly #again: number[] = [];
  #active = 0;
  #lastLookMs = Number.NEGATIVE_INFINITY;
  #nextTickMs: number;

  constructor(simulation: Simulation, policy: ScalingPolicy) {
    const { seed, fleet } = simulation;
    this.#simulation = simulation;
    this.#policy = policy;
    this.fleet = new SimulatedFleet(fleet.slotsPerWorker);
    this.#meter = new RunMeter(simulation);
    this.victims = randomFrom(seed, "victims");
    this.#startDraws = randomFrom(seed, "starts");
    this.#orderDraws = randomFrom(seed, "orders");
    this.#tickMs = simulation.tickMs ?? policy.tickMs;
    this.#nextTickMs = randomFrom(seed, "phase").next() * this.#tickMs;
  }

  run(): Outcome {
    this.#begin();
    const { arrivalsMs, horizonMs } = this.#simulation.workload;
    const events = this.#events;
    const endMs = horizonMs + AFTER_HORIZON_MS_MAX;
    let nextArrivalMs = arrivalsMs[0] ?? Number.POSITIVE_INFINITY;
    for (;;) {
      const atMs = Math.min(events.nextMs, nextArrivalMs, this.#nextTickMs);
      if (atMs > horizonMs && (atMs > endMs || this.#meter.settledJobs === arrivalsMs.length)) break;
      this.nowMs = atMs;
      if (events.nextMs === atMs) this.#event();
      else if (nextArrivalMs === atMs) {
        this.#arrive();
        nextArrivalMs = arrivalsMs[this.#arrived] ?? Number.POSITIVE_INFINITY;
      } else this.#look();
    }
    return this.#meter.outcome(this.#policy.name, this.fleet);
  }

  /** Workers of the first moment count as started and measured before it. */
  #begin(): void {
    const { workersInitially, startDelayMs } = this.#simulation.fleet;
    for (let count = 0; count < workersInitially; count += 1) {
      const worker = this.fleet.add(0);
      this.#meter.workerStarted();
      this.#becomeReady(worker);
    }
    if (workersInitially > 0) this.#startDelay = estimateStartDelay(null, [startDelayMs]);
  }

  #event(): void {
    const { nextKind, nextSubject } = this.#events;
    this.#events.pop();
    switch (nextKind) {
      case EVENT.settle:
        this.#settle(nextSubject);
        return;
      case EVENT.rerun:
        this.#again.push(nextSubject);
        this.#offer();
        return;
      default:
        if (this.fleet.state[nextSubject] !== WORKER.gone) this.#workerEvent(nextKind, nextSubject);
    }
  }

  #workerEvent(kind: number, worker: number): void {
    switch (kind) {
      case EVENT.ready:
        this.#started(worker);
        return;
      case EVENT.hears:
        this.#hear(worker);
        return;
      case EVENT.startFails:
      case EVENT.exits:
        this.exit(worker);
        return;
      default:
        this.#lose(worker, kind === EVENT.crash);
    }
  }

  #arrive(): void {
    this.#arrived += 1;
    this.#offer();
    if (this.waiting > 0) this.#askToWake();
  }

  get waiting(): number {
    return this.#arrived - this.#head + this.#again.length;
  }

  /** Gives what waits to whoever is free. */
  #offer(): void {
    while (this.waiting > 0) {
      const worker = this.fleet.nextFree();
      if (worker < 0) return;
      this.#take(worker);
    }
  }

  #take(worker: number): void {
    const again = this.#again.shift();
    const job = again ?? this.#head;
    if (again === undefined) this.#head += 1;
    const { arrivalsMs, serviceMs } = this.#simulation.workload;
    this.#meter.taken(job, this.nowMs - (arrivalsMs[job] as number));
    const slot = this.fleet.occupy(worker, job, this.nowMs);
    this.#active += 1;
    this.#events.push(this.nowMs + (serviceMs[job] as number), EVENT.settle, slot);
  }

  #settle(slot: number): void {
    const worker = this.fleet.workerOf(slot);
    // The worker was lost in the middle of the job.
    if (this.fleet.state[worker] === WORKER.gone) return;
    const job = this.fleet.vacate(slot);
    this.#active -= 1;
    this.#meter.settled(job, this.#simulation.workload.serviceMs[job] as number, this.nowMs);
    if (this.fleet.state[worker] === WORKER.ready) this.#offer();
    // Pods end by themselves; workers of ours say so and are stopped at the next look.
    else if (this.#policy.scaleIn !== "drain-idle-first" && this.fleet.busy[worker] === 0) this.exit(worker);
  }

  #look(): void {
    const sight = this.#sight();
    this.#lastLookMs = this.nowMs;
    this.#nextTickMs = this.nowMs + this.#tickMs;
    const { workersMax } = this.#simulation.fleet;
    const wanted = Math.min(Math.max(Math.round(this.#policy.decide(sight)), 0), workersMax);
    this.#meter.looked(this.nowMs, wanted, sight.oldestDueAgeMs ?? 0);
    applyPlan(this, wanted, this.#policy);
  }

  #sight(): PoolSight {
    const { fleet } = this;
    const meter = this.#meter;
    const oldest = this.#again[0] ?? (this.#head < this.#arrived ? this.#head : null);
    const dueMs = oldest === null ? null : (this.#simulation.workload.arrivalsMs[oldest] as number);
    return {
      nowMs: this.nowMs,
      waiting: this.waiting,
      active: this.#active,
      dueSoon: 0,
      oldestDueAgeMs: dueMs === null ? null : this.nowMs - dueMs,
      arrivedTotal: this.#arrived,
      finishedTotal: meter.settledJobs,
      busyMsTotal: meter.settledBusyMs,
      startedTotal: this.#head,
      lateTotal: meter.lateJobs,
      readyWorkers: fleet.ready,
      startingWorkers: fleet.starting,
      drainingWorkers: fleet.draining,
      busySlots: fleet.busySlots,
      startDelayMs: (this.#startDelay ?? estimateStartDelay(null, [])).startDelayMs,
      slotsPerWorker: fleet.slotsPerWorker,
      pickupPromiseMs: this.#simulation.pickupPromiseMs,
    };
  }

  #askToWake(): void {
    const earliestMs = Math.max(this.nowMs, this.#lastLookMs + (this.#policy.wakeGapMs ?? WAKE_GAP_MS));
    if (earliestMs >= this.#nextTickMs || this.#policy.wakes === undefined) return;
    const { waiting } = this;
    const { ready, starting } = this.fleet;
    if (this.#policy.wakes({ waiting, readyWorkers: ready, startingWorkers: starting })) {
      this.#nextTickMs = earliestMs;
    }
  }

  start(): void {
    const fate = drawStart(this.#startDraws, this.#simulation.fleet, this.nowMs);
    const worker = this.fleet.add(this.nowMs);
    this.#meter.workerStarted();
    this.#meter.sizeIs(this.fleet);
    this.#events.push(this.nowMs + fate.delayMs, fate.fails ? EVENT.startFails : EVENT.ready, worker);
  }

  #started(worker: number): void {
    const delayMs = this.nowMs - (this.fleet.startedAtMs[worker] as number);
    this.#startDelay = estimateStartDelay(this.#startDelay, [delayMs]);
    this.#becomeReady(worker);
  }

  #becomeReady(worker: number): void {
    this.fleet.up[worker] = 1;
    if (this.fleet.state[worker] === WORKER.starting) this.#undrain(worker);
    const { crashesPerWorkerHour } = this.#simulation.fleet;
    if (crashesPerWorkerHour === 0) return;
    const aliveMs = (this.#startDraws.exponential() * 3_600_000) / crashesPerWorkerHour;
    this.#events.push(this.nowMs + aliveMs, EVENT.crash, worker);
  }

  order(worker: number, order: number): void {
    if (this.fleet.order[worker] === ORDER.stop) return;
    this.fleet.order[worker] = order;
    const delayMs = this.#orderDraws.next() * this.#simulation.fleet.orderDelayMsMax;
    this.#events.push(this.nowMs + delayMs, EVENT.hears, worker);
  }

  /** The last order counts; one that was overtaken is no longer there. */
  #hear(worker: number): void {
    const order = this.fleet.order[worker];
    // It is ending its process, and nothing that is heard now changes that.
    if (order === ORDER.stop) return;
    this.fleet.order[worker] = ORDER.none;
    const draining = this.fleet.state[worker] === WORKER.draining;
    if (order === ORDER.drain && !draining) this.drain(worker, Number.POSITIVE_INFINITY);
    if (order === ORDER.run && draining) this.#undrain(worker);
  }

  stop(worker: number): void {
    if (this.fleet.order[worker] === ORDER.stop) return;
    this.fleet.order[worker] = ORDER.stop;
    this.#events.push(this.nowMs + this.#simulation.fleet.stopDelayMs, EVENT.exits, worker);
  }

  #undrain(worker: number): void {
    this.#meter.supplyChanges(this.nowMs, this.fleet.ready);
    this.fleet.makeReady(worker);
    this.#meter.sizeIs(this.fleet);
    this.#offer();
  }

  drain(worker: number, graceMs: number): void {
    this.#meter.supplyChanges(this.nowMs, this.fleet.ready);
    this.fleet.makeDraining(worker);
    this.#events.push(this.nowMs + graceMs, EVENT.graceEnds, worker);
  }

  exit(worker: number): void {
    this.#meter.supplyChanges(this.nowMs, this.fleet.ready);
    this.#meter.workerGone(this.fleet.startedAtMs[worker] as number, this.nowMs);
    this.fleet.remove(worker);
  }

  /** The worker goes with what it runs. */
  #lose(worker: number, byCrash: boolean): void {
    for (const slot of this.fleet.busySlotsOf(worker)) {
      const ranMs = this.nowMs - (this.fleet.slotTakenAtMs[slot] as number);
      const job = this.fleet.vacate(slot);
      this.#active -= 1;
      this.#meter.lost(ranMs, byCrash);
      this.#events.push(this.nowMs + this.#simulation.fleet.leaseMs, EVENT.rerun, job);
    }
    this.exit(worker);
  }
}
