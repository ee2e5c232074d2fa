/**
 * `/v1/schedules`: a tenant's schedules, written and looked at.
 *
 * A schedule's type, version and data are checked as the door checks a job's, at once and by the same words.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { Clock } from "#shared/clock";
import type { Issue } from "#shared/errors";
import { type Problem, problemOf } from "#shared/http/problem";
import { sendProblem } from "#shared/http/send-problem";
import { pointerTo } from "#shared/json-pointer";
import { SCHEDULES_MAX } from "#shared/redis/schedule-store";
import { SCHEDULE_NAME_PATTERN, type ScheduleRequest, scheduleRequest } from "#shared/schedules/schedule";
import { readBody } from "../read-body.ts";
import type { PauseOutcome, PutOutcome, ScheduleKeeper, ScheduleWritten } from "../schedule-keeper.ts";
import { previewOf, viewOf } from "../schedule-view.ts";

export interface SchedulesPorts {
  readonly schedules: Pick<ScheduleKeeper, "get" | "list" | "put" | "remove" | "setPaused">;
  readonly clock: Clock;
}

/** More than any schedule needs: its data is bounded closer. */
const BODY_BYTES_MAX = 64 * 1024;

const PAGE_MAX = 100;

const nameRule = "must be 1 to 63 lower-case letters, digits and dashes, with a letter first";
const scheduleName = z.string().regex(SCHEDULE_NAME_PATTERN, nameRule);
const limitRule = `must be a whole number from 1 to ${PAGE_MAX}`;

export const scheduleParams = z.strictObject({ name: scheduleName });
export const schedulesQuery = z.strictObject({
  limit: z
    .string()
    .regex(/^[1-9]\d{0,2}$/, limitRule)
    .transform(Number)
    .refine((limit) => limit <= PAGE_MAX, limitRule)
    .default(50),
  cursor: scheduleName.optional(),
});

const WRITES = { config: { scope: "jobs:write" } } as const;
const READS = { config: { scope: "jobs:read" } } as const;

export function addSchedulesRoutes(server: FastifyInstance, ports: SchedulesPorts): void {
  server.put("/v1/schedules/:name", { ...WRITES, bodyLimit: BODY_BYTES_MAX }, async (request, reply) => {
    const read = readPut(request);
    if ("errors" in read) return invalid(reply, read.errors);
    const { schedules } = ports;
    const wish = { ...read.value, mayReplace: mayReplaceOf(request.headers["if-match"]) };
    return sendPut(reply, await schedules.put(ownerOf(request), wish), ports);
  });

  server.get("/v1/schedules", READS, async (request, reply) => {
    const query = check(schedulesQuery, request.query);
    if ("errors" in query) return invalid(reply, query.errors);
    const { limit, cursor = null } = query.value;
    // One more than is shown tells whether there are more.
    const page = { after: cursor, max: limit + 1 };
    const found = await ports.schedules.list(request.caller.tenant, page);
    const shown = found.slice(0, limit);
    return {
      schedules: shown.map(({ schedule, state }) => viewOf(schedule, state)),
      nextCursor: found.length > limit ? (shown.at(-1)?.schedule.name ?? null) : null,
    };
  });

  server.get("/v1/schedules/:name", READS, async (request, reply) => {
    const params = check(scheduleParams, request.params);
    if ("errors" in params) return invalid(reply, params.errors);
    const found = await ports.schedules.get(request.caller.tenant, params.value.name);
    return found === null ? sendProblem(reply, NOT_FOUND) : sendSchedule(reply, found, ports);
  });

  addActs(server, ports);
}

function addActs(server: FastifyInstance, ports: SchedulesPorts): void {
  server.delete("/v1/schedules/:name", WRITES, async (request, reply) => {
    const params = check(scheduleParams, request.params);
    if ("errors" in params) return invalid(reply, params.errors);
    const removed = await ports.schedules.remove(request.caller.tenant, params.value.name);
    if (removed === null) return sendProblem(reply, NOT_KNOWN);
    return removed ? { name: params.value.name, deleted: true } : sendProblem(reply, NOT_FOUND);
  });

  server.post("/v1/schedules/:name/pause", WRITES, (request, reply) => setPaused(request, reply, true));
  server.post("/v1/schedules/:name/resume", WRITES, (request, reply) => setPaused(request, reply, false));

  async function setPaused(request: FastifyRequest, reply: FastifyReply, paused: boolean) {
    const params = check(scheduleParams, request.params);
    if ("errors" in params) return invalid(reply, params.errors);
    const { name } = params.value;
    return sendPause(reply, await ports.schedules.setPaused(ownerOf(request), name, paused), ports);
  }
}

