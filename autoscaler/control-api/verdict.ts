/**
 * What an operator must know first, in sentences, worst first; one sentence when all is well.
 *
 * It judges the snapshot it is given and nothing else. Not knowing is a level of its own: it is
 * neither an alarm nor health.
 */
import { MEMORY_REFUSE_SHARE, MEMORY_WARN_SHARE } from "#shared/redis/memory-watch";
import { unfinishedIn } from "../retirement/decide-lane-retirement.ts";
import type {
  DecisionRecord,
  LaneTripView,
  LaneView,
  QueueView,
  Snapshot,
  WorkerState,
} from "../snapshot.ts";
import { amount, counted, duration, listed } from "./in-words.ts";
import { type LaneRow, laneRows } from "./lane-state.ts";

export type Level = "alarm" | "warning" | "unknown" | "fine";

export interface Finding {
  readonly level: Level;
  readonly sentence: string;
}

/** Lanes that are late or tripped get a sentence each, up to this many of each. */
const LANES_TOLD_MAX = 3;

/** @param decisions newest first; the latest of a queue tells whether its pool is at its limit. */
export function findingsOf(
  snapshot: Snapshot,
  decisions: readonly DecisionRecord[],
): readonly [Finding, ...Finding[]] {
  const rows = laneRows(snapshot.queues);
  const memory = memoryFindings(snapshot);
  const standing = [...memory.alarms, ...orphanedFindings(rows), ...trippedFindings(rows)];
  const alarms = [...standing, ...lateFindings(rows, decisions)].map(alarm);
  const workers = [...memory.warnings, ...tripFindings(rows), ...workerFindings(snapshot)];
  const warnings = [...workers, ...storedFindings(snapshot.queues)].map(warning);
  const [first, ...rest] = [...alarms, ...warnings];
  return first === undefined ? [allIsWell(snapshot.queues)] : [first, ...rest];
}

/** A full Redis hurts everybody who hands jobs in, and nobody whose job is queued. */
function memoryFindings({ memory: { usedBytes, maxBytes } }: Snapshot) {
  const share = maxBytes === 0 ? 0 : usedBytes / maxBytes;
  const full = `Redis' memory is ${Math.floor(share * 100)} % full`;
  const alarms =
    share < MEMORY_REFUSE_SHARE
      ? []
      : [
          `${full}: new jobs are refused. What is queued goes on, and the door opens again when it is worked off.`,
        ];
  const isWarning = share >= MEMORY_WARN_SHARE && share < MEMORY_REFUSE_SHARE;
  const warnings = isWarning
    ? [`${full}: finished jobs are cleaned away early; at 85 % new jobs are refused.`]
    : [];
  return { alarms, warnings };
}

function orphanedFindings(rows: readonly LaneRow[]): readonly string[] {
  const orphaned = rows.filter(({ state }) => state === "orphaned").map(({ lane }) => lane);
  const unread = orphaned.filter(({ readers }) => readers.length === 0).map(({ lane }) => lane);
  const unmanned = orphaned
    .filter(({ readers }) => readers.length > 0)
    .map(({ lane, readers }) => `${lane} (${listed(readers, 3)})`);
  const have = (lanes: readonly string[]) =>
    `${counted(lanes.length, "lane")} ${lanes.length === 1 ? "has" : "have"} jobs`;
  return [
    ...(unread.length === 0 ? [] : [`${have(unread)} nobody reads: ${listed(unread)}.`]),
    ...(unmanned.length === 0
      ? []
      : [`${have(unmanned)} whose releases have no worker and get none: ${listed(unmanned)}.`]),
  ];
}

/** For three in the morning: who, what, and that nothing is lost. */
function trippedFindings(rows: readonly LaneRow[]): readonly string[] {
  const tripped = rows.filter(({ state }) => state === "tripped").map(({ lane }) => lane);
  return toldUpTo(tripped.map(trippedSentence), (more) => `${more} tripped.`);
}

function trippedSentence(lane: LaneView): string {
  const jobs = unfinishedIn(lane);
  const failures = listed(lane.trips.map(failureOf), 3);
  return (
    `${lane.lane} stands still with ${counted(jobs, "job")}: ${failures}. ` +
    "No job is lost and no attempt is used up. Deploy a fixed build, or bring back a release that reads the lane."
  );
}

/** Lanes that another release goes on with, or that are empty. */
function tripFindings(rows: readonly LaneRow[]): readonly string[] {
  const told = rows
    .filter(({ lane, state }) => state !== "tripped" && lane.trips.length > 0)
    .map(({ lane }) => {
      const others = lane.consumers > 0 ? " Other releases still take from it." : "";
      return `In ${lane.lane} ${listed(lane.trips.map(failureOf), 3)}.${others}`;
    });
  return toldUpTo(told, (more) => `${more} tripped by one of its releases.`);
}

function failureOf({ release, type, targetVersion }: LaneTripView): string {
  return `release ${release} fails at its own step of ${type} to version ${targetVersion}`;
}

function toldUpTo(sentences: readonly string[], rest: (more: string) => string): readonly string[] {
  const told = sentences.slice(0, LANES_TOLD_MAX);
  const more = sentences.length - told.length;
  return more > 0 ? [...told, rest(`${counted(more, "more lane")} ${more === 1 ? "is" : "are"}`)] : told;
}

function lateFindings(rows: readonly LaneRow[], decisions: readonly DecisionRecord[]): readonly string[] {
  const late = rows.filter(({ state }) => state === "late").map((row) => lateSentence(row, decisions));
  return toldUpTo(late, (more) => `${more} late.`);
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
