/** What `sluice schedules` reads from the API's answers about schedules. */
import { z } from "zod";

const text = z.string();
const count = z.number();

export const scheduleAnswer = z.object({
  name: text,
  type: text,
  schemaversion: count,
  every: z.object({ intervalMs: count }).nullable(),
  cron: z.object({ expression: text, timeZone: text }).nullable(),
  missed: text,
  graceMs: count,
  paused: z.boolean(),
  startAt: text.nullable(),
  endAt: text.nullable(),
  changedAt: text,
  changedBy: text,
  revision: count,
  status: z.object({
    state: text,
    health: text,
    nextOccurrence: text.nullable(),
    lastOccurrence: text.nullable(),
    lastJobId: text.nullable(),
    lastOutcome: text.nullable(),
    enqueued: count,
    missed: count,
    lastMissed: z.object({ occurrence: text, code: text, message: text }).nullable(),
    refused: z.object({ occurrence: text, since: text, tries: count, code: text, message: text }).nullable(),
  }),
  /** Not in lists. */
  nextOccurrences: z.array(text).default([]),
});

export const schedulesAnswer = z.object({
  schedules: z.array(scheduleAnswer),
  nextCursor: text.nullable(),
});

export const deletedAnswer = z.object({ name: text, deleted: z.boolean() });

export type ScheduleAnswer = z.output<typeof scheduleAnswer>;
