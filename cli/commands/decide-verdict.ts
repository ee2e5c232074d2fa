/**
 * Is all well? One word and the reasons for it, worst first.
 *
 * `late`: a promise is broken now. `unhealthy`: something will not mend by waiting.
 */

interface VerdictLane {
  readonly lane: string;
  readonly oldestDueAgeMs: number | null;
  readonly orphaned: boolean;
}

export interface VerdictQueue {
  readonly queue: string;
  readonly pickupPromiseMs: number | null;
  readonly lanes: readonly VerdictLane[];
  readonly quarantined: number;
  readonly parked: number;
}

export interface VerdictWorker {
  readonly worker: string;
  readonly state: string;
  readonly reason: string | null;
}

export interface VerdictObservation {
  readonly queues: readonly VerdictQueue[];
  readonly workers: readonly VerdictWorker[];
  /** What keeps the API from accepting jobs, in a sentence; `null` when nothing does. */
  readonly apiProblem: string | null;
}

export interface Verdict {
  readonly kind: "ok" | "late" | "unhealthy";
  /** Sentences; empty when all is well. */
  readonly reasons: readonly string[];
}

const TROUBLED_WORKERS = new Set(["suspect", "dead", "quarantined"]);

export function decideVerdict({ queues, workers, apiProblem }: VerdictObservation): Verdict {
  const grave = [
    ...(apiProblem === null ? [] : [apiProblem]),
    ...queues.flatMap(orphanReasons),
    ...workers.filter((it) => TROUBLED_WORKERS.has(it.state)).map(workerReason),
    ...queues
      .filter((it) => it.quarantined > 0)
      .map((it) => `${it.quarantined} jobs of ${it.queue} are quarantined`),
  ];
  const late = queues.flatMap(lateReasons);
  const parked = queues
    .filter((it) => it.parked > 0)
    .map((it) => `${it.parked} jobs of ${it.queue} wait for a release that reads them`);
  const reasons = [...grave, ...late, ...parked];
  if (grave.length > 0) return { kind: "unhealthy", reasons };
  return { kind: late.length > 0 ? "late" : "ok", reasons };
}

function orphanReasons({ lanes }: VerdictQueue): string[] {
  return lanes
    .filter((it) => it.orphaned)
    .map((it) => `the lane ${it.lane} has jobs and no live release reads it`);
}

function lateReasons({ lanes, pickupPromiseMs }: VerdictQueue): string[] {
  if (pickupPromiseMs === null) return [];
  return lanes
    .filter((it) => it.oldestDueAgeMs !== null && it.oldestDueAgeMs > pickupPromiseMs)
    .map((it) => {
      const age = Math.round((it.oldestDueAgeMs ?? 0) / 100) / 10;
      return `the oldest job of ${it.lane} waits ${age} s, promised are ${pickupPromiseMs / 1_000} s`;
    });
}

function workerReason({ worker, state, reason }: VerdictWorker): string {
  return `worker ${worker} is ${state}${reason === null ? "" : ` (${reason})`}`;
}
