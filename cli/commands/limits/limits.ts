/**
 * `sluice limits get`, `set` and `reset`: what is let in, and what operators set over it.
 *
 * Whether a path or a value is one is for the server to say, which knows the throttles; so a command a little
 * older than its server can set what it has never heard of.
 */
import { readActor, readReason } from "../../actor.ts";
import { understood } from "../../answers.ts";
import { CliError, usageError } from "../../cli-error.ts";
import { CLI_EXIT } from "../../exit-codes.ts";
import { isOutcomeUnknown, requestJson } from "../../http-client.ts";
import { DURATION_RULE, parseDurationMs } from "../../parse-duration.ts";
import { neutraliseLine } from "../../terminal/neutralise.ts";
import type { CommandContext } from "../context.ts";
import { limitsAnswer, overrideDroppedAnswer, overrideSetAnswer } from "./limits-answer.ts";
import { showLimits, showOverride } from "./show-limits.ts";

export interface SetOptions {
  readonly why: string;
  readonly by?: string;
  readonly for?: string;
  readonly expected?: string;
}

const OVERRIDES_PATH = "/v1/limits/overrides";

/** @throws {CliError} when the control API is not reached. */
export async function getLimits(context: CommandContext): Promise<void> {
  const raw = await requestJson({ method: "GET", baseUrl: context.servers().controlUrl, path: "/v1/limits" });
  const limits = understood(limitsAnswer, raw, "limits");
  const text = showLimits(limits, context.paint);
  context.answer({ kind: "Limits", json: { limits: raw }, text, exitCode: CLI_EXIT.ok });
}

/** @throws {CliError} when nothing was set, or it is not known. */
export async function setLimit(
  { path, value }: { readonly path: string; readonly value: string },
  options: SetOptions,
  context: CommandContext,
): Promise<void> {
  const body = JSON.stringify({
    path,
    value: readValue(value),
    why: readReason(options.why),
    by: readActor(options.by),
    expiresInMs: readLength(options.for),
    expected: readRevision(options.expected),
  });
  const raw = await write({ method: "PUT", path: OVERRIDES_PATH, body }, context);
  const { override } = understood(overrideSetAnswer, raw, "answer");
  const text = showOverride(override, context.paint);
  context.answer({ kind: "LimitSet", json: { limit: raw }, text, exitCode: CLI_EXIT.ok });
}

/** @throws {CliError} when nothing is set over it, or it is not known. */
export async function resetLimit(path: string, context: CommandContext): Promise<void> {
  const query = new URLSearchParams({ path });
  const raw = await write({ method: "DELETE", path: `${OVERRIDES_PATH}?${query}` }, context);
  const { dropped } = understood(overrideDroppedAnswer, raw, "answer");
  const text = `${context.paint.strong(neutraliseLine(dropped.path))}  is what the configuration says again\n`;
  context.answer({ kind: "LimitReset", json: { limit: raw }, text, exitCode: CLI_EXIT.ok });
}

interface Write {
  readonly method: "PUT" | "DELETE";
  readonly path: string;
  readonly body?: string;
}

async function write(request: Write, context: CommandContext): Promise<unknown> {
  try {
    return await requestJson({ ...request, baseUrl: context.servers().controlUrl });
  } catch (error) {
    throw error instanceof CliError ? withHint(error) : error;
  }
}

const HINTS: Readonly<Record<string, string>> = {
  LIMIT_INVALID: "`sluice limits get` shows the queues, their bounds and the throttles.",
  LIMITS_CHANGED: "`sluice limits get` shows them as they are now; then decide again.",
  OVERRIDES_FULL: "`sluice limits reset <path>` makes room.",
  OVERRIDE_NOT_FOUND: "`sluice limits get` shows what is set.",
};

function withHint(error: CliError): CliError {
  const { failure } = error;
  const hint = HINTS[failure.code];
  if (hint !== undefined) return new CliError({ ...failure, hint });
  if (!isOutcomeUnknown(error)) return error;
  return new CliError({
    ...failure,
    message: `It is not known whether the limit changed. ${failure.message}`,
    hint: "`sluice limits get` shows how it is; then decide again.",
  });
}

/** JSON, or a bare word. */
function readValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    if (/^[a-z-]+$/.test(text)) return text;
    throw usageError("The value must be JSON, such as 500, true, null or {...}, or one word.");
  }
}

/** `null`: until it is reset. */
function readLength(given: string | undefined): number | null {
  if (given === undefined) return null;
  const lengthMs = parseDurationMs(given);
  if (lengthMs === null || lengthMs < 1_000) throw usageError(`--for ${DURATION_RULE}, and at least 1s.`);
  return lengthMs;
}

function readRevision(given: string | undefined): number | null {
  if (given === undefined) return null;
  if (!/^\d{1,15}$/.test(given)) throw usageError("--expected must be a revision: a whole number from 0.");
  return Number(given);
}
