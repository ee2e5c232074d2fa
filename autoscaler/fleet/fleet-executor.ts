/**
 * The port to whatever starts and stops workers: three calls whose arguments and answers are plain data, so that it
 * may be another process. Only it does; a decision never reaches a process by another way.
 *
 * A command says what shall be there and not what to do: repeated it changes nothing, and one that was lost is made
 * good by the next. Whoever sends one leads; one of an earlier term is refused with a `StaleEpochError`.
 */

/** A worker whose process is there. */
export interface ExecutedWorker {
  readonly workerId: string;
  readonly release: string;
  readonly queue: string;
  /** When it was spawned, in milliseconds since the Unix epoch. */
  readonly startedAtMs: number;
  readonly pid: number | null;
}

export interface FleetCommand {
  /** Of the leader's term. */
  readonly epoch: number;
  /** Rises with every command of a term for a pool. */
  readonly sequence: number;
  readonly queue: string;
  readonly release: string;
  /** Workers that shall be there, those that do not count left out, >= 0. Fewer are started; none is stopped. */
  readonly desired: number;
  /** Ids of workers that do not count: they leave, or they are there and nobody hears of them. */
  readonly leaving: readonly string[];
  /** Ids of workers that were heard of: they have come up well. */
  readonly heard: readonly string[];
}

export interface CommandAnswer {
  /** Ids of the workers that were started. */
  readonly started: readonly string[];
  /** Why fewer were started than are missing, `null` when not. */
  readonly limitedBy: "workers-max" | "start-rate" | "start-failures" | null;
}

export interface StopCommand {
  /** Of the leader's term. */
  readonly epoch: number;
  /** Ids of those that shall drain and end; unknown ones are left out. */
  readonly workers: readonly string[];
}

/** A release that cannot be started just now. */
export interface BlockedRelease {
  readonly queue: string;
  readonly release: string;
  /** In a sentence. */
  readonly reason: string;
}

export interface ExecutorStatus {
  /** The highest epoch that a command had, `null` before the first. */
  readonly epoch: number | null;
  readonly workers: readonly ExecutedWorker[];
  /** Ids of workers that have ended lately. */
  readonly ended: readonly string[];
  readonly blocked: readonly BlockedRelease[];
  /** More workers that the machine's memory has room for, by pool; `null` while not known, or no matter of ours. */
  readonly room: Readonly<Record<string, number | null>>;
}

export interface FleetExecutor {
  /**
   * Makes as many workers be there as the command says.
   *
   * @throws {StaleEpochError} when the command is of an earlier term, or overtaken by a later one of its own.
   * @throws {EpochFileCorruptError} when that cannot be told.
   */
  desired(command: FleetCommand): Promise<CommandAnswer>;

  status(): Promise<ExecutorStatus>;

  /** Tells workers to drain and end. @throws as `desired` does. */
  stop(command: StopCommand): Promise<void>;
}
