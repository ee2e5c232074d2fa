/**
 * `sluice scale show`, `freeze`, `thaw`, `bounds` and `reset`: what operators set over scaling, for a while.
 *
 * Whether a number may be set is for the server to say, which knows the configuration.
 */
import { readActor, readReason } from "../../actor.ts";
import { understood } from "../../answers.ts";
import { CliError, usageError } from "../../cli-error.ts";
import { CLI_EXIT } from "../../exit-codes.ts";
import { isOutcomeUnknown, requestJson } from "../../http-client.ts";
import { parseDurationMs } from "../../parse-duration.ts";
import { neutraliseLine } from "../../terminal/neutralise.ts";
import type { CommandContext } from "../context.ts";
import { overrideChangeAnswer, overridesAnswer } from "./scale-answer.ts";
import { nameOf, showOverrides } from "./show-overrides.ts";

interface SetOptions {
  readonly why: string;
  readonly by?: string;
  readonly for?: string;
  readonly expected?: string;
}

export interface FreezeOptions extends SetOptions {
  readonly all?: boolean;
  readonly hard?: boolean;
}

export interface BoundsOptions extends SetOptions {
  readonly min?: string;
  readonly max?: string;
  readonly beyondConfig?: boolean;
}

export interface DropOptions {
  readonly all?: boolean;
  readonly expected?: string;
}

const WEEK_MS = 604_800_000;
const DAY_MS = 86_400_000;

/** @throws {CliError} when the control API is not reached. */
export async function showScaling(context: CommandContext): Promise<void> {
  const request = {
    method: "GET",
    baseUrl: context.servers().controlUrl,
    path: "/v1/scaling/overrides",
  } as const;
  const raw = await requestJson(request);
  const text = showOverrides(understood(overridesAnswer, raw, "overrides"), context.paint);
  context.answer({ kind: "ScalingOverrides", json: { overrides: raw }, text, exitCode: CLI_EXIT.ok });
}

/** @throws {CliError} when it is not frozen, or not known to be. */
export async function freezePool(
  pool: string | undefined,
  options: FreezeOptions,
  context: CommandContext,
): Promise<void> {
  const name = poolOf(pool, options);
  const body = { hard: options.hard === true, ...setting(options) };
  const { raw, set } = await write({ method: "PUT", path: `${pathOf(name)}/freeze`, body }, context);
  const until = neutraliseLine(set?.expiresAt ?? "it is thawed");
  const text = `${context.paint.strong(nameOf(name))}  frozen until ${until}; in force within the next round, 5 s\n`;
  context.answer({ kind: "ScalingFrozen", json: { change: raw }, text, exitCode: CLI_EXIT.ok });
}

/** @throws {CliError} when it is not thawed, or not known to be. */
export async function thawPool(
  pool: string | undefined,
  options: DropOptions,
  context: CommandContext,
): Promise<void> {
  const name = poolOf(pool, options);
  const path = `${pathOf(name)}/freeze${expectedQuery(options)}`;
  const { raw } = await write({ method: "DELETE", path }, context);
  const text = `${context.paint.strong(nameOf(name))}  thawed; sized again from the next round on\n`;
  context.answer({ kind: "ScalingThawed", json: { change: raw }, text, exitCode: CLI_EXIT.ok });
}

/** @throws {CliError} when they are not set, or not known to be. */
export async function boundPool(
  pool: string,
  options: BoundsOptions,
  context: CommandContext,
): Promise<void> {
  const [workersMin, workersMax] = [readWorkers("--min", options.min), readWorkers("--max", options.max)];
  if (workersMin === null && workersMax === null) throw usageError("Say --min, --max or both.");
  const beyondConfig = options.beyondConfig === true;
  const body = { workersMin, workersMax, beyondConfig, ...setting(options) };
  const { raw, set } = await write({ method: "PUT", path: `${pathOf(pool)}/bounds`, body }, context);
  const said = [
    ...(workersMin === null ? [] : [`min ${workersMin}`]),
    ...(workersMax === null ? [] : [`max ${workersMax}`]),
  ];
  const until = neutraliseLine(set?.expiresAt ?? "they are reset");
  const text = `${context.paint.strong(nameOf(pool))}  ${said.join(", ")} until ${until}\n`;
  context.answer({ kind: "ScalingBounded", json: { change: raw }, text, exitCode: CLI_EXIT.ok });
}

