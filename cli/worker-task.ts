/**
 * Runs one task of a worker's main (`main.js <task>`) to its end: what it is given on standard input, what it
 * printed, and how it ended.
 *
 * The task loads a team's own code, so nothing of it is trusted: output is bounded, time is bounded, and
 * whoever shows its words neutralises them. The child leads a process group of its own, so that a
 * terminal's ^C reaches this command alone, which passes it on. `SupervisedProcess` is for processes
 * that are kept running.
 */
import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import type { Clock } from "#shared/clock";
import { EXIT } from "#shared/exit-codes";
import { withoutApiKey } from "./api-key.ts";
import { CliError } from "./cli-error.ts";
import { readLines } from "./dev/read-lines.ts";
import type { StopSignals } from "./dev/stop-signals.ts";
import { CLI_EXIT } from "./exit-codes.ts";

/** A report on a large app has some hundred kilobytes. */
const OUTPUT_CHARS_MAX = 64 * 1024 * 1024;

/** The end of its standard error that is kept; a long list of problems is one line. */
const COMPLAINT_CHARS_MAX = 256 * 1024;

/** After it was asked to end it may take this long. */
const END_MS_MAX = 10_000;

/** What it printed arrives with its end; something it started may hold its output open for ever. */
const LAST_WORDS_MS_MAX = 1_000;

export interface WorkerTask {
  /** Program and arguments that come before the name of the task. */
  readonly command: readonly string[];
  readonly task: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** For its standard input; nothing when missing. */
  readonly input?: string;
  /** After this long it is asked to end; `null`: it knows its own end. */
  readonly timeoutMs: number | null;
  /** Hears every line of both outputs as it comes. */
  onLine?(line: string): void;
}

export interface TaskEnd {
  /** `null` when a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
  /** Everything that it printed on standard output. */
  readonly output: string;
  /** The end of what it printed on standard error. */
  readonly complaint: string;
}

/** @throws {CliError} when it cannot be started, says too much or takes too long. */
export async function runWorkerTask(
  task: WorkerTask,
  { clock, signals }: { readonly clock: Clock; readonly signals: StopSignals },
): Promise<TaskEnd> {
  const [program = "", ...args] = task.command;
  const child = spawn(program, [...args, task.task], {
    cwd: task.cwd,
    env: { ...withoutApiKey(task.env) },
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
  const heard = hear(child, task);
  const over = ended(child);
  const limits = endWhenAsked(child, task, { clock, signals });
  feed(child, task.input);
  const failure = await over;
  if (failure === null) await lastWords(heard.over, clock);
  limits.lift();
  // What is still open would keep this process from ending.
  child.stdout.destroy();
  child.stderr.destroy();
  if (failure !== null) throw notStarted(program, failure);
  if (limits.timedOut()) throw tookTooLong(task);
  if (heard.tooMuch()) throw saidTooMuch(task);
  return {
    code: child.exitCode,
    signal: child.signalCode,
    output: heard.output(),
    complaint: heard.complaint(),
  };
}

/** Waits for the rest of what it printed, and leaves no timer behind that would hold this process up. */
async function lastWords(over: Promise<void>, clock: Clock): Promise<void> {
  const heardAll = new AbortController();
  await Promise.race([over, clock.sleep(LAST_WORDS_MS_MAX, heardAll.signal)]);
  heardAll.abort();
}

/** By a signal, which it may answer in its own time, or because its time is up. */
function endWhenAsked(
  child: ChildProcess,
  { timeoutMs }: WorkerTask,
  { clock, signals }: { readonly clock: Clock; readonly signals: StopSignals },
) {
  const cancels: (() => void)[] = [];
  let timedOut = false;
  const end = (signal: NodeJS.Signals) => {
    child.kill(signal);
    cancels.push(clock.after(END_MS_MAX, () => child.kill("SIGKILL")));
  };
  const onStop = () => end("SIGINT");
  const onInsist = () => child.kill("SIGKILL");
  const onTimeout = () => {
    timedOut = true;
    end("SIGTERM");
  };
  signals.stop.addEventListener("abort", onStop, { once: true });
  signals.insist.addEventListener("abort", onInsist, { once: true });
  if (timeoutMs !== null) cancels.push(clock.after(timeoutMs, onTimeout));
  return {
    timedOut: () => timedOut,
    lift: () => {
      for (const cancel of cancels) cancel();
      signals.stop.removeEventListener("abort", onStop);
      signals.insist.removeEventListener("abort", onInsist);
    },
  };
}

function hear(child: ChildProcessWithoutNullStreams, task: WorkerTask) {
  const pieces: string[] = [];
  let complaint = "";
  let chars = 0;
  child.stdout.setEncoding("utf8").on("data", (piece: string) => {
    chars += piece.length;
    if (chars <= OUTPUT_CHARS_MAX) pieces.push(piece);
    else child.kill("SIGKILL");
  });
  readLines(child.stdout, (line) => task.onLine?.(line));
  child.stderr.setEncoding("utf8").on("data", (piece: string) => {
    complaint = (complaint + piece).slice(-COMPLAINT_CHARS_MAX);
  });
  readLines(child.stderr, (line) => task.onLine?.(line));
  return {
    complaint: () => complaint,
    output: () => pieces.join(""),
    tooMuch: () => chars > OUTPUT_CHARS_MAX,
    over: new Promise<void>((resolve) => child.once("close", () => resolve())),
  };
}

/** Resolves with why it could not be started, or with `null` once it has ended. */
function ended(child: ChildProcess): Promise<string | null> {
  return new Promise((resolve) => {
    child.once("error", (error) => {
      // The same event tells of a signal that could not be sent; then it still runs.
      if (child.pid === undefined) resolve(error.message);
    });
    child.once("exit", () => resolve(null));
  });
}

/** A task that ends without reading its input breaks the pipe; its end tells why. */
function feed(child: ChildProcessWithoutNullStreams, input: string | undefined): void {
  child.stdin.on("error", () => undefined);
  child.stdin.end(input ?? "");
}

function notStarted(program: string, why: string): CliError {
  return new CliError({
    exitCode: CLI_EXIT.unexpected,
    code: "TASK_NOT_STARTED",
    message: `${program} could not be started (${why}).`,
    hint: "It is the `command` of the release in SLUICE_CONFIG, else Sluice's own worker: is it built?",
  });
}

function tookTooLong({ task, timeoutMs }: WorkerTask): CliError {
  return new CliError({
    exitCode: CLI_EXIT.timedOut,
    code: "TASK_TIMEOUT",
    message: `The task ${task} did not end within ${(timeoutMs ?? 0) / 1_000} s and was stopped.`,
    hint: "Does the app's module wait for something when it is loaded?",
  });
}

function saidTooMuch({ task }: WorkerTask): CliError {
  return new CliError({
    exitCode: CLI_EXIT.unexpected,
    code: "TASK_OUTPUT_TOO_LARGE",
    message: `The task ${task} printed more than ${OUTPUT_CHARS_MAX} characters and was stopped.`,
  });
}

/** The command's exit code for the end of a worker's task that is no success. */
export function exitCodeOfTask(code: number | null): number {
  switch (code) {
    case EXIT.configInvalid:
      return CLI_EXIT.usage;
    case EXIT.refused:
    case EXIT.redisUnsafe:
      return CLI_EXIT.conflict;
    case EXIT.redisUnreachable:
      return CLI_EXIT.unreachable;
    default:
      return CLI_EXIT.unexpected;
  }
}
