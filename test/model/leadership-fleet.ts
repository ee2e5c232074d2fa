/**
 * Workers of the model: they start, register, beat, obey orders, run jobs, and end when they are told to and hold none.
 *
 * A second signal kills the job that a worker still has, as it does in production; the judge is told of it.
 */
import type { WorkerEnd } from "#autoscaler/fleet/local-processes";
import type { RunningWorker } from "#autoscaler/fleet/worker-roster";
import type { Dice } from "#test/support/dice";
import type { FakeClock } from "#test/support/fake-clock";
import type { Judge } from "./leadership-invariants.ts";
import type { ModelMachine } from "./leadership-process.ts";
import type { ModelRedis } from "./leadership-redis.ts";

export const START_MS = 800;
const BEAT_MS = 1_000;
const JOB_MS_MAX = 8_000;

export interface ModelWorker {
  readonly worker: RunningWorker;
  readonly machine: ModelMachine;
  readonly bornAtMs: number;
  readonly onEnd: (end: WorkerEnd) => void;
  /** Why it takes nothing new, `null` while it does. */
  draining: string | null;
  signals: number;
  busy: number;
  obeyed: number;
}

export interface FleetPorts {
  readonly clock: FakeClock;
  readonly dice: Dice;
  readonly redis: ModelRedis;
  readonly judge: Judge;
  readonly workersMax: number;
  count(what: string): void;
}

export class ModelFleet {
  /** By process id; those whose processes are there. */
  readonly workers = new Map<number, ModelWorker>();
  started = 0;
  readonly #ports: FleetPorts;

  constructor(ports: FleetPorts) {
    this.#ports = ports;
  }

  /** Workers that are there and take jobs, or will. */
  get counted(): number {
    return [...this.workers.values()].filter((it) => it.draining === null).length;
  }

  start(machine: ModelMachine, onEnd: (end: WorkerEnd) => void): RunningWorker {
    const { clock } = this.#ports;
    this.started += 1;
    const pid = 1_000_000 + this.started;
    const workerId = `w-${this.started}`;
    const worker = { workerId, release: "v1", queue: "probe", startedAtMs: clock.nowMs(), pid };
    const bornAtMs = clock.monotonicMs();
    const own = { worker, machine, bornAtMs, onEnd, draining: null, signals: 0, busy: 0, obeyed: 0 };
    this.workers.set(pid, own);
    machine.pids.add(pid);
    this.#requireRoom(machine);
    clock.after(START_MS, () => this.#register(own));
    return worker;
  }

  signal(pid: number, name: string): void {
    const worker = this.workers.get(pid);
    if (worker === undefined) return;
    worker.signals += 1;
    worker.draining = "told to stop";
    const kills = name === "SIGKILL" || worker.signals > 1;
    this.#ports.judge.require(
      "busyLives",
      !(kills && worker.busy > 0),
      () => `${worker.worker.workerId} by ${name}`,
    );
    if (kills || worker.busy === 0) this.end(worker, kills ? null : 0);
  }

  /** It dies, or ends by itself. */
  end(own: ModelWorker, code: number | null): void {
    const { worker, machine, bornAtMs, onEnd } = own;
    this.workers.delete(worker.pid);
    machine.pids.delete(worker.pid);
    const livedMs = this.#ports.clock.monotonicMs() - bornAtMs;
    if (code === 0) this.#ports.redis.heard.delete(worker.workerId);
    onEnd({ worker, code, signal: code === null ? "SIGKILL" : null, words: null, livedMs });
  }

  /** Jobs come to those who take some. */
  work(): void {
    const { clock, dice, redis, count } = this.#ports;
    for (const own of this.workers.values()) {
      if (own.draining !== null || !redis.heard.has(own.worker.workerId) || dice.chance(0.5)) continue;
      own.busy += 1;
      count("job taken");
      clock.after(dice.below(JOB_MS_MAX), () => this.#settle(own));
    }
  }

  /** One that was told to drain and has not heard of it yet has been given up too. */
  #requireRoom(machine: ModelMachine): void {
    const { judge, redis, workersMax } = this.#ports;
    const own = [...this.workers.values()].filter((it) => it.machine === machine && it.draining === null);
    const stay = own.filter(({ worker }) => redis.orders.get(worker.workerId)?.order !== "drain").length;
    judge.require("maximum", stay <= workersMax, () => `${stay} on ${machine.bootId}`);
  }

  #settle(own: ModelWorker): void {
    own.busy -= 1;
    const isThere = this.workers.get(own.worker.pid) === own;
    if (isThere && own.busy === 0 && own.signals > 0) this.end(own, 0);
  }

  #register(own: ModelWorker): void {
    if (this.workers.get(own.worker.pid) !== own) return;
    const nowMs = this.#ports.clock.monotonicMs();
    this.#ports.redis.heard.set(own.worker.workerId, {
      seenAtMs: nowMs,
      registeredAtMs: nowMs,
      pid: own.worker.pid,
      host: own.machine.bootId,
      busy: 0,
      said: null,
    });
    this.#beat(own);
  }

  #beat(own: ModelWorker): void {
    const { clock, redis, judge } = this.#ports;
    const { workerId, pid } = own.worker;
    if (this.workers.get(pid) !== own) return;
    const nowMs = clock.monotonicMs();
    const heard = redis.heard.get(workerId) ?? {
      seenAtMs: nowMs,
      registeredAtMs: nowMs,
      pid,
      host: own.machine.bootId,
      busy: 0,
      said: null,
    };
    const order = redis.orders.get(workerId);
    if (order !== undefined && order.epoch >= own.obeyed && own.signals === 0) {
      own.obeyed = order.epoch;
      judge.obeyed(workerId, order.epoch);
      own.draining = order.order === "drain" ? "ordered-to-drain" : null;
    }
    heard.seenAtMs = nowMs;
    heard.busy = own.busy;
    heard.said = { state: own.draining === null ? "ok" : "draining", reason: own.draining };
    redis.heard.set(workerId, heard);
    clock.after(BEAT_MS, () => this.#beat(own));
  }
}
