/** Keeps the account of a run: what each job met, what was paid, how much supply there was when. */
import { CELL_MS, type Outcome } from "./outcome.ts";
import { type SimulatedFleet, WORKER } from "./simulated-fleet.ts";
import type { Simulation } from "./simulation.ts";

export class RunMeter {
  settledJobs = 0;
  settledBusyMs = 0;
  lateJobs = 0;
  readonly #simulation: Simulation;
  readonly #horizonMs: number;
  readonly #pickupMs: Float64Array;
  readonly #starts: Uint16Array;
  readonly #settled: Uint8Array;
  readonly #supplyMs: Float64Array;
  readonly #oldestAgeMs: Float64Array;
  #supplySinceMs = 0;
  #paidMs = 0;
  #owedMs = 0;
  #killed = 0;
  #crashed = 0;
  #wastedMs = 0;
  #workersStarted = 0;
  #peak = 0;
  #wanted = 0;
  #direction = 0;
  #turns = 0;

  constructor(simulation: Simulation) {
    const { workload } = simulation;
    const jobs = workload.arrivalsMs.length;
    const cells = Math.ceil(workload.horizonMs / CELL_MS);
    this.#simulation = simulation;
    this.#horizonMs = workload.horizonMs;
    this.#pickupMs = new Float64Array(jobs).fill(Number.POSITIVE_INFINITY);
    this.#starts = new Uint16Array(jobs);
    this.#settled = new Uint8Array(jobs);
    this.#supplyMs = new Float64Array(cells);
    this.#oldestAgeMs = new Float64Array(cells);
  }

  taken(job: number, pickupMs: number): void {
    const starts = this.#starts[job] as number;
    this.#starts[job] = starts + 1;
    if (starts > 0) return;
    this.#pickupMs[job] = pickupMs;
    if (pickupMs > this.#simulation.pickupPromiseMs) this.lateJobs += 1;
  }

  settled(job: number, serviceMs: number, nowMs: number): void {
    this.#settled[job] = 1;
    this.settledJobs += 1;
    this.settledBusyMs += serviceMs;
    if (nowMs > this.#horizonMs) this.#owedMs += Math.min(serviceMs, nowMs - this.#horizonMs);
  }

  lost(ranMs: number, byCrash: boolean): void {
    this.#wastedMs += ranMs;
    if (byCrash) this.#crashed += 1;
    else this.#killed += 1;
  }

  workerStarted(): void {
    this.#workersStarted += 1;
  }

  workerGone(startedAtMs: number, nowMs: number): void {
    this.#paidMs += Math.max(0, Math.min(nowMs, this.#horizonMs) - startedAtMs);
  }

  sizeIs({ ready, starting }: SimulatedFleet): void {
    this.#peak = Math.max(this.#peak, ready + starting);
  }

  /** Until now `ready` workers took jobs. */
  supplyChanges(nowMs: number, ready: number): void {
    const untilMs = Math.min(nowMs, this.#horizonMs);
    let fromMs = this.#supplySinceMs;
    this.#supplySinceMs = nowMs;
    if (ready === 0) return;
    while (fromMs < untilMs) {
      const cell = Math.floor(fromMs / CELL_MS);
      const endMs = Math.min(untilMs, (cell + 1) * CELL_MS);
      this.#supplyMs[cell] = (this.#supplyMs[cell] as number) + ready * (endMs - fromMs);
      fromMs = endMs;
    }
  }

  looked(nowMs: number, wanted: number, oldestAgeMs: number): void {
    if (nowMs >= this.#horizonMs) return;
    const cell = Math.floor(nowMs / CELL_MS);
    if (oldestAgeMs > (this.#oldestAgeMs[cell] as number)) this.#oldestAgeMs[cell] = oldestAgeMs;
    const direction = Math.sign(wanted - this.#wanted);
    this.#wanted = wanted;
    if (direction === 0) return;
    if (this.#direction !== 0 && direction !== this.#direction) this.#turns += 1;
    this.#direction = direction;
  }

  /** The account once the run is over. Once. */
  outcome(policy: string, fleet: SimulatedFleet): Outcome {
    const horizonMs = this.#horizonMs;
    this.supplyChanges(horizonMs, fleet.ready);
    for (const worker of fleet.alive) {
      if (fleet.state[worker] !== WORKER.gone)
        this.workerGone(fleet.startedAtMs[worker] as number, horizonMs);
    }
    return {
      policy,
      horizonMs,
      pickupPromiseMs: this.#simulation.pickupPromiseMs,
      pickupMs: this.#pickupMs,
      starts: this.#starts,
      settled: this.#settled,
      paidWorkerMs: this.#paidMs + (this.#owedMs + this.#neverSettledMs()) / fleet.slotsPerWorker,
      killedJobs: this.#killed,
      crashedJobs: this.#crashed,
      wastedMs: this.#wastedMs,
      workersStarted: this.#workersStarted,
      workersPeak: this.#peak,
      turns: this.#turns,
      supplyWorkers: this.#supplyMs.map((supplyMs, cell) => supplyMs / cellMs(cell, horizonMs)),
      oldestAgeMs: this.#oldestAgeMs,
    };
  }

  #neverSettledMs(): number {
    if (this.settledJobs === this.#settled.length) return 0;
    return this.#simulation.workload.serviceMs.reduce(
      (sum, serviceMs, job) => sum + (this.#settled[job] === 1 ? 0 : serviceMs),
      0,
    );
  }
}

/** The last cell may be shorter. */
function cellMs(cell: number, horizonMs: number): number {
  return Math.min(CELL_MS, horizonMs - cell * CELL_MS);
}
