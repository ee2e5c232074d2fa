/**
 * Which occurrences of a schedule are to be enqueued now, and which are missed for good.
 *
 * Everything up to the position has been dealt with. An occurrence found later than the grace is late; what
 * becomes of late ones is the schedule's own policy. An occurrence that was refused comes before
 * all others until it is taken or its time is over, so jobs come in order.
 */
import type { Timetable } from "./timetable.ts";

/** Occurrences that one decision deals out, and that a schedule makes up for. */
export const OCCURRENCES_MAX = 100;

/** What becomes of late occurrences: nothing, the newest when none is on time, or all up to 100. */
export type MissedPolicy = "skip" | "last" | "all";

export interface DuePolicy {
  readonly timetable: Timetable;
  readonly missed: MissedPolicy;
  /** An occurrence found later than this is late; a refused one is tried for as long. Milliseconds. */
  readonly graceMs: number;
}

export interface DueObservation {
  readonly nowMs: number;
  /** Occurrences up to here have been dealt with. */
  readonly positionMs: number;
  /** The occurrence that could not be enqueued, and since when it is tried; `null` when there is none. */
  readonly refused: { readonly occurrenceMs: number; readonly sinceMs: number } | null;
}

export interface DueDecision {
  /** To be enqueued now, oldest first, at most 100. */
  readonly due: readonly number[];
  /** Missed and not made up for: older than all that are due. `refused`: the refused one is among them. */
  readonly missed: { readonly count: number; readonly lastMs: number; readonly refused: boolean } | null;
  /** The first after all of these, past when there are more; `null`: none comes any more. */
  readonly nextMs: number | null;
}

export function decideDueOccurrences(policy: DuePolicy, observation: DueObservation): DueDecision {
  const { nowMs, positionMs } = observation;
  const refused =
    observation.refused !== null && observation.refused.occurrenceMs > positionMs
      ? observation.refused
      : null;
  if (refused === null) return afterPosition(policy, { nowMs, positionMs });
  const { occurrenceMs, sinceMs } = refused;
  const triedUntilMs = Math.max(occurrenceMs, sinceMs) + policy.graceMs;
  if (nowMs <= triedUntilMs) {
    return { due: [occurrenceMs], missed: null, nextMs: policy.timetable.next(occurrenceMs) };
  }
  const rest = afterPosition(policy, { nowMs, positionMs: occurrenceMs });
  const count = 1 + (rest.missed?.count ?? 0);
  return { ...rest, missed: { count, lastMs: rest.missed?.lastMs ?? occurrenceMs, refused: true } };
}

function afterPosition(
  { timetable, missed, graceMs }: DuePolicy,
  { nowMs, positionMs }: { readonly nowMs: number; readonly positionMs: number },
): DueDecision {
  const lateUntilMs = nowMs - graceMs - 1;
  const onTime = listed(timetable, Math.max(positionMs, lateUntilMs), nowMs).slice(0, OCCURRENCES_MAX);
  const late = { afterMs: positionMs, untilMs: lateUntilMs };
  const keptMax = { skip: 0, last: onTime.length === 0 ? 1 : 0, all: OCCURRENCES_MAX }[missed];
  // One more than is kept: the newest that is not.
  const newest = newestOf(timetable, late, keptMax + 1);
  const kept = newest.slice(Math.max(0, newest.length - keptMax));
  const lastMs = newest.length > keptMax ? newest[0] : undefined;
  const due = [...kept, ...onTime].slice(0, OCCURRENCES_MAX);
  const count = lastMs === undefined ? 0 : timetable.count(late.afterMs, lastMs);
  return {
    due,
    missed: lastMs === undefined ? null : { count, lastMs, refused: false },
    nextMs: timetable.next(due.at(-1) ?? Math.max(positionMs, nowMs)),
  };
}

/** The occurrences after `afterMs` and not after `untilMs`, oldest first: one more than are ever used at once. */
function listed(timetable: Timetable, afterMs: number, untilMs: number): number[] {
  const found: number[] = [];
  let at = timetable.next(afterMs);
  while (at !== null && at <= untilMs && found.length <= OCCURRENCES_MAX) {
    found.push(at);
    at = timetable.next(at);
  }
  return found;
}

const FIRST_LOOK_MS = 1_000;

/** The newest `max` of a stretch of time, oldest first; looks back in growing steps, for the stretch may be years. */
function newestOf(
  timetable: Timetable,
  { afterMs, untilMs }: { readonly afterMs: number; readonly untilMs: number },
  max: number,
): number[] {
  if (untilMs <= afterMs) return [];
  let lengthMs = FIRST_LOOK_MS;
  for (;;) {
    const fromMs = Math.max(afterMs, untilMs - lengthMs);
    const found = newestAfter(timetable, { fromMs, untilMs }, max);
    if (found.length >= max || fromMs === afterMs) return found;
    lengthMs *= 2;
  }
}

function newestAfter(
  timetable: Timetable,
  { fromMs, untilMs }: { readonly fromMs: number; readonly untilMs: number },
  max: number,
): number[] {
  const found: number[] = [];
  for (let at = timetable.next(fromMs); at !== null && at <= untilMs; at = timetable.next(at)) {
    found.push(at);
    if (found.length > max) found.shift();
  }
  return found;
}
