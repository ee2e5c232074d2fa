/**
 * Two machines, their autoscalers and workers, one Redis: what may happen to them, drawn by a seed, and what is looked at
 * after each step.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { EpochFile } from "#autoscaler/fleet/epoch-file";
import type { Dice } from "#test/support/dice";
import { FakeClock } from "#test/support/fake-clock";
import { ModelAutoscaler } from "./leadership-autoscaler.ts";
import { ModelFleet, START_MS } from "./leadership-fleet.ts";
import { Judge } from "./leadership-invariants.ts";
import type { ModelMachine } from "./leadership-process.ts";
import { ModelRedis } from "./leadership-redis.ts";

const BOUNDS = { workersMin: 2, workersMax: 6 };
const AUTOSCALERS_MAX = 3;
const QUIET_MS = 15_000;

/** Longest a worker of a machine that is gone can be counted on, and then some rounds. */
const SETTLE_MS = 75_000;
const STILL_MS = 15_000;

interface Machine extends ModelMachine {
  readonly directory: string;
}

export class LeadershipWorld {
  readonly clock = new FakeClock();
  readonly judge = new Judge();
  readonly redis: ModelRedis;
  readonly fleet: ModelFleet;
  readonly #dice: Dice;
  readonly #count: (what: string) => void;
  readonly #machines: readonly Machine[];
  #autoscalers: ModelAutoscaler[] = [];
  #made = 0;
  #wanted = BOUNDS.workersMin;
  #faultAtMs = 0;
  #forcedAtMs = Number.NEGATIVE_INFINITY;

  /** @param directory an empty one. */
  constructor(dice: Dice, directory: string, count: (what: string) => void) {
    this.#dice = dice;
    this.#count = count;
    const { clock, judge } = this;
    this.redis = new ModelRedis(clock, dice, (what) => this.#fault(what));
    this.redis.onReleased(() => {
      for (const it of this.#autoscalers) it.leaseReleased();
    });
    this.fleet = new ModelFleet({
      clock,
      dice,
      redis: this.redis,
      judge,
      count,
      workersMax: BOUNDS.workersMax,
    });
    this.#machines = ["m1", "m2"].map((bootId) => {
      const own = join(directory, bootId);
      mkdirSync(own);
      return { bootId, directory: own, ticks: new Set<number>(), pids: new Set<number>() };
    });
    this.#start();
    this.#start();
  }

  /** One thing happens, some time passes, and the rules are looked at. */
  async step(): Promise<void> {
    const acts = this.#acts();
    const weights = acts.reduce((sum, [weight]) => sum + weight, 0);
    let left = this.#dice.next() * weights;
    const act = acts.find(([weight]) => {
      left -= weight;
      return left < 0;
    });
    const [, name, doIt] = act ?? [0, "nothing", () => undefined];
    this.#count(`act ${name}`);
    await doIt();
    await this.#pass(this.#dice.below(600));
  }

