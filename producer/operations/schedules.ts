/** What `/v1/schedules` promises; `schedule-view.ts` makes the answers. */
import { z } from "zod";
import { component, joinedRefusals, type Operations } from "#shared/http/operation";
import { SCHEDULE_NAME_PATTERN, scheduleRequest } from "#shared/schedules/schedule";
import { BODY_REFUSALS } from "./refusals.ts";

const TAG = "Schedules";
const moment = z.iso.datetime({ offset: true });

const params = z.object({ name: z.string().regex(SCHEDULE_NAME_PATTERN) });

const notTaken = { occurrence: moment, code: z.string(), message: z.string() };

const scheduleStatus = component(
  "ScheduleStatus",
  z.object({
    state: z.enum(["active", "paused", "ended"]),
    health: z
      .enum(["ok", "refused", "missing"])
      .describe("`refused`: an occurrence waits to be taken; `missing`: the newest one was given up."),
    nextOccurrence: moment.nullable(),
    lastOccurrence: moment.nullable(),
    lastJobId: z.string().nullable(),
    lastOutcome: z.enum(["enqueued", "refused", "missed"]).nullable(),
    enqueued: z.int().min(0),
    missed: z.int().min(0),
    lastMissed: z.object(notTaken).nullable(),
    refused: z.object({ ...notTaken, since: moment, tries: z.int().min(1), retryAt: moment }).nullable(),
  }),
);

const scheduleFields = {
  name: z.string(),
  type: z.string(),
  schemaversion: z.int(),
  data: z.record(z.string(), z.unknown()),
  every: z.object({ intervalMs: z.number(), anchor: moment.nullable() }).nullable(),
  cron: z.object({ expression: z.string(), timeZone: z.string() }).nullable(),
  missed: z.enum(["skip", "last", "all"]).describe("What becomes of occurrences that were missed."),
  graceMs: z.int(),
  priority: z.enum(["critical", "high", "normal", "low"]).nullable(),
  attempts: z.int().nullable(),
  timeoutms: z.int().nullable(),
  startAt: moment.nullable(),
  endAt: moment.nullable(),
  paused: z.boolean(),
  createdAt: moment,
  createdBy: z.string(),
  changedAt: moment,
  changedBy: z.string(),
  revision: z.int().min(1),
  status: scheduleStatus,
};

const scheduleItem = component("ScheduleItem", z.object(scheduleFields));

const scheduleView = component(
  "Schedule",
  z.object({ ...scheduleFields, nextOccurrences: z.array(moment).describe("The next five at most.") }),
);

const shown = {
  description: "The schedule.",
  headers: { ETag: "Its revision, for If-Match." },
  content: { "application/json": scheduleView },
};

const INVALID = { 422: ["SCHEDULE_INVALID"] };
const UNKNOWN = { 404: ["SCHEDULE_NOT_FOUND"] };
const NOT_KNOWN = { 503: ["SCHEDULE_CHANGE_UNKNOWN"] };

export const SCHEDULE_OPERATIONS: Operations = {
  "PUT /v1/schedules/{name}": {
    operationId: "putSchedule",
    summary: "Make a schedule, or replace it",
    tag: TAG,
    scope: "jobs:write",
    params,
    headers: z.object({
      "If-Match": z.string().optional().describe("Replace this revision and no other; `*`: replace only."),
    }),
    body: { "application/json": component("ScheduleRequest", scheduleRequest) },
    answers: {
      200: { ...shown, description: "It was replaced, or was already so." },
      201: { ...shown, description: "It is new.", headers: { ...shown.headers, Location: "Where it is." } },
    },
    refusals: joinedRefusals(BODY_REFUSALS, INVALID, NOT_KNOWN, {
      409: ["SCHEDULES_FULL", "VERSION_NOT_ACTIVE"],
      412: ["SCHEDULE_CHANGED"],
      422: ["DATA_INVALID", "ENVELOPE_INVALID", "TYPE_UNKNOWN", "VERSION_UNKNOWN"],
    }),
  },
  "GET /v1/schedules": {
    operationId: "listSchedules",
    summary: "The tenant's schedules by name",
    tag: TAG,
    scope: "jobs:read",
    query: z.object({
      limit: z.int().min(1).max(100).optional().describe("Schedules a page; 50 when it is left out."),
      cursor: z.string().regex(SCHEDULE_NAME_PATTERN).optional().describe("`nextCursor` of the page before."),
    }),
    answers: {
      200: {
        description: "A page.",
        content: {
          "application/json": z.object({
            schedules: z.array(scheduleItem),
            nextCursor: z.string().nullable(),
          }),
        },
      },
    },
    refusals: INVALID,
  },
  "GET /v1/schedules/{name}": {
    operationId: "getSchedule",
    summary: "A schedule, how far it is, and when it comes next",
    tag: TAG,
    scope: "jobs:read",
    params,
    answers: { 200: shown },
    refusals: joinedRefusals(INVALID, UNKNOWN),
  },
  "DELETE /v1/schedules/{name}": {
    operationId: "deleteSchedule",
    summary: "Remove a schedule; its jobs stay",
    tag: TAG,
    scope: "jobs:write",
    params,
    answers: {
      200: {
        description: "It is gone.",
        content: { "application/json": z.object({ name: z.string(), deleted: z.literal(true) }) },
      },
    },
    refusals: joinedRefusals(INVALID, UNKNOWN, NOT_KNOWN),
  },
  ...setPaused("pause", "Let no more occurrences come"),
  ...setPaused("resume", "Let occurrences come again"),
};

function setPaused(act: "pause" | "resume", summary: string): Operations {
  return {
    [`POST /v1/schedules/{name}/${act}`]: {
      operationId: `${act}Schedule`,
      summary,
      tag: TAG,
      scope: "jobs:write",
      params,
      answers: { 200: shown },
      refusals: joinedRefusals(BODY_REFUSALS, INVALID, UNKNOWN, NOT_KNOWN),
    },
  };
}
