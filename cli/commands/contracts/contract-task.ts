/** Has an app's own build say something about its contracts: JSON in, JSON out, in a process of its own. */
import { z } from "zod";
import { CliError } from "../../cli-error.ts";
import { CLI_EXIT } from "../../exit-codes.ts";
import type { Build } from "../../find-build.ts";
import { exitCodeOfTask, runWorkerTask, type TaskEnd } from "../../worker-task.ts";
import type { CommandContext } from "../context.ts";

/** Loading the app, and for each version that differs some seconds of search. */
const TASK_MS_MAX = 600_000;

/** Of what a build says that ended without telling why. */
const LINES_SHOWN = 20;
const LINE_CHARS_MAX = 1_000;

const taskFailure = z.object({
  code: z.string().nullable(),
  message: z.string(),
  problems: z.array(z.string()).optional(),
});

/** @throws {CliError} with the build's own words when it gives no answer. */
export async function runContractTask(
  task: "contracts-check" | "contracts-export",
  { build, input }: { readonly build: Build; readonly input: unknown },
  context: CommandContext,
): Promise<unknown> {
  const signals = context.stopSignals();
  const end = await runWorkerTask(
    {
      command: build.command,
      task,
      cwd: context.cwd,
      env: { ...context.env, SLUICE_APP: build.app },
      input: JSON.stringify(input),
      timeoutMs: TASK_MS_MAX,
    },
    { clock: context.clock, signals },
  );
  if (signals.stop.aborted) throw interrupted();
  if (end.code !== 0) throw failed(build, end);
  const answer = parsed(end.output);
  if (answer !== undefined) return answer;
  throw new CliError({
    exitCode: CLI_EXIT.unexpected,
    code: "ANSWER_UNREADABLE",
    message: `The build ${build.app} did not answer in JSON.`,
    hint: "Is it started by Sluice's worker, of the same version as this command?",
  });
}

export function interrupted(): CliError {
  return new CliError({ exitCode: CLI_EXIT.interrupted, code: "INTERRUPTED", message: "Interrupted." });
}

function failed({ app }: Build, { code, signal, complaint }: TaskEnd): CliError {
  const lines = complaint.split("\n").filter((line) => line !== "");
  const told = lines.map((line) => taskFailure.safeParse(parsed(line)).data).findLast((it) => it);
  if (told !== undefined) {
    const details = { problems: told.problems ?? [] };
    return new CliError({
      exitCode: exitCodeOfTask(code),
      code: told.code ?? "TASK_FAILED",
      message: told.message,
      details,
    });
  }
  const how = code === null ? `was ended by ${signal}` : `ended with ${code}`;
  const lastLines = lines.slice(-LINES_SHOWN).map((line) => line.slice(0, LINE_CHARS_MAX));
  const words = lastLines.length === 0 ? "" : `:\n${lastLines.join("\n")}`;
  return new CliError({
    exitCode: exitCodeOfTask(code),
    code: "TASK_FAILED",
    message: `The build ${app} ${how}${words}`,
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
