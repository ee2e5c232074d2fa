/**
 * The worker's two tasks for a team's pipeline: judge the app's contracts against documents, and write
 * those documents. JSON comes in on standard input and goes out on standard output, nothing else does.
 *
 * They run where the app's code is loaded, need no Redis and take no job. What they use to generate data
 * is loaded here only when one of them runs: a worker that runs jobs never has it in memory.
 */
import { z } from "zod";
import type { CheckReport } from "#shared/contracts/check-report";
import { contractDocuments } from "#shared/contracts/contract-document";
import { SluiceError } from "#shared/errors";
import { EXIT, exitCodeFor } from "#shared/exit-codes";
import { readConfig } from "#shared/read-config";
import { readTaskInput } from "#shared/read-task-input";
import type { AppExport } from "./contract-export.ts";
import { importApp } from "./load-app.ts";

/** The parts of the process that a task uses. */
export interface TaskProcess {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: AsyncIterable<Uint8Array | string>;
  readonly stdout: Pick<NodeJS.WriteStream, "write">;
  readonly stderr: Pick<NodeJS.WriteStream, "write">;
}

const INPUT_BYTES_MAX = 64 * 1024 * 1024;

const checkInput = z.object({ against: contractDocuments });
const exportInput = z.object({ existing: contractDocuments });

/**
 * Runs a task and gives the exit code: `ok` whenever a report could be made, whatever it says. Otherwise
 * one line of JSON on standard error says why: `{ code, message, problems }`.
 */
export async function printContractTask(name: "check" | "export", task: TaskProcess): Promise<number> {
  const print = keepOutputClean(task);
  try {
    const answer = name === "check" ? await check(task) : await exportDocuments(task);
    await print(`${JSON.stringify(answer)}\n`);
    return EXIT.ok;
  } catch (error) {
    task.stderr.write(`${JSON.stringify(failureOf(error))}\n`);
    return exitCodeFor(error);
  }
}

async function check(task: TaskProcess): Promise<CheckReport> {
  const { path, release } = readConfig(contractTaskEnv, task.env);
  const { against } = await readTaskInput(task.stdin, {
    name: "The input",
    schema: checkInput,
    bytesMax: INPUT_BYTES_MAX,
  });
  const { checkApp } = await import("./contract-check.ts");
  return checkApp(await importApp(path, release), against);
}

async function exportDocuments(task: TaskProcess): Promise<AppExport> {
  const { path, release } = readConfig(contractTaskEnv, task.env);
  const { existing } = await readTaskInput(task.stdin, {
    name: "The input",
    schema: exportInput,
    bytesMax: INPUT_BYTES_MAX,
  });
  const { exportApp } = await import("./contract-export.ts");
  return exportApp(await importApp(path, release), existing);
}

const contractTaskEnv = z
  .object({ SLUICE_APP: z.string("is required: path of the module that exports `app`").min(1) })
  .transform((env) => ({ path: env.SLUICE_APP, release: "local" }));

/** What an app prints while it is loaded must not end up in the answer: it goes to standard error. */
function keepOutputClean({ stdout, stderr }: TaskProcess): (text: string) => Promise<void> {
  const write = stdout.write.bind(stdout);
  stdout.write = stderr.write.bind(stderr);
  return (text) =>
    new Promise((resolve, reject) => {
      write(text, (error) => (error ? reject(error) : resolve()));
    });
}

function failureOf(error: unknown): object {
  const problems = error instanceof Error && "problems" in error ? error.problems : [];
  const message = error instanceof Error ? error.message : String(error);
  return { code: error instanceof SluiceError ? error.code : null, message, problems };
}
