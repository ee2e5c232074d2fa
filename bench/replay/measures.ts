/**
 * What is compared, from the facts of a real run and from the outcome of a simulated one, by the same definitions.
 *
 * Pure. Worker time counts from the request to start a worker to the exit of its process, within the slice, and the
 * work that came in the slice and was left at its end counts too, so that a backlog left over is no saving.
 */
import type { Outcome } from "#autoscaler/simulator/outcome";
import type { Workload } from "#autoscaler/simulator/workload";

/** One worker process; times in milliseconds since the slice began. */
export interface WorkerLife {
  readonly worker: string;
  readonly startedMs: number;
  /** When it began to take jobs; `null` when it never did. */
  readonly readyMs: number | null;
  /** `null`: it was there when the facts were read. */
  readonly exitedMs: number | null;
}

/** One start of a job's handler. */
export interface JobRun {
  /** The job's place in the slice. */
  readonly n: number;
  /** Process of the worker, of one slot. */
  readonly pid: number;
  readonly takenMs: number;
  readonly endedMs: number;
  /** Starts of the job so far, this one included. */
  readonly starts: number;
  /** False when the handler was told to give up. */
  readonly completed: boolean;
}

export interface RunFacts {
  readonly workers: readonly WorkerLife[];
  readonly runs: readonly JobRun[];
}

export interface Measures {
  readonly jobs: number;
  readonly workerSeconds: number;
  /** Share of the jobs that were taken later than promised, or never, in percent. */
  readonly missesPercent: number;
  readonly pickupP50Ms: number;
  readonly pickupP95Ms: number;
  readonly workersStarted: number;
  /** Processes at the same time, draining ones included. */
  readonly processesPeak: number;
  /** Runs that were not finished by the worker that began them. */
  readonly killedRuns: number;
  /** Jobs that were never finished, and jobs that were finished more than once. */
  readonly lostJobs: number;
  readonly duplicatedJobs: number;
}

/** What the real machine took, which the simulator is told. */
export interface Machine {
  /** By start, in the order of time: when, and how long until it took jobs. */
  readonly starts: readonly { readonly atMs: number; readonly delayMs: number }[];
  /** From the end of a handler to the beginning of the next one in the same slot while jobs wait, on average. */
  readonly betweenJobsMs: number;
}

export function measuredRun(facts: RunFacts, workload: Workload, pickupPromiseMs: number): Measures {
  const { arrivalsMs, horizonMs } = workload;
  const pickups = new Float64Array(arrivalsMs.length).fill(Number.POSITIVE_INFINITY);
  const completions = new Uint16Array(arrivalsMs.length);
  let owedMs = 0;
  for (const { n, takenMs, endedMs, completed } of facts.runs) {
    pickups[n] = Math.min(pickups[n] ?? 0, takenMs - (arrivalsMs[n] ?? 0));
    completions[n] = (completions[n] ?? 0) + Number(completed);
    owedMs += Math.max(0, endedMs - Math.max(takenMs, horizonMs));
  }
  const paidMs = facts.workers.reduce(
    (sum, { startedMs, exitedMs }) =>
      sum + Math.max(0, Math.min(exitedMs ?? horizonMs, horizonMs) - Math.max(startedMs, 0)),
    0,
  );
  return {
    ...pickupMeasures(pickups, pickupPromiseMs),
    workerSeconds: (paidMs + owedMs) / 1_000,
    workersStarted: facts.workers.filter(({ startedMs }) => startedMs < horizonMs).length,
    processesPeak: peakOf(facts.workers, horizonMs),
    killedRuns: facts.runs.filter(({ starts, completed }) => starts > 1 || !completed).length,
    lostJobs: completions.filter((it) => it === 0).length,
    duplicatedJobs: completions.filter((it) => it > 1).length,
  };
}

/** @param processesPeak as it was seen at the looks of the policy. */
export function simulatedRun(outcome: Outcome, processesPeak: number): Measures {
  return {
    ...pickupMeasures(outcome.pickupMs, outcome.pickupPromiseMs),
    workerSeconds: outcome.paidWorkerMs / 1_000,
    workersStarted: outcome.workersStarted,
    processesPeak,
    killedRuns: outcome.killedJobs,
    lostJobs: outcome.settled.filter((it) => it === 0).length,
    duplicatedJobs: 0,
  };
}

/** @throws {Error} when no worker has begun to take jobs. */
export function machineOf({ workers, runs }: RunFacts, { arrivalsMs }: Workload): Machine {
  const starts = workers
    .flatMap(({ startedMs: atMs, readyMs }) => (readyMs === null ? [] : [{ atMs, delayMs: readyMs - atMs }]))
    .toSorted((a, b) => a.atMs - b.atMs);
  if (starts.length === 0) throw new Error("no worker has begun to take jobs, so nothing was measured");
  const last = new Map<number, JobRun>();
  const gapsMs: number[] = [];
  for (const run of runs.toSorted((a, b) => a.takenMs - b.takenMs)) {
    const before = last.get(run.pid);
    last.set(run.pid, run);
    const waited = before !== undefined && (arrivalsMs[run.n] ?? 0) < before.endedMs;
    if (waited && run.starts === 1) gapsMs.push(run.takenMs - before.endedMs);
  }
  return { starts, betweenJobsMs: gapsMs.length === 0 ? 0 : meanOf(gapsMs) };
}

/** What a start at this moment took: that of the real start nearest in time. */
export function startDelayAt({ starts }: Machine, atMs: number): number {
  const off = (start: { readonly atMs: number }) => Math.abs(start.atMs - atMs);
  return starts.reduce((a, b) => (off(b) < off(a) ? b : a)).delayMs;
}

export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, it) => sum + it, 0) / values.length;
}

function pickupMeasures(pickupMs: Float64Array, promiseMs: number) {
  const sorted = pickupMs.toSorted();
  const late = sorted.filter((ms) => ms > promiseMs).length;
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return {
    jobs: sorted.length,
    missesPercent: sorted.length === 0 ? 0 : (100 * late) / sorted.length,
    pickupP50Ms: at(0.5),
    pickupP95Ms: at(0.95),
  };
}

function peakOf(workers: readonly WorkerLife[], horizonMs: number): number {
  const steps = workers
    .filter(({ startedMs }) => startedMs < horizonMs)
    .flatMap(({ startedMs, exitedMs }) => [
      { atMs: startedMs, by: 1 },
      ...(exitedMs === null ? [] : [{ atMs: exitedMs, by: -1 }]),
    ])
    .toSorted((a, b) => a.atMs - b.atMs || a.by - b.by);
  let now = 0;
  let peak = 0;
  for (const { by } of steps) {
    now += by;
    peak = Math.max(peak, now);
  }
  return peak;
}
