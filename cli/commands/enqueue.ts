/** `sluice enqueue`: hands in one job, and waits for its end when asked to. */
import { randomUUID } from "node:crypto";
import type { Clock } from "#shared/clock";
import { toRfc3339 } from "#shared/system-clock";
import { enqueuedAnswer, typesAnswer, understood } from "../answers.ts";
import { CliError, usageError } from "../cli-error.ts";
import { CLI_EXIT } from "../exit-codes.ts";
import { type HttpAnswer, isOutcomeUnknown, requestAnswer, requestJson } from "../http-client.ts";
import { DURATION_RULE, parseDurationMs } from "../parse-duration.ts";
import { neutraliseLine } from "../terminal/neutralise.ts";
import type { CommandContext } from "./context.ts";
import { decideTypeVersion } from "./decide-type-version.ts";
import { deprecationOf, showDeprecation } from "./deprecation.ts";
import { readData } from "./read-data.ts";
import { showJob } from "./show-job.ts";
import { waitForJob } from "./wait-for-job.ts";

export interface EnqueueOptions {
  readonly data: string;
  readonly schemaversion?: string;
  readonly id?: string;
  readonly source?: string;
  readonly subject?: string;
  readonly priority?: string;
  readonly in?: string;
  readonly dedupKey?: string;
  readonly wait?: boolean;
  readonly timeout?: string;
}

const WAIT_MS = 30_000;

/** @throws {CliError} when the job is not accepted, or has not ended in time. */
export async function enqueue(type: string, options: EnqueueOptions, context: CommandContext): Promise<void> {
  const timeoutMs = readTimeout(options);
  const { apiUrl } = context.servers();
  const given = readVersion(options.schemaversion);
  const chosen = readChoices(options, context.clock);
  const data = await readData(options.data, context.readStdin);
  const schemaversion = given ?? (await newestAccepted(apiUrl, type));
  const { source, subject } = options;
  // An id of our own makes it safe to hand the job in again when the answer is lost.
  const id = options.id ?? randomUUID();
  const body = JSON.stringify({ type, schemaversion, id, source, subject, ...chosen, data });
  const answer = await post(apiUrl, body, { type, id, schemaversion });
  const accepted = understood(enqueuedAnswer, answer.value, "answer");
  const deprecation = deprecationOf(answer.headers);
  if (deprecation !== null) context.note(showDeprecation(type, schemaversion, deprecation));

  if (timeoutMs === null) {
    const state = neutraliseLine(`${accepted.type} v${schemaversion}  ${accepted.state ?? "cleaned away"}`);
    const text = `${context.paint.strong(neutraliseLine(accepted.id))}  ${state}\n`;
    const job = { ...accepted, schemaversion };
    context.answer({ kind: "Enqueued", json: { job, deprecation }, text, exitCode: CLI_EXIT.ok });
    return;
  }
  const path = `/v1/jobs/${encodeURIComponent(accepted.id)}`;
  const { job, raw } = await waitForJob(accepted.id, {
    clock: context.clock,
    timeoutMs,
    getJob: () => requestJson({ method: "GET", baseUrl: apiUrl, path }),
  });
  const exitCode = job.state === "succeeded" ? CLI_EXIT.ok : CLI_EXIT.unhealthy;
  context.answer({
    kind: "Job",
    json: { job: raw, deprecation },
    text: showJob(accepted.id, job, context.paint),
    exitCode,
  });
}

/** `null`: do not wait. */
function readTimeout({ wait, timeout }: EnqueueOptions): number | null {
  if (wait !== true) {
    if (timeout !== undefined) throw usageError("--timeout is for --wait, which is not given.");
    return null;
  }
  const timeoutMs = timeout === undefined ? WAIT_MS : parseDurationMs(timeout);
  if (timeoutMs === null) throw usageError(`--timeout ${DURATION_RULE}.`);
  return timeoutMs;
}

/** When and how soon the job shall run, as the API is told it. The server judges the priority. */
function readChoices({ priority, in: delay, dedupKey }: EnqueueOptions, clock: Clock) {
  const delayMs = delay === undefined ? null : parseDurationMs(delay);
  if (delay !== undefined && delayMs === null) throw usageError(`--in ${DURATION_RULE}.`);
  return {
    priority,
    dedupkey: dedupKey,
    ...(delayMs !== null && { scheduledtime: toRfc3339(clock.nowMs() + delayMs) }),
  };
}

function readVersion(given: string | undefined): number | null {
  if (given === undefined) return null;
  if (!/^[1-9]\d{0,9}$/.test(given)) throw usageError("--schemaversion must be a whole number from 1.");
  return Number(given);
}

async function newestAccepted(baseUrl: string, type: string): Promise<number> {
  const answer = await requestJson({ method: "GET", baseUrl, path: "/v1/types" });
  const decision = decideTypeVersion(understood(typesAnswer, answer, "list of types").types, type);
  if (decision.kind === "version") return decision.version;
  const unknown = decision.kind === "type-unknown";
  const why = unknown
    ? `No live release declares the job type "${type}".`
    : `No version of "${type}" is accepted at present.`;
  throw new CliError({
    exitCode: CLI_EXIT.conflict,
    code: unknown ? "TYPE_UNKNOWN" : "VERSION_UNKNOWN",
    message: `The job was not enqueued. ${why}`,
    hint: unknown
      ? `Known types: ${decision.knownTypes.join(", ") || "none"}.`
      : `Publish a release that reads it, or see \`sluice gate get ${type}\`.`,
  });
}

/** A request whose outcome is not known says how to find out. */
async function post(
  baseUrl: string,
  body: string,
  { type, id, schemaversion }: { type: string; id: string; schemaversion: number },
): Promise<HttpAnswer> {
  try {
    return await requestAnswer({ method: "POST", baseUrl, path: "/v1/jobs", body });
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    if (error.failure.code === "VERSION_NOT_ACTIVE") {
      const hint = `\`sluice gate raise ${type} ${schemaversion}\` lets it in, once enough workers read it.`;
      throw new CliError({ ...error.failure, hint });
    }
    if (!isOutcomeUnknown(error)) throw error;
    throw new CliError({
      ...error.failure,
      message: `It is not known whether the job was enqueued. ${error.failure.message}`,
      hint:
        `Hand it in again with --id ${id} --schemaversion ${schemaversion}: ` +
        "the same id from the same source is the same job.",
      details: { ...error.failure.details, outcome: "unknown", id },
    });
  }
}
