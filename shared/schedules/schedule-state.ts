/**
 * What has become of a schedule's occurrences: how far it is, and what is in the way.
 *
 * Pure steps from one state to the next. The leader takes those of the occurrences, the API those of a change.
 * Moments are in milliseconds since the Unix epoch.
 */
import { z } from "zod";
import { decideRetryAt } from "./decide-retry-at.ts";
import { hasSameTimetable, type Schedule, timetableOf } from "./schedule.ts";

const reason = { code: z.string(), message: z.string() };

const storedState = z.object({
  /** Occurrences up to here have been dealt with. */
  positionMs: z.number(),
  /** The first occurrence that has not been; `null`: none comes any more. */
  nextMs: z.number().nullable(),
  /** The newest occurrence that was enqueued, and its job. */
  lastMs: z.number().nullable(),
  lastJobId: z.string().nullable(),
  /** What became of the newest occurrence that was dealt with or tried. */
  lastOutcome: z.enum(["enqueued", "refused", "missed"]).nullable(),
  enqueued: z.int(),
  missed: z.int(),
  /** The newest occurrence that was given up, and why. */
  lastMissed: z.object({ occurrenceMs: z.number(), ...reason }).nullable(),
  /** The occurrence that could not be enqueued yet. */
  refused: z
    .object({
      occurrenceMs: z.number(),
      sinceMs: z.number(),
      tries: z.int(),
      retryAtMs: z.number(),
      ...reason,
    })
    .nullable(),
});

export type ScheduleState = Readonly<z.output<typeof storedState>>;

export const scheduleState = storedState;

/** Why an occurrence was not enqueued, in a stable code and in words. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
}

/** Words of a refusal that are kept. */
const MESSAGE_CHARS_MAX = 512;

/** The state of a schedule that begins, or begins anew, at `nowMs`: what lies before it is not made up for. */
export function beginning(
  schedule: Schedule,
  nowMs: number,
  before: ScheduleState | null = null,
): ScheduleState {
  const nextMs = timetableOf(schedule).next(nowMs);
  if (before !== null) return { ...before, positionMs: nowMs, nextMs, refused: null };
  return {
    positionMs: nowMs,
    nextMs,
    lastMs: null,
    lastJobId: null,
    lastOutcome: null,
    enqueued: 0,
    missed: 0,
    lastMissed: null,
    refused: null,
  };
}

/** The state after a change of the schedule: it begins anew when its times are others, and when it goes on after a pause. */
export function afterChange(
  change: { readonly from: Schedule; readonly to: Schedule; readonly state: ScheduleState },
  nowMs: number,
): ScheduleState {
  const { from, to, state } = change;
  const goesOn = from.paused && !to.paused;
  if (goesOn || !hasSameTimetable(from, to)) return beginning(to, nowMs, state);
  // What was refused may have been so for what has just been changed: it is tried at once.
  if (state.refused === null || to.paused) return { ...state, refused: to.paused ? null : state.refused };
  return { ...state, refused: { ...state.refused, retryAtMs: nowMs } };
}

/** An occurrence has its job. */
export function enqueued(state: ScheduleState, occurrenceMs: number, jobId: string): ScheduleState {
  return {
    ...state,
    positionMs: occurrenceMs,
    lastMs: occurrenceMs,
    lastJobId: jobId,
    lastOutcome: "enqueued",
    enqueued: state.enqueued + 1,
    refused: null,
  };
}

/** An occurrence and the job that it has. */
export interface FiredOccurrence {
  readonly occurrenceMs: number;
  readonly jobId: string;
}

/**
 * The state of a schedule that was changed while these were enqueued: they count, and are not enqueued again. The same state
 * when they are known already, because another leader has enqueued the same.
 */
export function alsoEnqueued(
  schedule: Schedule,
  state: ScheduleState,
  fired: readonly FiredOccurrence[],
): ScheduleState {
  const last = fired.at(-1);
  if (last === undefined || last.occurrenceMs <= (state.lastMs ?? Number.NEGATIVE_INFINITY)) return state;
  const positionMs = Math.max(state.positionMs, last.occurrenceMs);
  const isRefused = state.refused !== null && state.refused.occurrenceMs > last.occurrenceMs;
  return {
    ...state,
    enqueued: state.enqueued + fired.length,
    positionMs,
    nextMs: isRefused ? state.nextMs : timetableOf(schedule).next(positionMs),
    lastMs: last.occurrenceMs,
    lastJobId: last.jobId,
    lastOutcome: isRefused ? state.lastOutcome : "enqueued",
    refused: isRefused ? state.refused : null,
  };
}

/** Occurrences up to `lastMs` are given up. */
export function missed(
  state: ScheduleState,
  { count, lastMs, refused }: { readonly count: number; readonly lastMs: number; readonly refused: boolean },
): ScheduleState {
  const cause = refused && state.refused !== null ? state.refused : LATE;
  return {
    ...state,
    positionMs: lastMs,
    lastOutcome: "missed",
    missed: state.missed + count,
    lastMissed: { occurrenceMs: lastMs, code: cause.code, message: cause.message },
    refused: null,
  };
}

const LATE: Refusal = {
  code: "LATE",
  message: "it was found later than its grace: no autoscaler ran, or those before it held it up",
};

/** An occurrence could not be enqueued and is tried again. */
export function refusedNow(
  state: ScheduleState,
  refusal: Refusal & { readonly occurrenceMs: number },
  { nowMs, graceMs }: { readonly nowMs: number; readonly graceMs: number },
): ScheduleState {
  const { occurrenceMs, code } = refusal;
  const before = state.refused?.occurrenceMs === occurrenceMs ? state.refused : null;
  const sinceMs = before?.sinceMs ?? nowMs;
  const tries = (before?.tries ?? 0) + 1;
  const triedUntilMs = Math.max(occurrenceMs, sinceMs) + graceMs;
  const message = refusal.message.slice(0, MESSAGE_CHARS_MAX);
  const retryAtMs = decideRetryAt({ nowMs, tries, triedUntilMs });
  return {
    ...state,
    lastOutcome: "refused",
    refused: { occurrenceMs, sinceMs, tries, retryAtMs, code, message },
  };
}

/** When the schedule is to be looked at again; `null`: not by itself. */
export function dueMs(schedule: Schedule, state: ScheduleState): number | null {
  return schedule.paused ? null : (state.refused?.retryAtMs ?? state.nextMs);
}

export type ScheduleHealth = "ok" | "refused" | "missing";

/** `refused`: an occurrence waits because it is not taken; `missing`: the newest one was given up. */
export function healthOf(state: ScheduleState): ScheduleHealth {
  if (state.refused !== null) return "refused";
  return state.lastOutcome === "missed" ? "missing" : "ok";
}