/** @throws {CliError} when nothing is set, or it is not known. */
export async function resetPool(pool: string, options: DropOptions, context: CommandContext): Promise<void> {
  const path = `${pathOf(pool)}/bounds${expectedQuery(options)}`;
  const { raw } = await write({ method: "DELETE", path }, context);
  const text = `${context.paint.strong(nameOf(pool))}  has the configuration's bounds again\n`;
  context.answer({ kind: "ScalingReset", json: { change: raw }, text, exitCode: CLI_EXIT.ok });
}

interface Write {
  readonly method: "PUT" | "DELETE";
  readonly path: string;
  readonly body?: object;
}

async function write({ body, ...request }: Write, context: CommandContext) {
  try {
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const raw = await requestJson({ ...request, ...sent, baseUrl: context.servers().controlUrl });
    return { raw, ...understood(overrideChangeAnswer, raw, "answer") };
  } catch (error) {
    throw error instanceof CliError ? withHint(error) : error;
  }
}

const HINTS: Readonly<Record<string, string>> = {
  POOL_UNKNOWN: "`sluice scale show` lists the pools.",
  BOUNDS_INVALID: "`sluice scale show` has what is configured; --beyond-config goes above its max.",
  SCALING_OVERRIDES_CHANGED: "`sluice scale show` has them as they are now; then decide again.",
  SCALING_OVERRIDE_NOT_FOUND: "`sluice scale show` lists what is set; thaw --all ends a freeze of all pools.",
};

function withHint(error: CliError): CliError {
  const { failure } = error;
  const hint = HINTS[failure.code];
  if (hint !== undefined) return new CliError({ ...failure, hint });
  if (!isOutcomeUnknown(error)) return error;
  return new CliError({
    ...failure,
    message: `It is not known whether scaling changed. ${failure.message}`,
    hint: "`sluice scale show` has how it is; then decide again.",
  });
}

function poolOf(pool: string | undefined, { all }: { readonly all?: boolean }): string {
  if (pool !== undefined && all === true) throw usageError("Name a pool or say --all, not both.");
  if (pool !== undefined) return pool;
  if (all === true) return "*";
  throw usageError("Name a pool, or say --all.");
}

function pathOf(pool: string): string {
  return `/v1/scaling/pools/${encodeURIComponent(pool)}`;
}

function setting({ why, by, for: length, expected }: SetOptions) {
  return {
    why: readReason(why),
    by: readActor(by),
    expiresInMs: readLength(length),
    expected: readRevision(expected),
  };
}

function readLength(given = "1h"): number {
  const days = /^([1-7])d$/.exec(given)?.[1];
  const lengthMs = days === undefined ? parseDurationMs(given) : Number(days) * DAY_MS;
  if (lengthMs !== null && lengthMs >= 1_000 && lengthMs <= WEEK_MS) return lengthMs;
  throw usageError("--for must be a length of time such as 30m, 4h or 2d, from 1s to 7d.");
}

function readWorkers(option: string, given: string | undefined): number | null {
  if (given === undefined) return null;
  if (/^\d{1,4}$/.test(given) && Number(given) <= 1_000) return Number(given);
  throw usageError(`${option} must be a whole number of workers from 0 to 1000.`);
}

function readRevision(given: string | undefined): number | null {
  if (given === undefined) return null;
  if (!/^\d{1,15}$/.test(given)) throw usageError("--expected must be a revision: a whole number from 0.");
  return Number(given);
}

function expectedQuery({ expected }: DropOptions): string {
  const revision = readRevision(expected);
  return revision === null ? "" : `?expected=${revision}`;
}
