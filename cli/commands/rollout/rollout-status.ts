/**
 * `sluice rollout status`: waits until a pool's newest rollout has come off or not, for scripts.
 *
 * Each change is a line beside the answer and nothing else is said. A pause is waited out: somebody may resume it.
 */
import { CliError, usageError } from "../../cli-error.ts";
import { CLI_EXIT } from "../../exit-codes.ts";
import { DURATION_RULE, parseDurationMs } from "../../parse-duration.ts";
import { neutraliseLine } from "../../terminal/neutralise.ts";
import type { CommandContext } from "../context.ts";
import { decideRolloutEnd } from "./decide-rollout-exit.ts";
import { type ReadRollout, readRollout } from "./read-rollout.ts";
import { changeKey, changeLine } from "./show-rollout.ts";

export interface StatusOptions {
  readonly timeout?: string;
}

const LOOK_AGAIN_MS = 1_000;
const WAIT_DEFAULT = "1h";

/** @throws {CliError} when the time is over, the pool never had one, or the control API is not reached at first. */
export async function rolloutStatus(
  pool: string,
  { timeout = WAIT_DEFAULT }: StatusOptions,
  context: CommandContext,
): Promise<void> {
  const timeoutMs = parseDurationMs(timeout);
  if (timeoutMs === null) throw usageError(`--timeout ${DURATION_RULE}.`);
  const read = await untilSettled(pool, timeoutMs, context);
  const { view, raw } = read;
  const { rollout, progress } = view;
  const isWell = decideRolloutEnd(progress.verdict) === "well";
  const mark = isWell ? context.paint.good("✓") : context.paint.bad("✖");
  const title = `${rollout.id}  ${rollout.from} → ${rollout.to}  ${progress.verdict}`;
  const why = isWell ? "" : `: ${rollout.halt?.why ?? rollout.back?.why ?? "no reason is given"}`;
  context.answer({
    kind: "RolloutStatus",
    json: { verdict: progress.verdict, rollout: raw },
    text: `${mark} ${neutraliseLine(`${title}${why}`)}\n`,
    exitCode: isWell ? CLI_EXIT.ok : CLI_EXIT.unhealthy,
  });
}

async function untilSettled(pool: string, timeoutMs: number, context: CommandContext): Promise<ReadRollout> {
  const { clock, note } = context;
  const { controlUrl } = context.servers();
  const deadlineMs = clock.monotonicMs() + timeoutMs;
  let told = "";
  let last: ReadRollout | null = null;
  const tell = (key: string, line: string) => {
    if (key !== told) note(line);
    told = key;
  };
  for (;;) {
    try {
      last = await readRollout(controlUrl, pool);
      tell(changeKey(last.view), changeLine(last.view));
      if (decideRolloutEnd(last.view.progress.verdict) !== null) return last;
    } catch (error) {
      const isAway = error instanceof CliError && error.failure.exitCode === CLI_EXIT.unreachable;
      if (last === null || !isAway) throw error;
      tell(error.failure.message, `waiting: ${neutraliseLine(error.failure.message)}`);
    }
    const leftMs = deadlineMs - clock.monotonicMs();
    if (leftMs <= 0) throw timedOut(pool, { timeoutMs, last });
    await clock.sleep(Math.min(LOOK_AGAIN_MS, leftMs));
  }
}

function timedOut(
  pool: string,
  { timeoutMs, last }: { readonly timeoutMs: number; readonly last: ReadRollout | null },
): CliError {
  const state = last?.view.rollout.state ?? "not known";
  const sentence = last?.view.lastRecord?.sentence;
  return new CliError({
    exitCode: CLI_EXIT.timedOut,
    code: "WAIT_TIMEOUT",
    message: `The rollout is ${state} after ${timeoutMs / 1_000} s${sentence === undefined ? "" : `: ${sentence}`}.`,
    hint: `It goes on all the same; \`sluice rollout get ${pool}\` shows it.`,
    details: { reason: state },
  });
}
