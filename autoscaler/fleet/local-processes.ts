/**
 * Worker processes of this machine: started, told to stop, killed. It judges nothing; `local-executor.ts` does.
 *
 * Workers are started in a process group of their own, so that a terminal's ^C reaches the supervisor
 * alone and they are drained and not killed. They are signalled by their own pid only. Their output
 * goes where ours goes, and none of it through us: they outlive us.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import type { Clock } from "#shared/clock";
import type { Log } from "#shared/log";
import type { SluiceConfig } from "#shared/sluice-config";
import { type LastWords, lastWordsIn } from "#shared/worker-last-words";
import type { RunningWorker } from "./worker-roster.ts";

export interface WorkerEnd {
  readonly worker: RunningWorker;
  /** `null` when it was ended by a signal. */
  readonly code: number | null;
  readonly signal: string | null;
  /** Why it could not run, as it said itself. */
  readonly words: LastWords | null;
  readonly livedMs: number;
}

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

export class LocalProcesses {
  readonly #options: LocalProcessesOptions;

  constructor(options: LocalProcessesOptions) {
    this.#options = options;
  }

  /**
   * Starts one worker; `null` when the system has refused. @throws when the configuration does not name it.
   *
   * @param onEnd called once it has ended.
   */
  start(queue: string, release: string, onEnd: (end: WorkerEnd) => void): RunningWorker | null {
    const { clock, log } = this.#options;
    const workerId = `w-${randomUUID().slice(0, 8)}`;
    const { command, args, environment } = this.#launchOf(queue, release, workerId);
    const child = spawn(command, args, {
      env: environment,
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      detached: true,
    });
    child.once("error", (error) =>
      log.error({ err: error, worker: workerId, release }, "worker process reports an error"),
    );
    if (child.pid === undefined) return null;
    const worker = { workerId, release, queue, startedAtMs: clock.nowMs(), pid: child.pid };
    this.#watch(child, worker, onEnd);
    log.info({ worker: workerId, release, queue, pid: child.pid }, "worker is starting");
    return worker;
  }

  /** Sends a signal; nothing happens when the process is gone. */
  signal(pid: number, name: NodeJS.Signals): void {
    try {
      process.kill(pid, name);
    } catch {
      // It has ended in the meantime.
    }
  }

  get longestDrainMs(): number {
    const { config, drainDeadlineMs } = this.#options;
    const deadlines = Object.values(config.pools).map((pool) => pool.drainDeadlineMs ?? drainDeadlineMs);
    return Math.max(drainDeadlineMs, ...deadlines);
  }

  #watch(child: ChildProcess, worker: RunningWorker, onEnd: (end: WorkerEnd) => void): void {
    const { clock, log } = this.#options;
    const startedMs = clock.monotonicMs();
    let words: LastWords | null = null;
    child.on("message", (message) => {
      words = lastWordsIn(message) ?? words;
    });
    child.once("exit", (code, signal) => {
      const { workerId, release } = worker;
      log.info({ worker: workerId, release, code, signal }, "worker has exited");
      onEnd({ worker, code, signal, words, livedMs: clock.monotonicMs() - startedMs });
    });
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
}
