/** `sluice scale explain` and `history`: why there are as many workers as there are, or were at some moment. */
import { understood } from "../../answers.ts";
import { CliError, usageError } from "../../cli-error.ts";
import { CLI_EXIT } from "../../exit-codes.ts";
import { requestJson } from "../../http-client.ts";
import { neutraliseLine } from "../../terminal/neutralise.ts";
import type { CommandContext } from "../context.ts";
import { readMoment } from "./clock-time.ts";
import { type Decision, decisionPageAnswer, overridesAnswer } from "./scale-answer.ts";
import { showExplained } from "./show-explain.ts";
import { showHistory } from "./show-overrides.ts";

export interface ExplainOptions {
  readonly at?: string;
}

export interface HistoryOptions extends ExplainOptions {
  readonly limit?: string;
}

/** Decisions that are read to tell how the number moved: some minutes of a busy pool. */
const DECISIONS_BEFORE = 60;

const LIMIT_DEFAULT = 20;
const LIMIT_MAX = 500;

/** @throws {CliError} when the control API is not reached, or nothing is kept of that moment. */
export async function explain(
  pool: string | undefined,
  options: ExplainOptions,
  context: CommandContext,
): Promise<void> {
  const at = options.at === undefined ? null : readMoment(options.at, context.clock.nowMs());
  const queue = pool ?? (await onlyPool(context));
  const { raw, decisions } = await askDecisions({ queue, at, limit: DECISIONS_BEFORE }, context);
  const [decision, ...before] = decisions;
  if (decision === undefined) throw nothingKept(queue, at);
  const text = showExplained({ decision, before }, context.paint);
  const [whole] = (raw as { readonly decisions: readonly unknown[] }).decisions;
  context.answer({ kind: "ScalingDecision", json: { decision: whole }, text, exitCode: CLI_EXIT.ok });
}

/** @throws {CliError} when the control API is not reached. */
export async function history(
  pool: string | undefined,
  options: HistoryOptions,
  context: CommandContext,
): Promise<void> {
  const at = options.at === undefined ? null : readMoment(options.at, context.clock.nowMs());
  const limit = readLimit(options.limit);
  const { raw, decisions } = await askDecisions({ queue: pool ?? null, at, limit }, context);
  context.answer({
    kind: "ScalingDecisions",
    json: raw as Record<string, unknown>,
    text: showHistory(decisions),
    exitCode: CLI_EXIT.ok,
  });
}

interface Asked {
  readonly queue: string | null;
  readonly at: string | null;
  readonly limit: number;
}

async function askDecisions({ queue, at, limit }: Asked, context: CommandContext) {
  const query = new URLSearchParams({
    limit: String(limit),
    ...(queue === null ? {} : { queue }),
    ...(at === null ? {} : { at }),
  });
  const path = `/v1/scaling/decisions?${query}`;
  const raw = await requestJson({ method: "GET", baseUrl: context.servers().controlUrl, path });
  const decisions: readonly Decision[] = understood(decisionPageAnswer, raw, "decisions").decisions;
  return { raw, decisions };
}

/** The pool where there is but one. @throws {CliError} where there are more. */
async function onlyPool(context: CommandContext): Promise<string> {
  const request = {
    method: "GET",
    baseUrl: context.servers().controlUrl,
    path: "/v1/scaling/overrides",
  } as const;
  const { pools } = understood(overridesAnswer, await requestJson(request), "pools");
  const [only, ...more] = pools;
  if (only !== undefined && more.length === 0) return only.pool;
  const names = pools.map(({ pool }) => neutraliseLine(pool)).join(", ");
  throw usageError(`Which pool? There are ${names || "none"}.`);
}

function nothingKept(queue: string, at: string | null): CliError {
  const when = at === null ? "" : ` at ${at} or before`;
  return new CliError({
    exitCode: CLI_EXIT.notFound,
    code: "DECISION_NOT_FOUND",
    message: `No decision about ${neutraliseLine(queue)}${when} is kept.`,
    hint: "`sluice scale show` lists the pools, `sluice scale history` what is kept.",
  });
}

function readLimit(given: string | undefined): number {
  if (given === undefined) return LIMIT_DEFAULT;
  if (/^[1-9]\d{0,2}$/.test(given) && Number(given) <= LIMIT_MAX) return Number(given);
  throw usageError(`--limit must be a whole number from 1 to ${LIMIT_MAX}.`);
}