  /** Everything is well again, and stays so. */
  async settle(): Promise<void> {
    this.#heal();
    if (this.#autoscalers.length === 0) this.#start();
    await this.#quiet(SETTLE_MS);
    const { started } = this.fleet;
    await this.#quiet(STILL_MS);
    const { counted } = this.fleet;
    const facts = () =>
      `${counted} of ${this.#wanted}, ${this.fleet.started - started} started; ${this.facts}`;
    this.judge.require("settles", counted === this.#wanted && this.fleet.started === started, facts);
  }

  /** Ends whatever still runs. */
  end(): void {
    for (const it of this.#autoscalers) it.kill();
    this.fleet.workers.clear();
  }

  get facts(): string {
    return this.#autoscalers.map((it) => it.facts).join("; ");
  }

  #acts(): readonly (readonly [weight: number, name: string, act: () => unknown])[] {
    const dice = this.#dice;
    const one = () => (this.#autoscalers.length === 0 ? null : dice.pick(this.#autoscalers));
    return [
      [30, "pass", () => this.#pass(dice.below(3_000))],
      [20, "work", () => this.fleet.work()],
      [6, "want", () => this.#want()],
      [10, "pause", () => this.#faulty("pause", () => one()?.gate.pauseIn(dice.below(8)))],
      [9, "resume", () => this.#faulty("resume", () => one()?.gate.resume())],
      [2, "kill", () => this.#faulty("kill", () => this.#kill(one()))],
      [4, "start", () => this.#faulty("start", () => this.#start())],
      [1, "stop", () => this.#faulty("stop", () => this.#stop(one()))],
      [4, "cut", () => this.#faulty("cut", () => this.#cut(one(), true))],
      [5, "heal", () => this.#faulty("heal", () => this.#cut(one(), false))],
      [1, "cut all", () => this.#faulty("cut all", () => this.#cutAll())],
      [2, "lease lost", () => this.#force(() => this.#seize(null))],
      [1, "lease taken", () => this.#force(() => this.#seize("stranger"))],
      [0.5, "count lost", () => this.#force(() => this.#loseCount())],
      [0.7, "epoch on disk", () => this.#faulty("epoch on disk", () => this.#writeEpoch())],
      [3, "worker dies", () => this.#faulty("worker dies", () => this.#workerDies())],
      [0.3, "machine dies", () => this.#faulty("machine dies", () => this.#machineDies())],
      [2, "quiet", () => this.#quiet(QUIET_MS)],
    ];
  }

  #fault(what: string): void {
    this.#faultAtMs = this.clock.monotonicMs();
    this.#count(`fault ${what}`);
  }

  #faulty(what: string, act: () => void): void {
    act();
    this.#fault(what);
  }

  #force(act: () => void): void {
    act();
    this.#forcedAtMs = this.clock.monotonicMs();
    this.#fault("force");
  }

  #want(): void {
    const { workersMin, workersMax } = BOUNDS;
    this.#wanted = workersMin + this.#dice.below(workersMax - workersMin + 1);
  }

  #start(): void {
    if (this.#autoscalers.length >= AUTOSCALERS_MAX) return;
    const machine = this.#dice.chance(0.7) ? this.#machines[0] : this.#machines[1];
    if (machine === undefined) return;
    this.#made += 1;
    const { clock, redis, fleet, judge } = this;
    const setup = { id: `a-${this.#made}`, ticks: this.#made, machine, directory: machine.directory };
    const wanted = () => this.#wanted;
    const shared = { clock, redis, fleet, judge, bounds: BOUNDS, wanted, count: this.#count };
    this.#autoscalers.push(ModelAutoscaler.run({ ...setup, ...shared }));
  }

  #kill(victim: ModelAutoscaler | null): void {
    victim?.kill();
    this.#autoscalers = this.#autoscalers.filter((it) => it !== victim);
  }

  #stop(autoscaler: ModelAutoscaler | null): void {
    if (autoscaler?.gate.isPaused === false) autoscaler.stop();
  }

  #cut(autoscaler: ModelAutoscaler | null, isCut: boolean): void {
    if (autoscaler !== null) autoscaler.isCut = isCut;
  }

  #cutAll(): void {
    for (const it of this.#autoscalers) it.isCut = true;
  }

  #seize(holder: string | null): void {
    const untilMs = this.clock.monotonicMs() + this.#dice.below(10_000);
    this.redis.lease = holder === null ? null : { holder, epoch: 0, untilMs };
  }

  #loseCount(): void {
    this.redis.epoch = null;
    this.redis.lease = null;
  }

  /** Somebody of the machine has led in a term that Redis has forgotten. */
  #writeEpoch(): void {
    const { directory } = this.#dice.pick(this.#machines);
    const epoch = highest(directory) + 1 + this.#dice.below(30);
    writeFileSync(join(directory, `epoch-${epoch}.json`), JSON.stringify({ epoch, pools: {} }));
  }

  #workerDies(): void {
    const old = [...this.fleet.workers.values()].filter(
      (it) => this.clock.monotonicMs() - it.bornAtMs > 12_000,
    );
    if (old.length > 0) this.fleet.end(this.#dice.pick(old), null);
  }

  /** Its processes end, and it boots anew. */
  #machineDies(): void {
    const machine = this.#dice.pick(this.#machines);
    for (const it of this.#autoscalers) if (it.machine === machine) it.kill();
    this.#autoscalers = this.#autoscalers.filter((it) => it.machine !== machine);
    for (const it of this.fleet.workers.values())
      if (it.machine === machine) this.fleet.workers.delete(it.worker.pid);
    machine.ticks.clear();
    machine.pids.clear();
  }

  #heal(): void {
    for (const it of this.#autoscalers) {
      it.isCut = false;
      it.gate.resume();
    }
    this.#fault("heal");
  }

  /** Nothing new goes wrong. What is wrong stays so. */
  async #quiet(durationMs: number): Promise<void> {
    this.redis.isUnruly = false;
    for (let passedMs = 0; passedMs < durationMs; passedMs += 500) await this.#pass(500);
    this.redis.isUnruly = true;
  }

  async #pass(durationMs: number): Promise<void> {
    await this.clock.advance(durationMs);
    this.#autoscalers = this.#autoscalers.filter((it) => !it.gate.isDead);
    this.#look();
  }

  #look(): void {
    const { judge, clock } = this;
    const nowMs = clock.monotonicMs();
    for (const { bootId, directory } of this.#machines) judge.disk(bootId, highest(directory));
    if (this.redis.epoch !== null) judge.redis(this.redis.epoch);
    const acting = this.#autoscalers.filter((it) => it.mayAct).map((it) => it.facts);
    judge.leaders(acting, nowMs - this.#forcedAtMs);
    const sighting = { nowMs, faultAtMs: this.#faultAtMs, startMs: START_MS, facts: () => this.facts };
    const isBelow = this.#isLed() && this.fleet.counted < BOUNDS.workersMin;
    judge.enough("minimum", "fleet", { ...sighting, isBelow });
    for (const machine of this.#machines)
      judge.enough("aloneMinimum", machine.bootId, { ...sighting, isBelow: this.#lacksAlone(machine) });
    if (judge.broken !== null) throw judge.broken;
  }

  /** Whether somebody can lead: one that runs, hears Redis, and may start workers. */
  #isLed(): boolean {
    const running = this.#autoscalers.filter((it) => !it.gate.isPaused && !it.isStopping);
    return !running.some((it) => it.isBlocked) && running.some((it) => !it.isCut);
  }

  /** Whether a machine that nobody leads has fewer workers than it can keep. One that stands still may have its lock. */
  #lacksAlone(machine: Machine): boolean {
    const own = this.#autoscalers.filter((it) => it.machine === machine);
    if (own.length === 0 || own.some((it) => it.gate.isPaused || it.isStopping || it.isBlocked)) return false;
    if (this.#autoscalers.some((it) => !it.isCut)) return false;
    const { wanted, leaving } = toldOf(machine.directory);
    const there = [...this.fleet.workers.values()].filter((it) => it.machine === machine);
    const counted = there.filter(({ worker }) => !leaving.includes(worker.workerId)).length;
    return counted < Math.min(BOUNDS.workersMin, wanted);
  }
}

/** What the newest leader has told the machine. */
function toldOf(directory: string): { readonly wanted: number; readonly leaving: readonly string[] } {
  const { desired = {}, leaving = [] } = new EpochFile(directory).read()?.pools.probe ?? {};
  return { wanted: Object.values(desired).reduce((sum, it) => sum + it, 0), leaving };
}

function highest(directory: string): number {
  const epochs = readdirSync(directory).map((name) => Number(/^epoch-(\d+)\.json$/.exec(name)?.[1] ?? 0));
  return Math.max(0, ...epochs);
}

export function removeWorld(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
}