function sendPut(reply: FastifyReply, outcome: PutOutcome, ports: SchedulesPorts): FastifyReply {
  switch (outcome.kind) {
    case "created":
      reply.code(201).header("location", `/v1/schedules/${outcome.schedule.name}`);
      return sendSchedule(reply, outcome, ports);
    case "replaced":
    case "unchanged":
      return sendSchedule(reply, outcome, ports);
    case "changed":
      return sendProblem(reply, changed(outcome.revision));
    case "full":
      return sendProblem(reply, FULL);
    case "never": {
      const message = "comes never: its last occurrence would be before now";
      return invalid(reply, [{ pointer: "", rule: "no-occurrence", message }]);
    }
    case "unknown":
      return sendProblem(reply, NOT_KNOWN);
  }
}

function sendPause(reply: FastifyReply, outcome: PauseOutcome, ports: SchedulesPorts): FastifyReply {
  if (outcome.kind === "missing") return sendProblem(reply, NOT_FOUND);
  if (outcome.kind === "unknown") return sendProblem(reply, NOT_KNOWN);
  return sendSchedule(reply, outcome, ports);
}

function sendSchedule(
  reply: FastifyReply,
  { schedule, state }: ScheduleWritten,
  { clock }: SchedulesPorts,
): FastifyReply {
  const occurrences = previewOf(schedule, Math.max(clock.nowMs(), state.positionMs));
  return reply
    .header("etag", `"${schedule.revision}"`)
    .send({ ...viewOf(schedule, state), nextOccurrences: occurrences });
}

function ownerOf({ caller }: FastifyRequest) {
  return { tenant: caller.tenant, by: caller.name };
}

function readPut(request: FastifyRequest): Checked<{ name: string; request: ScheduleRequest }> {
  const params = check(scheduleParams, request.params);
  if ("errors" in params) return params;
  const body = check(scheduleRequest, readBody(typeof request.body === "string" ? request.body : ""));
  if ("errors" in body) return body;
  return { value: { name: params.value.name, request: body.value } };
}

/** What an `If-Match` header lets be replaced (RFC 9110, 13.1.1); without one anything, and nothing. */
function mayReplaceOf(header: string | undefined): (revision: number) => boolean {
  if (header === undefined) return () => true;
  if (header.trim() === "*") return (revision) => revision > 0;
  const revisions = header.split(",").map((it) => it.trim().replace(/^"(.*)"$/, "$1"));
  return (revision) => revision > 0 && revisions.includes(String(revision));
}

type Checked<Value> = { readonly value: Value } | { readonly errors: readonly Issue[] };

function check<Schema extends z.ZodType>(schema: Schema, value: unknown): Checked<z.output<Schema>> {
  const result = schema.safeParse(value);
  return result.success ? { value: result.data } : { errors: result.error.issues.flatMap(issuesOf) };
}

function issuesOf(issue: z.core.$ZodIssue): Issue[] {
  if (issue.code === "unrecognized_keys") {
    const message = "is not known here; remove it";
    return issue.keys.map((key) => ({
      pointer: pointerTo([...issue.path, key]),
      rule: "unknown-field",
      message,
    }));
  }
  return [{ pointer: pointerTo(issue.path), rule: issue.code.replaceAll("_", "-"), message: issue.message }];
}

function invalid(reply: FastifyReply, errors: readonly Issue[]): FastifyReply {
  const detail = errors.map((it) => `${it.pointer || "(request)"}: ${it.message}`).join("; ");
  return sendProblem(
    reply,
    problemOf({ status: 422, code: "SCHEDULE_INVALID", title: "The request is not valid", detail, errors }),
  );
}

const NOT_FOUND: Problem = problemOf({
  status: 404,
  code: "SCHEDULE_NOT_FOUND",
  title: "No such schedule",
  detail: "There is no schedule of this name; GET /v1/schedules lists them.",
});

const FULL: Problem = problemOf({
  status: 409,
  code: "SCHEDULES_FULL",
  title: "Too many schedules",
  detail: `A tenant may have ${SCHEDULES_MAX} schedules; delete one that is not needed.`,
});

const NOT_KNOWN: Problem = problemOf({
  status: 503,
  code: "SCHEDULE_CHANGE_UNKNOWN",
  title: "It is not known whether the schedule changed",
  detail: "Redis did not answer. Sending the same again is safe.",
  retryAfterSeconds: 1,
});

function changed(revision: number): Problem {
  const detail =
    revision === 0
      ? "There is no schedule of this name that could be replaced."
      : `The schedule is at revision ${revision} by now; look at it and decide again.`;
  return problemOf({
    status: 412,
    code: "SCHEDULE_CHANGED",
    title: "The schedule is another by now",
    detail,
  });
}
