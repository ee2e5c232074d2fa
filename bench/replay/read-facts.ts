/** Reads what a real run has left behind: the workers' ledger, and what autoscaler and workers have logged. */
import type { JobRun, RunFacts, WorkerLife } from "./measures.ts";

interface LedgerLine {
  readonly n: number;
  readonly pid: number;
  readonly takenAtMs: number;
  readonly endedAtMs: number;
  readonly starts: number;
  readonly completed: boolean;
}

interface LogLine {
  readonly msg: string;
  /** RFC 3339. */
  readonly time: string;
  readonly worker?: string;
}

interface Life {
  startedMs: number;
  readyMs: number | null;
  exitedMs: number | null;
}

/** @param startedAtMs when the slice began, since the Unix epoch. */
export function readFacts(ledger: string, fleetLog: string, startedAtMs: number): RunFacts {
  return { runs: jobRuns(ledger, startedAtMs), workers: workerLives(fleetLog, startedAtMs) };
}

/** Jobs with a line of a run that has completed. */
export function completedJobs(ledger: string): number {
  const completed = linesOf<LedgerLine>(ledger).filter((it) => it.completed);
  return new Set(completed.map(({ n }) => n)).size;
}

function jobRuns(ledger: string, startedAtMs: number): JobRun[] {
  return linesOf<LedgerLine>(ledger).map(({ n, pid, takenAtMs, endedAtMs, starts, completed }) => ({
    n,
    pid,
    takenMs: takenAtMs - startedAtMs,
    endedMs: endedAtMs - startedAtMs,
    starts,
    completed,
  }));
}

function workerLives(fleetLog: string, startedAtMs: number): WorkerLife[] {
  const lives = new Map<string, Life>();
  for (const { msg, time, worker } of linesOf<LogLine>(fleetLog)) {
    if (worker === undefined) continue;
    const atMs = Date.parse(time) - startedAtMs;
    if (msg === "worker is starting") lives.set(worker, { startedMs: atMs, readyMs: null, exitedMs: null });
    const life = lives.get(worker);
    if (life === undefined) continue;
    if (msg === "worker is taking jobs") life.readyMs ??= atMs;
    if (msg === "worker has exited") life.exitedMs ??= atMs;
  }
  return [...lives].map(([worker, life]) => ({ worker, ...life }));
}

/** Objects of a file of JSON lines; what is none of them, such as a line half written, is left out. */
function linesOf<Line>(text: string): Line[] {
  return text.split("\n").flatMap((line): Line[] => {
    if (!line.startsWith("{")) return [];
    try {
      return [JSON.parse(line) as Line];
    } catch {
      return [];
    }
  });
}
