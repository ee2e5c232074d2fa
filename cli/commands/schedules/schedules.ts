/** `sluice schedules list`, `get`, `put`, `delete`, `pause` and `resume`: schedules through the API. */
import { understood } from "../../answers.ts";
import { CliError, usageError } from "../../cli-error.ts";
import { CLI_EXIT } from "../../exit-codes.ts";
import { type HttpRequest, isOutcomeUnknown, requestJson } from "../../http-client.ts";
import { DURATION_RULE, parseDurationMs } from "../../parse-duration.ts";
import { neutraliseLine } from "../../terminal/neutralise.ts";
import type { CommandContext } from "../context.ts";
import { readData } from "../read-data.ts";
import { deletedAnswer, type ScheduleAnswer, scheduleAnswer, schedulesAnswer } from "./schedule-answer.ts";
import { showSchedule, showSchedules } from "./show-schedule.ts";

export interface PutOptions {
  readonly type: string;
  readonly schemaversion: string;
  readonly data: string;
  readonly every?: string;
  readonly anchor?: string;
  readonly cron?: string;
  readonly timeZone?: string;
  readonly missed?: string;
  readonly grace?: string;
  readonly priority?: string;
  readonly start?: string;
  readonly end?: string;
  readonly revision?: string;
}

/** Pages asked for: a tenant has at most a thousand schedules. */
const PAGES_MAX = 20;

/** @throws {CliError} when the API is not reached. */
export async function listSchedules(context: CommandContext): Promise<void> {
  const schedules: ScheduleAnswer[] = [];
  const raw: unknown[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const query = new URLSearchParams({ limit: "100", ...(cursor !== null && { cursor }) });
    const answer = await request({ method: "GET", path: `/v1/schedules?${query}` }, context);
    const { schedules: more, nextCursor } = understood(schedulesAnswer, answer, "list of schedules");
    schedules.push(...more);
    raw.push(...(answer as { schedules: unknown[] }).schedules);
    cursor = nextCursor;
    if (cursor === null) break;
  }
  const text = showSchedules(schedules);
  context.answer({ kind: "Schedules", json: { schedules: raw }, text, exitCode: CLI_EXIT.ok });
}

/** @throws {CliError} when there is none of that name. */
export async function getSchedule(name: string, context: CommandContext): Promise<void> {
  answerSchedule(await request({ method: "GET", path: pathOf(name) }, context), context);
}

/** @throws {CliError} when it is refused, or it is not known what became of it. */
export async function putSchedule(name: string, options: PutOptions, context: CommandContext): Promise<void> {
  const body = JSON.stringify(await definitionOf(options, context));
  const { revision } = options;
  if (revision !== undefined && !/^[1-9]\d{0,8}$/.test(revision)) {
    throw usageError("--revision must be a whole number from 1.");
  }
  const ifMatch = revision === undefined ? {} : { ifMatch: `"${revision}"` };
  answerSchedule(await request({ method: "PUT", path: pathOf(name), body, ...ifMatch }, context), context);
}

/** @throws {CliError} when there is none of that name. */
export async function deleteSchedule(name: string, context: CommandContext): Promise<void> {
  const raw = await request({ method: "DELETE", path: pathOf(name) }, context);
  const deleted = understood(deletedAnswer, raw, "answer");
  const text = `${context.paint.strong(neutraliseLine(deleted.name))}  deleted; jobs that it enqueued stay\n`;
  context.answer({ kind: "ScheduleDeleted", json: { schedule: raw }, text, exitCode: CLI_EXIT.ok });
}

/** @throws {CliError} when there is none of that name. */
export async function actOnSchedule(
  act: "pause" | "resume",
  name: string,
  context: CommandContext,
): Promise<void> {
  answerSchedule(await request({ method: "POST", path: `${pathOf(name)}/${act}` }, context), context);
}

function answerSchedule(raw: unknown, context: CommandContext): void {
  const schedule = understood(scheduleAnswer, raw, "schedule");
  const text = showSchedule(schedule, context.paint);
  context.answer({ kind: "Schedule", json: { schedule: raw }, text, exitCode: CLI_EXIT.ok });
}

async function definitionOf(options: PutOptions, context: CommandContext): Promise<object> {
  const { type, schemaversion, every, anchor, cron, timeZone, missed, priority, start, end } = options;
  if (!/^[1-9]\d{0,9}$/.test(schemaversion))
    throw usageError("--schemaversion must be a whole number from 1.");
  if ((every === undefined) === (cron === undefined)) throw usageError("Give either --every or --cron.");
  const when =
    every === undefined
      ? { cron: { expression: cron, timeZone } }
      : { every: { intervalMs: lengthOf(every, "--every"), anchor } };
  return {
    type,
    schemaversion: Number(schemaversion),
    data: await readData(options.data, context.readStdin),
    ...when,
    missed,
    graceMs: options.grace === undefined ? undefined : lengthOf(options.grace, "--grace"),
    priority,
    startAt: start,
    endAt: end,
  };
}

function lengthOf(text: string, option: string): number {
  const lengthMs = parseDurationMs(text);
  if (lengthMs === null) throw usageError(`${option} ${DURATION_RULE}.`);
  return lengthMs;
}

async function request(asked: Omit<HttpRequest, "baseUrl">, context: CommandContext): Promise<unknown> {
  try {
    return await requestJson({ ...asked, baseUrl: context.servers().apiUrl });
  } catch (error) {
    throw error instanceof CliError ? explained(error, asked.method) : error;
  }
}

const HINTS: Readonly<Record<string, string>> = {
  SCHEDULE_NOT_FOUND: "`sluice schedules list` shows the schedules.",
  SCHEDULE_CHANGED: "`sluice schedules get` shows it as it is now; then decide again.",
};

function explained(error: CliError, method: HttpRequest["method"]): CliError {
  const { failure } = error;
  const hint = HINTS[failure.code];
  if (hint !== undefined) return new CliError({ ...failure, hint });
  if (method === "GET" || !isOutcomeUnknown(error)) return error;
  return new CliError({
    ...failure,
    message: `It is not known whether the schedule changed. ${failure.message}`,
    hint: "`sluice schedules get` shows it; doing the same again is safe.",
  });
}

function pathOf(name: string): string {
  return `/v1/schedules/${encodeURIComponent(name)}`;
}
