/** The port to whatever starts and stops workers. Only it does; a decision never reaches a process. */

/** A worker that the executor has started or taken over, until it is gone. */
export interface ExecutedWorker {
  readonly workerId: string;
  readonly release: string;
  readonly queue: string;
  /** When it was spawned, in milliseconds since the Unix epoch. */
  readonly startedAtMs: number;
  readonly pid: number | null;
}

export interface FleetExecutor {
  /** Workers whose processes are there. */
  workers(): readonly ExecutedWorker[];
  /** Whether the worker was ours and its process has ended. */
  hasEnded(workerId: string): boolean;
  /** Why `release` cannot be started right now, `null` when it can. */
  blocked(queue: string, release: string): string | null;
  /** Starts one worker and answers its id. */
  start(queue: string, release: string): string;
  /** Tells a worker to drain and exit; nothing happens when it is gone. */
  stop(workerId: string): void;
  /** Takes over a worker that an earlier executor on this machine has started; one that has ended counts so. */
  adopt(worker: ExecutedWorker & { readonly pid: number }): void;
}
