/**
 * `sluice gate raise` and `lower`: moves a gate from where it was seen.
 *
 * The version that it was seen at goes along, so of two that move it at once one is told that the other was
 * first. With `--wait` a raise that is refused for something passing is asked for again.
 */
import { z } from "zod";
import { readActor, readReason } from "../../actor.ts";
import { understood } from "../../answers.ts";
import { CliError, usageError } from "../../cli-error.ts";
import { CLI_EXIT } from "../../exit-codes.ts";
import { isOutcomeUnknown, requestJson } from "../../http-client.ts";
import { DURATION_RULE, parseDurationMs } from "../../parse-duration.ts";
import { neutraliseLine } from "../../terminal/neutralise.ts";
import type { CommandContext } from "../context.ts";
import { decideGateTarget } from "./decide-gate-target.ts";
import { type MovedAnswer, movedAnswer } from "./gate-answer.ts";
import { isPassingRefusal, withHint } from "./gate-refusals.ts";
import { gatePath, readGate } from "./get-gate.ts";

export interface MoveOptions {
  readonly why: string;
  readonly by?: string;
  readonly expected?: string;
  readonly force?: boolean;
  readonly sunset?: string;
  readonly wait?: boolean;
  readonly timeout?: string;
}

export interface MoveRequest {
  readonly direction: "raise" | "lower";
  readonly type: string;
  /** As it was typed; the next one above when missing. */
  readonly version?: string | undefined;
}

interface Move {
  readonly version: number;
  readonly expected: number;
  readonly force: boolean;
  readonly sunset: string | null;
  readonly by: string;
  readonly why: string;
}

const WAIT_MS = 600_000;

/** The server looks at the fleet about once a second. */
const LOOK_AGAIN_MS = 2_000;

/** @throws {CliError} when the gate stays where it is. */
export async function moveGate(
  { direction, type, version }: MoveRequest,
  options: MoveOptions,
  context: CommandContext,
): Promise<void> {
  const why = readReason(options.why);
  const by = readActor(options.by);
  const sunset = readSunset(options.sunset);
  const timeoutMs = readTimeout(options);
  const wanted = version === undefined ? null : readVersion(version, "The version");
  const expected = options.expected === undefined ? null : readVersion(options.expected, "--expected");
  const { controlUrl } = context.servers();
  const { gate } = await readGate(controlUrl, type);
  const target = decideGateTarget(gate, { direction, version: wanted });
  if (target.kind === "refused") {
    const { code, message, hint } = target;
    throw new CliError({ exitCode: CLI_EXIT.conflict, code, message, hint });
  }
  const move = {
    version: target.version,
    expected: expected ?? gate.activeversion,
    force: options.force === true,
    sunset,
    by,
    why,
  };
  const moved = await untilMoved({ baseUrl: controlUrl, type, move }, { context, timeoutMs });
  context.answer({
    kind: "GateMoved",
    json: { gate: moved },
    text: showMoved(moved, context),
    exitCode: CLI_EXIT.ok,
  });
}

interface Asked {
  readonly baseUrl: string;
  readonly type: string;
  readonly move: Move;
}

/** Tries again while what is in the way may pass, and there is time. */
async function untilMoved(
  asked: Asked,
  { context, timeoutMs }: { readonly context: CommandContext; readonly timeoutMs: number | null },
): Promise<MovedAnswer> {
  const { clock } = context;
  const deadlineMs = clock.monotonicMs() + (timeoutMs ?? 0);
  let told = "";
  let mayHaveMoved = false;
  for (;;) {
    const outcome = await attempt(asked, {
      mayHaveMoved,
      passes: timeoutMs === null ? () => false : mayPass,
    });
    if (!(outcome instanceof CliError)) return outcome;
    const leftMs = deadlineMs - clock.monotonicMs();
    if (leftMs <= 0) throw timedOut(outcome, asked.type, timeoutMs ?? 0);
    mayHaveMoved ||= isOutcomeUnknown(outcome);
    const { message } = outcome.failure;
    if (message !== told) context.note(`waiting: ${neutraliseLine(message)}`);
    told = message;
    await clock.sleep(Math.min(LOOK_AGAIN_MS, leftMs));
  }
}

/** What keeps the gate where it is, when that may pass. @throws {CliError} when it does not. */
async function attempt(
  { baseUrl, type, move }: Asked,
  { mayHaveMoved, passes }: { readonly mayHaveMoved: boolean; passes(error: CliError): boolean },
): Promise<MovedAnswer | CliError> {
  try {
    const isThere = mayHaveMoved && (await readGate(baseUrl, type)).gate.activeversion === move.version;
    if (isThere) return { type, from: move.expected, activeversion: move.version, moved: true };
    return await post(baseUrl, type, move);
  } catch (error) {
    if (error instanceof CliError && passes(error)) return error;
    throw withHint(error, type);
  }
}

function mayPass(error: CliError): boolean {
  return isPassingRefusal(error) || error.failure.exitCode === CLI_EXIT.unreachable;
}

async function post(baseUrl: string, type: string, move: Move): Promise<MovedAnswer> {
  const body = JSON.stringify(move);
  try {
    const raw = await requestJson({ method: "POST", baseUrl, path: gatePath(type), body });
    return understood(movedAnswer, raw, "answer");
  } catch (error) {
    if (!(error instanceof CliError) || !isOutcomeUnknown(error)) throw error;
    throw new CliError({
      ...error.failure,
      message: `It is not known whether the gate moved. ${error.failure.message}`,
      hint: `\`sluice gate get ${type}\` shows where it is; then decide again.`,
    });
  }
}

function timedOut({ failure }: CliError, type: string, timeoutMs: number): CliError {
  return new CliError({
    exitCode: CLI_EXIT.timedOut,
    code: "WAIT_TIMEOUT",
    message: `The gate has not risen within ${timeoutMs / 1_000} s. ${failure.message}`,
    hint: `\`sluice gate get ${type}\` shows where it is and what is in the way.`,
    details: { reason: failure.code },
  });
}

function showMoved({ type, from, activeversion, moved }: MovedAnswer, { paint }: CommandContext): string {
  const name = paint.strong(neutraliseLine(type));
  if (!moved) return `${name}  stays at version ${activeversion}: it is there already\n`;
  return `${name}  ${from} -> ${activeversion}\n`;
}

function readVersion(given: string, what: string): number {
  if (!/^[1-9]\d{0,8}$/.test(given)) throw usageError(`${what} must be a whole number from 1.`);
  return Number(given);
}

/** A date alone is its first moment in UTC. */
function readSunset(given: string | undefined): string | null {
  if (given === undefined) return null;
  const moment = z.iso.date().safeParse(given).success ? `${given}T00:00:00Z` : given;
  if (z.iso.datetime({ offset: true }).safeParse(moment).success) return moment;
  throw usageError("--sunset must be a date such as 2027-01-31, or a time such as 2027-01-31T12:00:00Z.");
}

/** `null`: do not wait. */
function readTimeout({ wait, timeout }: MoveOptions): number | null {
  if (wait !== true) {
    if (timeout !== undefined) throw usageError("--timeout is for --wait, which is not given.");
    return null;
  }
  const timeoutMs = timeout === undefined ? WAIT_MS : parseDurationMs(timeout);
  if (timeoutMs === null) throw usageError(`--timeout ${DURATION_RULE}.`);
  return timeoutMs;
}
