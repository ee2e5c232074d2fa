/**
 * The producer process: `main.js` reads its environment, runs and stops on SIGTERM; each name below is a
 * task of its own that ends by itself.
 */
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

const startLog = createLog("producer", "info");
try {
  process.exit(await (TASKS.get(process.argv[2] ?? "") ?? run)());
} catch (error) {
  startLog.error({ err: error }, "producer could not run");
  process.exit(exitCodeFor(error));
}

async function run(): Promise<number> {
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
