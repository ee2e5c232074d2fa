/** What a run has left behind: the facts that metrics.ts turns into numbers. */

/** Supply and age are kept for cells of this length. */
export const CELL_MS = 60_000;

export interface Outcome {
  readonly policy: string;
  readonly horizonMs: number;
  readonly pickupPromiseMs: number;
  /** By job in the order of arrival: from due to taken for the first time. `Infinity`: never. */
  readonly pickupMs: Float64Array;
  /** By job: how often it was taken. */
  readonly starts: Uint16Array;
  /** By job, 1: settled. */
  readonly settled: Uint8Array;
  /**
   * From each start to each exit, draining included, within the horizon; and what was owed at its end: the rest
   * of the work that had come, so that a backlog left over is not a saving.
   */
  readonly paidWorkerMs: number;
  /** Jobs that scaling in has killed, and that a crash has. */
  readonly killedJobs: number;
  readonly crashedJobs: number;
  /** Slot time of attempts that were killed or lost. */
  readonly wastedMs: number;
  readonly workersStarted: number;
  /** Ready and starting ones at the same time. */
  readonly workersPeak: number;
  /** How often what was wanted turned from rising to falling or back, within the horizon. */
  readonly turns: number;
  /** By cell: ready workers on average, and the oldest age seen at a look. */
  readonly supplyWorkers: Float64Array;
  readonly oldestAgeMs: Float64Array;
}
