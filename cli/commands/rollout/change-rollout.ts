/** `sluice rollout start`, `lint` and the acts on one that goes on. What may be done is for the server to say. */
import { readActor, readReason } from "../../actor.ts";
import { understood } from "../../answers.ts";
import { usageError } from "../../cli-error.ts";
import { CLI_EXIT } from "../../exit-codes.ts";
import { DURATION_RULE, parseDurationMs } from "../../parse-duration.ts";
import { neutraliseLine } from "../../terminal/neutralise.ts";
import type { CommandContext } from "../context.ts";
import { postRollout, rolloutPath } from "./read-rollout.ts";
import { changedAnswer, lintAnswer, startedAnswer } from "./rollout-answer.ts";

interface Asking {
  readonly why: string;
  readonly by?: string;
}

export interface LintOptions {
  readonly to: string;
  readonly from?: string;
}

export interface StartOptions extends Asking, LintOptions {
  readonly bypassChannel?: string;
}

export interface ActOptions extends Asking {
  readonly expected?: string;
  /** Of promote. */
  readonly full?: boolean;
  /** Of force. */
  readonly expires?: string;
  /** Of revise. */
  readonly to?: string;
}

/** The names that people type; `promote --full` is an act of its own. */
export type ActName =
  | "pause"
  | "resume"
  | "retry"
  | "promote"
  | "force"
  | "abort"
  | "undo"
  | "revise"
  | "close";

/** @throws {CliError} naming everything that is in the way. */
export async function startRollout(
  pool: string,
  options: StartOptions,
  context: CommandContext,
): Promise<void> {
  const { to, from, bypassChannel } = options;
  const body = {
    pool,
    to,
    from,
    ...asking(options),
    bypassChannelForMs:
      bypassChannel === undefined ? undefined : readLength("--bypass-channel", bypassChannel),
  };
  const raw = await postRollout({ baseUrl: context.servers().controlUrl, path: "/v1/rollouts", body }, pool);
  const { rollout } = understood(startedAnswer, raw, "rollout");
  const { paint } = context;
  const title = paint.strong(neutraliseLine(rollout.id));
  const text = `${title}  ${neutraliseLine(`${rollout.from} → ${rollout.to} in ${rollout.pool}`)}  ${neutraliseLine(rollout.state)}; \`sluice rollout get ${neutraliseLine(pool)} -w\` shows how it goes\n`;
  context.answer({ kind: "RolloutStarted", json: { rollout: started(raw) }, text, exitCode: CLI_EXIT.ok });
}

/** Exit 4 when something is in the way. @throws {CliError} */
export async function lintRollout(
  pool: string,
  options: LintOptions,
  context: CommandContext,
): Promise<void> {
  const { to, from } = options;
  const path = `${rolloutPath(pool)}/lint`;
  const raw = await postRollout({ baseUrl: context.servers().controlUrl, path, body: { to, from } }, pool);
  const { mayStart, blockers } = understood(lintAnswer, raw, "answer");
  const lines = blockers.map(({ code, what }) => `  - ${neutraliseLine(what)}  (${neutraliseLine(code)})\n`);
  const { paint } = context;
  const verdict = mayStart ? paint.good("✓ may begin") : paint.bad("✖ may not begin");
  context.answer({
    kind: "RolloutLint",
    json: { lint: raw },
    text: `${verdict}  ${neutraliseLine(`${to} in ${pool}`)}\n${lines.join("")}`,
    exitCode: mayStart ? CLI_EXIT.ok : CLI_EXIT.conflict,
  });
}

export interface ActRequest {
  readonly act: ActName;
  readonly pool: string;
}

/** @throws {CliError} when it is refused, or not known to be stored. */
export async function actOnRollout(
  { act, pool }: ActRequest,
  options: ActOptions,
  context: CommandContext,
): Promise<void> {
  const { to, expires, full, expected } = options;
  const body = {
    ...asking(options),
    to,
    expected: readRevision(expected),
    expiresInMs: expires === undefined ? undefined : readLength("--expires", expires),
  };
  const path = `${rolloutPath(pool)}/${act === "promote" && full === true ? "promote-full" : act}`;
  const raw = await postRollout({ baseUrl: context.servers().controlUrl, path, body }, pool);
  const { rollout, record } = understood(changedAnswer, raw, "rollout");
  const change = record.from === record.to ? record.to : `${record.from} → ${record.to}`;
  const text = `${context.paint.strong(neutraliseLine(rollout.id))}  ${neutraliseLine(`${change} (revision ${rollout.revision}): ${record.sentence}`)}\n`;
  context.answer({ kind: "RolloutChanged", json: { change: raw }, text, exitCode: CLI_EXIT.ok });
}

/** The rollout out of its wrapping; `understood` has seen that it is there. */
function started(raw: unknown): unknown {
  return (raw as { rollout: unknown }).rollout;
}

function asking({ why, by }: Asking) {
  return { why: readReason(why), by: readActor(by) };
}

function readLength(option: string, given: string): number {
  const lengthMs = parseDurationMs(given);
  if (lengthMs !== null && lengthMs >= 1_000) return lengthMs;
  throw usageError(`${option} ${DURATION_RULE}, and at least 1s.`);
}

function readRevision(given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  if (!/^[1-9]\d{0,14}$/.test(given))
    throw usageError("--expected must be a revision: a whole number from 1.");
  return Number(given);
}
