/** What is answered of a schedule: what was asked for, how far it is, and when it comes next. */
import { type Schedule, timetableOf } from "#shared/schedules/schedule";
import { healthOf, type ScheduleHealth, type ScheduleState } from "#shared/schedules/schedule-state";
import { toRfc3339 } from "#shared/system-clock";

/** Occurrences shown ahead. */
const PREVIEW_MAX = 5;

/** Times are RFC 3339 in UTC; `null` means "none". */
export interface ScheduleView {
  readonly name: string;
  readonly type: string;
  readonly schemaversion: number;
  readonly data: Readonly<Record<string, unknown>>;
  readonly every: { readonly intervalMs: number; readonly anchor: string | null } | null;
  readonly cron: { readonly expression: string; readonly timeZone: string } | null;
  readonly missed: Schedule["missed"];
  readonly graceMs: number;
  readonly priority: string | null;
  readonly attempts: number | null;
  readonly timeoutms: number | null;
  readonly startAt: string | null;
  readonly endAt: string | null;
  readonly paused: boolean;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly changedAt: string;
  readonly changedBy: string;
  readonly revision: number;
  readonly status: ScheduleStatus;
}

export interface ScheduleStatus {
  readonly state: "active" | "paused" | "ended";
  readonly health: ScheduleHealth;
  readonly nextOccurrence: string | null;
  readonly lastOccurrence: string | null;
  readonly lastJobId: string | null;
  readonly lastOutcome: ScheduleState["lastOutcome"];
  readonly enqueued: number;
  readonly missed: number;
  readonly lastMissed: {
    readonly occurrence: string;
    readonly code: string;
    readonly message: string;
  } | null;
  readonly refused: {
    readonly occurrence: string;
    readonly since: string;
    readonly tries: number;
    readonly retryAt: string;
    readonly code: string;
    readonly message: string;
  } | null;
}

export function viewOf(schedule: Schedule, state: ScheduleState): ScheduleView {
  const { every, cron, tenant: _tenant, ...rest } = schedule;
  return {
    ...rest,
    every: every === undefined ? null : { intervalMs: every.intervalMs, anchor: every.anchor ?? null },
    cron: cron ?? null,
    priority: schedule.priority ?? null,
    attempts: schedule.attempts ?? null,
    timeoutms: schedule.timeoutms ?? null,
    startAt: schedule.startAt ?? null,
    endAt: schedule.endAt ?? null,
    status: statusOf(schedule, state),
  };
}

/** The next occurrences after `afterMs`; of a paused schedule those that it would have. */
export function previewOf(schedule: Schedule, afterMs: number): readonly string[] {
  const timetable = timetableOf(schedule);
  const found: string[] = [];
  let at = timetable.next(afterMs);
  while (at !== null && found.length < PREVIEW_MAX) {
    found.push(toRfc3339(at));
    at = timetable.next(at);
  }
  return found;
}

function statusOf(schedule: Schedule, state: ScheduleState): ScheduleStatus {
  const { lastMissed, refused } = state;
  const ended = state.nextMs === null && refused === null;
  return {
    state: schedule.paused ? "paused" : ended ? "ended" : "active",
    health: healthOf(state),
    nextOccurrence: schedule.paused ? null : moment(state.nextMs),
    lastOccurrence: moment(state.lastMs),
    lastJobId: state.lastJobId,
    lastOutcome: state.lastOutcome,
    enqueued: state.enqueued,
    missed: state.missed,
    lastMissed: lastMissed && {
      occurrence: toRfc3339(lastMissed.occurrenceMs),
      code: lastMissed.code,
      message: lastMissed.message,
    },
    refused: refused && {
      occurrence: toRfc3339(refused.occurrenceMs),
      since: toRfc3339(refused.sinceMs),
      tries: refused.tries,
      retryAt: toRfc3339(refused.retryAtMs),
      code: refused.code,
      message: refused.message,
    },
  };
}

function moment(atMs: number | null): string | null {
  return atMs === null ? null : toRfc3339(atMs);
}
