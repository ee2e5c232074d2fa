/**
 * The producer process: `main.js` reads its environment, runs and stops on SIGTERM; each name below is a
 * task of its own that ends by itself.
 */
import { setFlagsFromString } from "node:v8";
import { EXIT, exitCodeFor } from "#shared/exit-codes";
import { createLog } from "#shared/log";
import { listenForStop } from "#shared/process-stop";
import { readConfig } from "#shared/read-config";
import { systemClock } from "#shared/system-clock";
import { producerEnv } from "./config.ts";
import { runKeysTask } from "./keys-task.ts";
import { runProducer } from "./run-producer.ts";

/** What `main.js <name>` does, by name; each gives the process's exit code. */
const TASKS: ReadonlyMap<string, () => Promise<number>> = new Map([
  ["keys", () => runKeysTask(process, systemClock)],
]);

/**
 * How V8 serves a process that is all short requests (`docs/decisions/0016` has the measurements).
 *
 * Under a stall many requests outlive a collection at once, and V8 then takes what requests are made of for long-lived:
 * from then on each leaves some kilobytes that only a full collection frees, and those hold up everybody. And it compiles a
 * function when it has run for long: with an eighth of that, the first flood after a start meets compiled code sooner. And its
 * collections of what is young are small: helpers for them cost more than they save where cores are busy.
 */
const V8_FLAGS = ["--no-allocation-site-pretenuring", "--interrupt-budget=16000", "--no-parallel-scavenge"];

const startLog = createLog("producer", "info");
try {
  process.exit(await (TASKS.get(process.argv[2] ?? "") ?? run)());
} catch (error) {
  startLog.error({ err: error }, "producer could not run");
  process.exit(exitCodeFor(error));
}

async function run(): Promise<number> {
  for (const flag of V8_FLAGS) setFlagsFromString(flag);
  const config = readConfig(producerEnv, process.env);
  const stop = new AbortController();
  listenForStop({
    onStop: () => stop.abort(),
    onInsist: () => process.exit(EXIT.drainIncomplete),
    onOrphaned: () => stop.abort(),
  });
  const log = createLog("producer", config.logLevel);
  await runProducer(config, { clock: systemClock, log }, stop.signal);
  return EXIT.ok;
}
