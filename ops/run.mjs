/** Running other programs for ops/: find one, run one, tell how long it takes. */
import { spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Something the user has to mend. The message is shown as it is, without a stack. */
export class SetupProblem extends Error {}

/** A program that prints more than this is cut at the front; what went wrong is told at the end. */
const OUTPUT_CHARS_MAX = 200_000;

/** A step that lasts longer says so this often, so that nobody takes it for hung. */
const STILL_AT_IT_MS = 15_000;

const children = new Set();
/** The exit code of the signal that told this process to stop, or `null`. */
let stoppedWith = null;

/** Where PATH has the program, or `null`. */
export function findOnPath(name) {
  for (const directory of (process.env.PATH ?? "").split(delimiter)) {
    const path = join(directory, name);
    if (directory !== "" && isProgram(path)) return path;
  }
  return null;
}

/**
 * Runs a program to its end, with no standard input; `options` may hold `cwd`. Never rejects: a program
 * that cannot be started counts as one that ended with 127, as in a shell.
 *
 * `stdout` is all of it; `output` is the end of both streams as they came.
 */
export function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let output = "";
    const end = (exitCode) => {
      children.delete(child);
      if (stoppedWith !== null && children.size === 0) process.exit(stoppedWith);
      resolve({ exitCode, stdout, output });
    };
    const collect = (text) => {
      output = (output + text).slice(-OUTPUT_CHARS_MAX);
    };
    children.add(child);
    child.stderr.setEncoding("utf8").on("data", collect);
    child.stdout
      .setEncoding("utf8")
      .on("data", collect)
      .on("data", (text) => {
        stdout += text;
      });
    child.once("error", (error) => {
      collect(error.message);
      end(127);
    });
    child.once("close", (code) => end(code ?? 1));
  });
}

/**
 * Says what is being done, does it, and says how long it took. A result with an `exitCode` but 0 is a
 * failure.
 */
export async function step(title, act) {
  const startedAtMs = performance.now();
  const elapsed = () => `${((performance.now() - startedAtMs) / 1000).toFixed(1)} s`;
  console.log(`${title}…`);
  const reminder = setInterval(() => console.log(`  still at it after ${elapsed()}`), STILL_AT_IT_MS);
  try {
    const result = await act();
    console.log(result?.exitCode ? `  failed after ${elapsed()}` : `  done in ${elapsed()}`);
    return result;
  } catch (error) {
    console.log(`  failed after ${elapsed()}`);
    throw error;
  } finally {
    clearInterval(reminder);
  }
}

/** Runs a script of ops/ to its end, and turns what it throws into a message and an exit code. */
export async function runMain(main) {
  process.on("SIGINT", (signal) => stop(signal, 130));
  process.on("SIGTERM", (signal) => stop(signal, 143));
  process.on("SIGHUP", (signal) => stop(signal, 129));
  try {
    await main();
  } catch (error) {
    console.error(error instanceof SetupProblem ? `\n${error.message}` : error);
    process.exitCode = 1;
  }
}

/**
 * Passes a signal on to the programs that run, and leaves when they have ended: whoever left earlier would
 * give up the setup lock while npm still writes. Further signals change nothing, since one Ctrl-C brings
 * several: from the terminal and from npm.
 */
function stop(signal, exitCode) {
  if (stoppedWith !== null) return;
  stoppedWith = exitCode;
  if (children.size === 0) process.exit(exitCode);
  console.log("Stopping…");
  for (const child of children) child.kill(signal);
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
