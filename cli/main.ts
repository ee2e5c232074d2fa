#!/usr/bin/env node
/** The `sluice` command: hands the process's own things to the command and exits with its code. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { systemClock } from "#shared/system-clock";
import { runDev } from "./dev/run-dev.ts";
import { listenForStopSignals } from "./dev/stop-signals.ts";
import { CLI_EXIT } from "./exit-codes.ts";
import { readStdin } from "./read-stdin.ts";
import { runCli } from "./run-cli.ts";
import { painter } from "./terminal/colour.ts";

/** The folder with the rooms: `dist/` when built. */
const builtRoot = dirname(import.meta.dirname);
const packageRoot = dirname(builtRoot);
const { version } = JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8")) as {
  version: string;
};

// A reader that has seen enough, or a terminal that is gone, is no failure of ours.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);

const interrupted = () => process.exit(CLI_EXIT.interrupted);
process.on("SIGINT", interrupted);
const takeStopSignals = () => {
  process.off("SIGINT", interrupted);
  return listenForStopSignals(process, systemClock);
};

process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  clock: systemClock,
  version,
  cwd: process.cwd(),
  workerCommand: [process.execPath, join(builtRoot, "worker", "main.js")],
  producerCommand: [process.execPath, join(builtRoot, "producer", "main.js")],
  autoscalerCommand: [process.execPath, join(builtRoot, "autoscaler", "main.js")],
  readStdin: () => readStdin(process.stdin),
  stopSignals: takeStopSignals,
  dev: ({ json, colour }) =>
    runDev({
      env: process.env,
      output: json ? process.stderr : process.stdout,
      jsonOutput: json ? process.stdout : null,
      paint: painter(colour),
      clock: systemClock,
      signals: takeStopSignals(),
      version,
      packageRoot,
      builtRoot,
    }),
});
