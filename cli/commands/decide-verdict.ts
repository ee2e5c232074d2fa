/**
 * Is all well? One word and the reasons for it, worst first.
 *
 * `late`: a promise is broken now. `unhealthy`: something will not mend by waiting.
 */

interface VerdictTrip {
  readonly release: string;
  readonly type: string;
  readonly targetVersion: number;
}

interface VerdictLane {
  readonly lane: string;
  readonly oldestDueAgeMs: number | null;
  readonly readers: readonly string[];
  readonly orphaned: boolean;
  /** Jobs are here and every release that takes them fails at its own step. */
  readonly tripped: boolean;
  /** Releases that fail at their own step in the lane. */
  readonly trips: readonly VerdictTrip[];
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
    ...queues.flatMap(trippedReasons),
    ...workers.filter((it) => TROUBLED_WORKERS.has(it.state)).map(workerReason),
    ...queues
      .filter((it) => it.quarantined > 0)
      .map((it) => `${it.quarantined} jobs of ${it.queue} are quarantined`),
  ];
  const late = queues.flatMap(lateReasons);
  const parked = queues
    .filter((it) => it.parked > 0)
    .map((it) => `${it.parked} jobs of ${it.queue} wait for a release that reads them`);
  const reasons = [...grave, ...late, ...queues.flatMap(tripReasons), ...parked];
  if (grave.length > 0) return { kind: "unhealthy", reasons };
  return { kind: late.length > 0 ? "late" : "ok", reasons };
}

function orphanReasons({ lanes }: VerdictQueue): string[] {
  return lanes
    .filter((it) => it.orphaned)
    .map(({ lane, readers }) =>
      readers.length === 0
        ? `the lane ${lane} has jobs and no live release reads it`
        : `the lane ${lane} has jobs, and ${readers.join(", ")} that reads it has no worker and gets none`,
    );
}

/** For three in the morning: who, what, and that nothing is lost. */
function trippedReasons({ lanes }: VerdictQueue): string[] {
  return lanes
    .filter((it) => it.tripped)
    .map(
      ({ lane, trips }) =>
        `the lane ${lane} stands still: ${failuresOf(trips)}; no job is lost and no attempt is used up: ` +
        "deploy a fixed build, or bring back a release that reads the lane",
    );
}

/** Not grave: another release goes on with the lane, or it is empty. */
function tripReasons({ lanes }: VerdictQueue): string[] {
  return lanes
    .filter((it) => !it.tripped && it.trips.length > 0)
    .map(({ lane, trips }) => `in the lane ${lane} ${failuresOf(trips)}`);
}

function failuresOf(trips: readonly VerdictTrip[]): string {
  return trips
    .map((it) => `release ${it.release} fails at its own step of ${it.type} to version ${it.targetVersion}`)
    .join(", ");
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
