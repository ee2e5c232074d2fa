/**
 * One autoscaler of the model: production's leadership, executor, lock, peers, minimum and `carryOut`, in a process that can
 * be paused and killed. Only the loop around them is the model's: look, ask for what is wanted, and again.
 */
import { carryOut } from "#autoscaler/fleet/carry-out";
import { FleetSight } from "#autoscaler/fleet/fleet-sight";
import { KeepMinimum } from "#autoscaler/fleet/keep-minimum";
import { LocalExecutor } from "#autoscaler/fleet/local-executor";
import { MachineLock } from "#autoscaler/fleet/machine-lock";
import { MachinePeers } from "#autoscaler/fleet/machine-peers";
import { Leadership } from "#autoscaler/leadership";
import type { WorkerView } from "#autoscaler/snapshot";
import { workerViews } from "#autoscaler/worker-views";
import { StaleEpochError } from "#shared/errors";
import { createLog } from "#shared/log";
import { workerStatus } from "#shared/redis/worker-words";
import type { FakeClock } from "#test/support/fake-clock";
import type { ModelFleet } from "./leadership-fleet.ts";
import type { Judge } from "./leadership-invariants.ts";
import { current, Gate, type ModelMachine, ProcessClock } from "./leadership-process.ts";
import type { Link, ModelRedis } from "./leadership-redis.ts";

const TICK_MS = 2_000;

const FACTS = {
  release: "v1",
  queue: "probe",
  slots: 1,
  bootId: "b",
  bullmqMajor: "6",
  nodeVersion: "20",
};

/** Written out to where the schema has no default. */
const STATUS = {
  lanes: [],
  lastStartedAtMs: null,
  lastFinishedAtMs: null,
  settled: {},
  eventLoopLagMs: 0,
  rssBytes: 0,
  clockOffsetMs: null,
};
const log = createLog("model", "silent");

export interface AutoscalerSetup {
  readonly id: string;
  readonly ticks: number;
  readonly machine: ModelMachine;
  readonly directory: string;
  readonly clock: FakeClock;
  readonly redis: ModelRedis;
  readonly fleet: ModelFleet;
  readonly judge: Judge;
  readonly bounds: { readonly workersMin: number; readonly workersMax: number };
  wanted(): number;
  count(what: string): void;
}

export class ModelAutoscaler implements Link {
  readonly gate = new Gate();
  readonly id: string;
  readonly machine: ModelMachine;
  isCut = false;
  isStopping = false;
  readonly #setup: AutoscalerSetup;
  readonly #clock: ProcessClock;
  readonly #stop = new AbortController();
  readonly #executor: LocalExecutor;
  readonly #leadership: Leadership;
  readonly #sight: FleetSight;
  readonly #peers: MachinePeers;
  readonly #lock: MachineLock;
  /** Epoch of the command that is carried out, as it was asked about last; `null` outside of one. */
  #asked: number | null = null;
  #wake = new AbortController();
  #sequence = 0;

