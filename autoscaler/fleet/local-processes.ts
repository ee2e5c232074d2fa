/**
 * The fleet executor of one machine: each worker is a child process.
 *
 * Workers are started in a process group of their own, so that a terminal's ^C reaches the supervisor
 * alone and they are drained and not killed. They are signalled by their own pid only. Their output
 * goes where ours goes.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import type { Clock } from "#shared/clock";
import type { Log } from "#shared/log";
import type { SluiceConfig } from "#shared/sluice-config";
import { decideStartBackoff } from "./decide-start-backoff.ts";
import type { ExecutedWorker, FleetExecutor } from "./fleet-executor.ts";

/** A worker that has exited this long after its spawn was not ended at birth. */
const BIRTH_MS = 10_000;

/** What a worker may take beyond its drain deadline before it is killed. */
const KILL_GRACE_MS = 4_000;

/** Ended workers that are remembered. */
const ENDED_KEPT_MAX = 1_000;

export interface LocalProcessesOptions {
  readonly config: SluiceConfig;
  readonly clock: Clock;
  readonly log: Log;
  /** Command of a release that names none. */
  readonly defaultCommand: readonly string[];
  /** Environment of every worker: where Redis is and how safe it must be. */
  readonly environment: Readonly<Record<string, string>>;
  /** Drain deadline of pools that name none. */
  readonly drainDeadlineMs: number;
}

interface Local extends ExecutedWorker {
  readonly child: ChildProcess | null;
}

interface Births {
  failures: number;
  notBeforeMs: number;
}

export class LocalProcesses implements FleetExecutor {
  readonly #options: LocalProcessesOptions;
  readonly #workers = new Map<string, Local>();
  /** Newest last; only as many as can still be in the fleet's registry. */
  readonly #ended = new Set<string>();
  readonly #births = new Map<string, Births>();

  constructor(options: LocalProcessesOptions) {
    this.#options = options;
  }

  workers(): readonly ExecutedWorker[] {
    for (const worker of this.#workers.values()) {
      if (worker.child === null && !isRunning(worker.pid)) this.#forget(worker.workerId);
    }
    return [...this.#workers.values()];
  }

  hasEnded(workerId: string): boolean {
    return this.#ended.has(workerId);
  }

  blocked(queue: string, release: string): string | null {
    const births = this.#births.get(`${queue}/${release}`);
    const waitMs = (births?.notBeforeMs ?? 0) - this.#options.clock.monotonicMs();
    if (births === undefined || waitMs <= 0) return null;
    return `${births.failures} workers of ${release} ended at once; next try in ${Math.ceil(waitMs / 1000)} s`;
  }

  start(queue: string, release: string): string {
    const { clock, log } = this.#options;
    const workerId = `w-${randomUUID().slice(0, 8)}`;
    const { command, args, environment } = this.#launchOf(queue, release, workerId);
    const child = spawn(command, args, {
      env: environment,
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      detached: true,
    });
    const worker: Local = {
      workerId,
      release,
      queue,
      startedAtMs: clock.nowMs(),
      pid: child.pid ?? null,
      child,
    };
    this.#workers.set(workerId, worker);
    child.once("error", (error) => {
      log.error({ err: error, worker: workerId, release }, "worker could not be started");
      this.#gone(worker, null);
    });
    child.once("exit", (code, signal) => {
      log.info({ worker: workerId, release, code, signal }, "worker has exited");
      this.#gone(worker, code);
    });
    log.info({ worker: workerId, release, queue, pid: child.pid }, "worker is starting");
    return workerId;
  }

  stop(workerId: string): void {
    signal(this.#workers.get(workerId)?.pid ?? null, "SIGTERM");
  }

  adopt(worker: ExecutedWorker & { readonly pid: number }): void {
    if (this.#workers.has(worker.workerId)) return;
    if (!isRunning(worker.pid)) {
      this.#forget(worker.workerId);
      return;
    }
    this.#workers.set(worker.workerId, { ...worker, child: null });
    this.#options.log.info({ worker: worker.workerId, pid: worker.pid }, "worker is taken over");
  }

  /** Drains and ends all workers; those that outlast the deadline are killed. Resolves when none is left. */
  async stopAll(): Promise<void> {
    const { clock } = this.#options;
    const deadlineMs = clock.monotonicMs() + this.#longestDrainMs() + KILL_GRACE_MS;
    for (const { workerId } of this.workers()) this.stop(workerId);
    while (this.workers().length > 0 && clock.monotonicMs() < deadlineMs) await clock.sleep(50);
    this.killAll();
  }

  /** Ends all workers at once; their jobs run again when their leases end. */
  killAll(): void {
    for (const { pid } of this.workers()) signal(pid, "SIGKILL");
  }

  #gone(worker: Local, code: number | null): void {
    this.#forget(worker.workerId);
    const { clock } = this.#options;
    const key = `${worker.queue}/${worker.release}`;
    const diedAtBirth = code !== 0 && clock.nowMs() - worker.startedAtMs < BIRTH_MS;
    if (!diedAtBirth) {
      this.#births.delete(key);
      return;
    }
    const failures = (this.#births.get(key)?.failures ?? 0) + 1;
    this.#births.set(key, { failures, notBeforeMs: clock.monotonicMs() + decideStartBackoff(failures) });
  }

  #forget(workerId: string): void {
    this.#workers.delete(workerId);
    this.#ended.add(workerId);
    for (const oldest of this.#ended) {
      if (this.#ended.size <= ENDED_KEPT_MAX) break;
      this.#ended.delete(oldest);
    }
  }

  #launchOf(queue: string, release: string, workerId: string) {
    const { config, defaultCommand, environment, drainDeadlineMs } = this.#options;
    const configured = config.releases.find((it) => it.id === release);
    const pool = config.pools[queue];
    if (configured === undefined || pool === undefined) {
      throw new Error(`release ${release} or pool ${queue} is not in ${config.path}`);
    }
    const [command = "", ...args] = configured.command ?? defaultCommand;
    return {
      command,
      args,
      environment: {
        ...environment,
        SLUICE_RELEASE: release,
        SLUICE_APP: configured.app,
        SLUICE_QUEUE: queue,
        SLUICE_SLOTS: String(pool.slotsPerWorker),
        SLUICE_WORKER_ID: workerId,
        SLUICE_DRAIN_DEADLINE_MS: String(pool.drainDeadlineMs ?? drainDeadlineMs),
      },
    };
  }

  #longestDrainMs(): number {
    const { config, drainDeadlineMs } = this.#options;
    return Math.max(...Object.values(config.pools).map((pool) => pool.drainDeadlineMs ?? drainDeadlineMs));
  }
}

function signal(pid: number | null, name: NodeJS.Signals): void {
  if (pid === null) return;
  try {
    process.kill(pid, name);
  } catch {
    // It has ended in the meantime.
  }
}

function isRunning(pid: number | null): boolean {
  if (pid === null) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
