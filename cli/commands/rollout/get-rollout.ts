/**
 * `sluice rollout get`: every pool's newest rollout, or one of them; with `--watch` as it goes on.
 *
 * In a terminal the view is drawn over itself; elsewhere each change is a line beside the answer, with a sign of
 * life every 15 s. A watch ends when nothing of the rollout is left to do, with the last view as its answer.
 */
import { understood } from "../../answers.ts";
import { CliError, usageError } from "../../cli-error.ts";
import { CLI_EXIT } from "../../exit-codes.ts";
import { requestJson } from "../../http-client.ts";
import { neutraliseLine } from "../../terminal/neutralise.ts";
import type { CommandContext } from "../context.ts";
import { JobRates } from "./job-rates.ts";
import { type ReadRollout, readRollout } from "./read-rollout.ts";
import { type RolloutWorker, rolloutFleetAnswer, rolloutsAnswer } from "./rollout-answer.ts";
import { showRollout, showRollouts } from "./show-rollout.ts";
import type { WorkersSeen } from "./show-rollout-workers.ts";
import { displayOf } from "./watch-display.ts";

export interface GetOptions {
  readonly watch?: boolean;
}

const LOOK_AGAIN_MS = 1_000;

/** @throws {CliError} when the pool never had one, or the control API is not reached. */
export async function getRollout(
  pool: string | undefined,
  options: GetOptions,
  context: CommandContext,
): Promise<void> {
  const { controlUrl } = context.servers();
  if (options.watch === true) {
    await watchRollout(pool ?? (await onlyActive(controlUrl)), context);
    return;
  }
  if (pool === undefined) {
    const { views, raw } = await readRollouts(controlUrl);
    const json = { rollouts: (raw as { rollouts: unknown }).rollouts };
    context.answer({ kind: "Rollouts", json, text: showRollouts(views), exitCode: CLI_EXIT.ok });
    return;
  }
  const [read, workers] = await Promise.all([readRollout(controlUrl, pool), readWorkers(controlUrl)]);
  answerView(read, { workers, rates: new Map() }, context);
}

/** Until it is over; a control API that is away for a moment is waited for. */
async function watchRollout(pool: string, context: CommandContext): Promise<void> {
  const rates = new JobRates();
  const display = displayOf(pool, context);
  for (let hasBeenThere = false; ; ) {
    try {
      const look = await lookAt(pool, { context, rates });
      hasBeenThere = true;
      if (look.read.view.progress.isOver) {
        display.end();
        return answerView(look.read, look.seen, context);
      }
      display.show(look.read.view, look.seen);
    } catch (error) {
      if (!hasBeenThere || !isAway(error)) throw error;
      display.say(`waiting: ${neutraliseLine(error.failure.message)}`);
    }
    await context.clock.sleep(LOOK_AGAIN_MS);
  }
}

async function lookAt(
  pool: string,
  { context, rates }: { readonly context: CommandContext; readonly rates: JobRates },
) {
  const { controlUrl } = context.servers();
  const [read, workers] = await Promise.all([readRollout(controlUrl, pool), readWorkers(controlUrl)]);
  rates.see(workers, context.clock.monotonicMs());
  return { read, seen: { workers, rates: rates.bySecond } };
}

function isAway(error: unknown): error is CliError {
  return error instanceof CliError && error.failure.exitCode === CLI_EXIT.unreachable;
}

function answerView({ view, raw }: ReadRollout, seen: WorkersSeen, context: CommandContext): void {
  const text = `${showRollout(view, seen, context.paint).join("\n")}\n`;
  context.answer({ kind: "Rollout", json: { rollout: raw }, text, exitCode: CLI_EXIT.ok });
}

async function onlyActive(baseUrl: string): Promise<string> {
  const { views } = await readRollouts(baseUrl);
  const active = views.filter(({ progress }) => !progress.isOver).map(({ rollout }) => rollout.pool);
  const [only] = active;
  if (only !== undefined && active.length === 1) return only;
  const known = active.length === 0 ? "no rollout goes on" : `rollouts go on in ${active.join(", ")}`;
  throw usageError(`Name the pool to watch: ${known}.`);
}

async function readRollouts(baseUrl: string) {
  const raw = await requestJson({ method: "GET", baseUrl, path: "/v1/rollouts" });
  return { views: understood(rolloutsAnswer, raw, "list of rollouts").rollouts, raw };
}

async function readWorkers(baseUrl: string): Promise<readonly RolloutWorker[]> {
  const raw = await requestJson({ method: "GET", baseUrl, path: "/v1/fleet" });
  return understood(rolloutFleetAnswer, raw, "fleet").workers;
}
