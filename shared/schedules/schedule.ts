/**
 * A schedule: a job that is enqueued again and again, and when.
 *
 * What a client may say of one is `scheduleRequest`; what is stored adds who it belongs to. What has become
 * of its occurrences is kept apart, in `schedule-state.ts`, because the leader writes it. Rules that need the
 * registry are in `check-schedule.ts`.
 */
import { z } from "zod";
import { clientAttributes } from "../envelope.ts";
import { fromRfc3339, toRfc3339 } from "../system-clock.ts";
import { cronProblem, cronTimetable } from "./cron.ts";
import { isTimeZone } from "./time-zone.ts";
import { boundedTimetable, intervalTimetable, type Timetable } from "./timetable.ts";

/** Part of the ids of its jobs and of its address. */
export const SCHEDULE_NAME_PATTERN = /^[a-z][a-z0-9-]{0,62}$/;

/** Schedules are kept for ever, so their data is bounded closer than a job's. */
const DATA_BYTES_MAX = 16 * 1024;

const YEAR_MS = 366 * 86_400_000;

/** The farthest moment a schedule may name: the year 9999, as far as RFC 3339 goes. */
const MOMENT_MS_MAX = 253_402_300_799_999;

/** A moment as RFC 3339 in UTC with milliseconds, whatever offset it was given with. */
const momentRule = "must be an RFC 3339 timestamp such as 2026-01-31T12:00:00Z";
const moment = z.iso
  .datetime({ offset: true, error: momentRule })
  .refine((text) => isMoment(fromRfc3339(text)), momentRule)
  .transform((text) => toRfc3339(fromRfc3339(text) ?? 0));

function isMoment(atMs: number | null): boolean {
  return atMs !== null && atMs >= 0 && atMs <= MOMENT_MS_MAX;
}

const intervalRule = "must be a whole number of milliseconds from 1,000 to 31,622,400,000 (366 days)";

const interval = z.strictObject({
  intervalMs: z.int(intervalRule).min(1_000, intervalRule).max(YEAR_MS, intervalRule),
  /** A moment that is an occurrence; the beginning when left out. */
  anchor: moment.optional(),
});

const cron = z.strictObject({
  expression: z.string("must be a string").superRefine((expression, context) => {
    const problem = cronProblem(expression);
    if (problem !== null) context.addIssue({ code: "custom", message: problem });
  }),
  timeZone: z
    .string("must be a string")
    .max(64, "must have at most 64 characters")
    .refine(isTimeZone, 'must be the name of a time zone such as "Europe/Berlin"')
    .default("UTC"),
});

const graceRule = "must be a whole number of milliseconds from 1,000 to 86,400,000";

const definition = {
  type: clientAttributes.type,
  schemaversion: clientAttributes.schemaversion,
  data: clientAttributes.data,
  every: interval.optional(),
  cron: cron.optional(),
  missed: z.enum(["skip", "last", "all"], "must be one of skip, last, all").default("last"),
  /** An occurrence found later than this is late. */
  graceMs: z.int(graceRule).min(1_000, graceRule).max(86_400_000, graceRule).default(60_000),
  priority: clientAttributes.priority,
  attempts: clientAttributes.attempts,
  timeoutms: clientAttributes.timeoutms,
  startAt: moment.optional(),
  endAt: moment.optional(),
};

/** What a client sends. Left out, `paused` stays as it is. */
export const scheduleRequest = z
  .strictObject({ ...definition, paused: z.boolean("must be true or false").optional() })
  .superRefine((request, context) => {
    if ((request.every === undefined) === (request.cron === undefined)) {
      context.addIssue({ code: "custom", path: [], message: "must have either every or cron" });
    }
    if (request.startAt !== undefined && request.endAt !== undefined && request.startAt > request.endAt) {
      context.addIssue({ code: "custom", path: ["endAt"], message: "must not be before startAt" });
    }
    if (Buffer.byteLength(JSON.stringify(request.data)) > DATA_BYTES_MAX) {
      const message = `must have at most ${DATA_BYTES_MAX} bytes as JSON; store the bulk elsewhere and name a reference`;
      context.addIssue({ code: "custom", path: ["data"], message });
    }
  });

export type ScheduleRequest = Readonly<z.output<typeof scheduleRequest>>;

/** As it was accepted: what a request had to be is not asked again. */
export const storedSchedule = z.object({
  ...definition,
  every: z.object({ intervalMs: z.number().min(1), anchor: z.string().optional() }).optional(),
  cron: z.object({ expression: z.string(), timeZone: z.string() }).optional(),
  startAt: z.string().optional(),
  endAt: z.string().optional(),
  name: z.string(),
  tenant: z.string(),
  paused: z.boolean(),
  createdAt: z.string(),
  createdBy: z.string(),
  /** Of the newest change. */
  changedAt: z.string(),
  changedBy: z.string(),
  /** From 1, one up a change. */
  revision: z.int(),
});

export type Schedule = Readonly<z.output<typeof storedSchedule>>;

/** When its occurrences are, paused or not. */
export function timetableOf(
  schedule: Pick<Schedule, "every" | "cron" | "startAt" | "endAt" | "createdAt">,
): Timetable {
  const { every, cron, startAt, endAt, createdAt } = schedule;
  const bounds = { startMs: momentMs(startAt), endMs: momentMs(endAt) };
  if (cron !== undefined) return boundedTimetable(cronTimetable(cron.expression, cron.timeZone), bounds);
  const anchorMs = momentMs(every?.anchor) ?? bounds.startMs ?? momentMs(createdAt) ?? 0;
  return boundedTimetable(intervalTimetable(every?.intervalMs ?? YEAR_MS, anchorMs), bounds);
}

/** The parts of two schedules that say when, compared. */
export function hasSameTimetable(one: Schedule, other: Schedule): boolean {
  const timing = ({ every, cron, startAt, endAt }: Schedule) => JSON.stringify([every, cron, startAt, endAt]);
  return timing(one) === timing(other);
}

/** The source of the jobs of a schedule. */
export function sourceOfSchedule(name: string): string {
  return `/schedules/${name}`;
}

/** The client id of the job of one occurrence: the same for whoever enqueues it, and however often. */
export function idOfOccurrence(name: string, occurrenceMs: number): string {
  return `${name}@${toRfc3339(occurrenceMs)}`;
}

function momentMs(text: string | undefined): number | null {
  return text === undefined ? null : fromRfc3339(text);
}
