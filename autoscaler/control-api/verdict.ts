/**
 * What an operator must know first, in sentences, worst first; one sentence when all is well.
 *
 * It judges the snapshot it is given and nothing else. Not knowing is a level of its own: it is
 * neither an alarm nor health.
 */
import type { DecisionRecord, QueueView, Snapshot, WorkerState } from "../snapshot.ts";
import { amount, counted, duration, listed } from "./in-words.ts";
import { type LaneRow, laneRows } from "./lane-state.ts";

export type Level = "alarm" | "warning" | "unknown" | "fine";

export interface Finding {
  readonly level: Level;
  readonly sentence: string;
}

/** Lanes that are late get a sentence each, up to this many. */
const LATE_TOLD_MAX = 3;

/** @param decisions newest first; the latest of a queue tells whether its pool is at its limit. */
export function findingsOf(
  snapshot: Snapshot,
  decisions: readonly DecisionRecord[],
): readonly [Finding, ...Finding[]] {
  const rows = laneRows(snapshot.queues);
  const alarms = [...orphanedFindings(rows), ...lateFindings(rows, decisions)].map(alarm);
  const warnings = [...workerFindings(snapshot), ...storedFindings(snapshot.queues)].map(warning);
  const [first, ...rest] = [...alarms, ...warnings];
  return first === undefined ? [allIsWell(snapshot.queues)] : [first, ...rest];
}

function orphanedFindings(rows: readonly LaneRow[]): readonly string[] {
  const orphaned = rows.filter(({ state }) => state === "orphaned").map(({ lane }) => lane.lane);
  if (orphaned.length === 0) return [];
  const have = orphaned.length === 1 ? "has" : "have";
  return [`${counted(orphaned.length, "lane")} ${have} jobs nobody reads: ${listed(orphaned)}.`];
}

function lateFindings(rows: readonly LaneRow[], decisions: readonly DecisionRecord[]): readonly string[] {
  const late = rows.filter(({ state }) => state === "late");
  const told = late.slice(0, LATE_TOLD_MAX).map((row) => lateSentence(row, decisions));
  const more = late.length - told.length;
  return more > 0 ? [...told, `${counted(more, "more lane")} ${more === 1 ? "is" : "are"} late.`] : told;
}

function lateSentence({ queue, lane }: LaneRow, decisions: readonly DecisionRecord[]): string {
  const age = duration(lane.oldestDueAgeMs ?? 0);
  const late = `${lane.lane} is late: oldest job ${age} (promise ${duration(queue.pickupPromiseMs ?? 0)}).`;
  const latest = decisions.find((decision) => decision.queue === queue.queue);
  const limited = latest?.limitedBy === "workers-max" ? " Its pool is at workersMax." : "";
  return late + (lane.consumers === 0 ? " No worker takes from it." : "") + limited;
}

function workerFindings({ workers }: Snapshot): readonly string[] {
  const sentence = (state: WorkerState) => {
    const found = workers.filter((it) => it.state === state);
    const are = found.length === 1 ? "is" : "are";
    const names = listed(
      found.map(({ worker, reason }) => (reason === null ? worker : `${worker} (${reason})`)),
      3,
    );
    return found.length === 0 ? [] : [`${counted(found.length, "worker")} ${are} ${state}: ${names}.`];
  };
  return [...sentence("dead"), ...sentence("quarantined"), ...sentence("suspect")];
}

function storedFindings(queues: readonly QueueView[]): readonly string[] {
  const sentence = (field: "quarantined" | "parked", until: string) => {
    const found = queues.filter((queue) => queue[field] > 0);
    const jobs = found.reduce((sum, queue) => sum + queue[field], 0);
    const are = `${counted(jobs, "job")} ${jobs === 1 ? "is" : "are"} ${field}`;
    const where = listed(
      found.map((it) => (found.length === 1 ? it.queue : `${amount(it[field])} in ${it.queue}`)),
    );
    return jobs === 0 ? [] : [`${are}${until}${found.length === 1 ? `, in ${where}` : `: ${where}`}.`];
  };
  return [...sentence("quarantined", ""), ...sentence("parked", " until a release reads them")];
}

function allIsWell(queues: readonly QueueView[]): Finding {
  if (queues.length === 0) return { level: "unknown", sentence: "No release is published yet." };
  const unpromised = queues.filter((queue) => queue.pickupPromiseMs === null).map(({ queue }) => queue);
  if (unpromised.length === 0) return { level: "fine", sentence: "Everything is on time." };
  const exception = `no pickup time is promised for ${listed(unpromised)}`;
  return unpromised.length === queues.length
    ? { level: "unknown", sentence: `Nothing is wrong, but ${exception}.` }
    : { level: "fine", sentence: `Everything promised is on time; ${exception}.` };
}

function alarm(sentence: string): Finding {
  return { level: "alarm", sentence };
}

function warning(sentence: string): Finding {
  return { level: "warning", sentence };
}
