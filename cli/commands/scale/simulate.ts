/**
 * `sluice scale simulate`: how a pool would have met a load trace, beside other ways to scale.
 *
 * The autoscaler's own build simulates, in a process of its own; nothing that runs is asked or touched.
 */
import { writeFile } from "node:fs/promises";
import { parse, resolve } from "node:path";
import { z } from "zod";
import { CliError } from "../../cli-error.ts";
import { CLI_EXIT } from "../../exit-codes.ts";
import { exitCodeOfTask, runWorkerTask, type TaskEnd } from "../../worker-task.ts";
import type { CommandContext } from "../context.ts";
import { showSimulation } from "./show-simulation.ts";
import { type SimulateOptions, simulationOf } from "./simulate-options.ts";
import { type SimulationAnswer, simulationAnswer } from "./simulation-answer.ts";

/** Ten seeds of a day take seconds; a thousand take minutes. */
const TASK_MS_MAX = 3_600_000;

const taskFailure = z.object({ code: z.string().nullable(), message: z.string() });

/** @throws {CliError} when an option or the trace is wrong, or the plot cannot be written. */
export async function simulateScaling(options: SimulateOptions, context: CommandContext): Promise<void> {
  const answer = await runSimulation(simulationOf(options, context), context);
  const plots = options.svg === undefined ? [] : await writePlots(answer, resolve(context.cwd, options.svg));
  context.answer({
    kind: "ScalingSimulation",
    json: { pools: answer.pools.map(({ svg, ...pool }) => pool), plots },
    text: showSimulation(answer, plots),
    exitCode: CLI_EXIT.ok,
  });
}

async function runSimulation(input: object, context: CommandContext): Promise<SimulationAnswer> {
  const signals = context.stopSignals();
  const end = await runWorkerTask(
    {
      command: context.autoscalerCommand,
      task: "simulate",
      cwd: context.cwd,
      env: context.env,
      input: JSON.stringify(input),
      timeoutMs: TASK_MS_MAX,
    },
    { clock: context.clock, signals },
  );
  if (signals.stop.aborted) {
    throw new CliError({ exitCode: CLI_EXIT.interrupted, code: "INTERRUPTED", message: "Interrupted." });
  }
  if (end.code !== 0) throw failed(end);
  const answer = simulationAnswer.safeParse(parsed(end.output)).data;
  if (answer !== undefined) return answer;
  const message = "The task did not answer as this version expects it.";
  throw new CliError({ exitCode: CLI_EXIT.unexpected, code: "ANSWER_UNREADABLE", message });
}

/** @returns the files, one for each pool. */
async function writePlots({ pools }: SimulationAnswer, path: string): Promise<readonly string[]> {
  const { dir, name, ext } = parse(path);
  const files: string[] = [];
  for (const { pool, svg } of pools) {
    if (svg === null) continue;
    // A pool's name is a queue's: nothing in it can leave the directory. One that is none is not used as one.
    const suffix = /^[a-z0-9-]+$/.test(pool) ? pool : String(files.length + 1);
    const file = pools.length === 1 ? path : resolve(dir, `${name}-${suffix}${ext}`);
    await writeFile(file, svg).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      throw new CliError({ exitCode: CLI_EXIT.usage, code: "USAGE", message: `--svg: ${why}.` });
    });
    files.push(file);
  }
  return files;
}

function failed({ code, signal, complaint }: TaskEnd): CliError {
  const told = complaint
    .split("\n")
    .map((line) => taskFailure.safeParse(parsed(line)).data)
    .findLast((it) => it !== undefined);
  return new CliError({
    exitCode: exitCodeOfTask(code),
    code: told?.code ?? "TASK_FAILED",
    message: told?.message ?? `The task simulate ended with ${code ?? signal}.`,
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