  /** To be made in its own context. */
  constructor(setup: AutoscalerSetup) {
    this.#setup = setup;
    this.id = setup.id;
    this.machine = setup.machine;
    this.#clock = new ProcessClock(setup.clock, this.gate);
    this.#peers = new MachinePeers(setup.directory);
    this.#peers.join();
    this.#lock = new MachineLock(setup.directory, this.#clock);
    this.#executor = this.#makeExecutor();
    this.#sight = new FleetSight(this.#executor);
    this.#leadership = new Leadership({
      lease: setup.redis.leaseOf(setup.id, this),
      clock: this.#clock,
      log,
      epochMin: () => this.#executor.epoch,
      lead: async () => undefined,
    });
    this.#leadership.onTerm(() => {
      setup.count("term");
      this.#wake.abort();
    });
  }

  /** Starts it. */
  static run(setup: AutoscalerSetup): ModelAutoscaler {
    const { ticks, machine } = setup;
    const running = { ticks, machine, gate: new Gate() };
    return current.run(running, () => {
      const own = new ModelAutoscaler(setup);
      running.gate = own.gate;
      machine.ticks.add(ticks);
      void own.#run();
      return own;
    });
  }

  /** Whether it would do what the leader does, if it were asked right now. */
  get mayAct(): boolean {
    try {
      this.#leadership.term?.require();
      return this.#leadership.term !== null;
    } catch {
      return false;
    }
  }

  get facts(): string {
    const state = this.gate.isPaused ? "paused" : this.isCut ? "cut" : "well";
    const { term, role, leaderlessMs } = this.#leadership;
    return `${this.id} on ${this.machine.bootId} ${state} ${role} ${term?.epoch ?? "-"} alone ${leaderlessMs}`;
  }

  /** Releases that its executor does not start just now. */
  get isBlocked(): boolean {
    return current.run({ ...this.#setup, gate: this.gate }, () => this.#limited);
  }

  #limited = false;

  leaseReleased(): void {
    if (!this.isCut) void this.gate.pass().then(() => this.#leadership.released());
  }

  stop(): void {
    this.isStopping = true;
    this.#stop.abort();
  }

  kill(): void {
    this.gate.kill();
    this.machine.ticks.delete(this.#setup.ticks);
  }

  async #run(): Promise<void> {
    const { clock, count } = this.#setup;
    const { signal } = this.#stop;
    const keeper = new KeepMinimum({
      clock: this.#clock,
      log,
      lock: this.#lock,
      executor: {
        keepMinimum: (mayAct) => {
          this.#asked = null;
          this.#executor.keepMinimum(mayAct);
        },
      },
      leaderlessMs: () => this.#leadership.leaderlessMs,
    });
    await Promise.all([this.#leadership.run(signal), keeper.run(signal), this.#rounds(signal)]);
    await this.gate.pass();
    this.#peers.leave();
    this.#asked = null;
    if (this.#peers.other() === null) {
      count("took its workers with it");
      await this.#executor.stopAll();
    } else count("left its workers");
    await this.#clock.sleep(0);
    if (clock.monotonicMs() >= 0) this.kill();
  }

  async #rounds(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      this.#wake = new AbortController();
      await this.#round().catch((error: unknown) => {
        this.#setup.count(error instanceof StaleEpochError ? "round refused" : "round failed");
      });
      await this.#clock.sleep(TICK_MS, AbortSignal.any([stop, this.#wake.signal]));
    }
  }

  async #round(): Promise<void> {
    const { redis, wanted } = this.#setup;
    await this.#sight.refresh();
    this.#limited = (await this.#executor.status()).blocked.length > 0;
    const workers = await redis.call(this, () => this.#views());
    const { term } = this.#leadership;
    if (term === null) return;
    const nextSequence = () => {
      this.#sequence += 1;
      return this.#sequence;
    };
    const orders = redis.ordersOf(this);
    const ports = { queue: "probe", fleet: orders, executor: this.#executor, term, nextSequence };
    await carryOut({ v1: wanted() }, workers, ports);
    this.#setup.count("round led");
  }

  #views(): WorkerView[] {
    const { clock, redis } = this.#setup;
    const heard = [...redis.heard].map(([workerId, { pid, host, said, busy, registeredAtMs, seenAtMs }]) => {
      const facts = { ...FACTS, pid, host };
      const status = said === null ? null : workerStatus.parse({ ...STATUS, ...said, busy });
      return { workerId, facts, status, registeredAtMs, seenAtMs };
    });
    return workerViews(heard, clock.monotonicMs(), this.#sight);
  }

  #makeExecutor(): LocalExecutor {
    const { directory, fleet, machine, bounds } = this.#setup;
    return new LocalExecutor({
      directory,
      clock: this.#clock,
      log,
      pools: ["probe"],
      bounds: () => bounds,
      memory: () => ({ freeBytes: 1e9, totalBytes: 1e10 }),
      guard: (epoch) => {
        const { term } = this.#leadership;
        this.#asked = epoch;
        if (term === null || term.epoch !== epoch) throw new StaleEpochError(epoch, term?.epoch ?? null);
        term.require();
      },
      processes: {
        start: (_queue, _release, onEnd) => {
          this.#tell("started");
          const context = { ...this.#setup, gate: this.gate };
          return fleet.start(machine, (end) => {
            void this.gate.pass().then(() => current.run(context, () => onEnd(end)));
          });
        },
        signal: (pid, name) => {
          this.#tell("signalled");
          fleet.signal(pid, name);
        },
        longestDrainMs: 20_000,
      },
    });
  }

  #tell(what: string): void {
    const { judge, redis, clock, machine, count } = this.#setup;
    const epoch = this.#asked;
    count(`${what} ${epoch === null ? "without a leader" : "for the leader"}`);
    if (epoch === null) return;
    const grantedUntilMs = redis.grantedUntilMs.get(`${this.id} ${epoch}`) ?? 0;
    const nowMs = clock.monotonicMs();
    judge.effect({ machine: machine.bootId, process: this.id, epoch, nowMs, grantedUntilMs });
  }
}
