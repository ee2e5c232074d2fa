/**
 * The worker process: `main.js` runs a worker, and each name below is a task of its own that ends by itself.
 *
 * A drain ends by its deadline and two seconds whatever happens, so the last timer here exits.
 */
import { EXIT, exitCodeFor } from "#shared/exit-codes";
import { createLog } from "#shared/log";
import { listenForStop } from "#shared/process-stop";
import { readConfig } from "#shared/read-config";
import { systemClock } from "#shared/system-clock";
import { type LastWords, lastWordsOf } from "#shared/worker-last-words";
import { publishEnv, workerEnv } from "./config.ts";
import { printContractTask } from "./contract-tasks.ts";
import { publish } from "./publish.ts";
import { runMigrate } from "./run-migrate.ts";
import { runWorker } from "./run-worker.ts";

const EXIT_AFTER_DEADLINE_MS = 1_900;
const TELL_MS_MAX = 200;

/** What `main.js <name>` does, by name; each gives the process's exit code. */
const TASKS: ReadonlyMap<string, () => Promise<number>> = new Map([
  ["publish", runPublish],
  ["contracts-check", () => printContractTask("check", process)],
  ["contracts-export", () => printContractTask("export", process)],
  ["migrate", () => runMigrate(process.env)],
]);

const startLog = createLog("worker", "info");
try {
  process.exit(await (TASKS.get(process.argv[2] ?? "") ?? run)());
} catch (error) {
  startLog.error({ err: error }, "worker could not run");
  await tell(lastWordsOf(error));
  process.exit(exitCodeFor(error));
}

/** Tells whoever has started us, if that is still there and has a channel; never waits long. */
function tell(words: LastWords): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) return resolve();
    systemClock.after(TELL_MS_MAX, resolve);
    process.send(words, undefined, undefined, () => resolve());
  });
}

async function runPublish(): Promise<number> {
  const config = readConfig(publishEnv, process.env);
  await publish(config, systemClock, createLog("worker", config.logLevel));
  return EXIT.ok;
}

async function run(): Promise<number> {
  const config = readConfig(workerEnv, process.env);
  const stop = new AbortController();
  const orphaned = new AbortController();
  listenForStop({
    onStop: () => {
      stop.abort();
      systemClock.after(config.drainDeadlineMs + EXIT_AFTER_DEADLINE_MS, () =>
        process.exit(EXIT.drainIncomplete),
      );
    },
    onInsist: () => process.exit(EXIT.drainIncomplete),
    onOrphaned: () => orphaned.abort(),
  });
  const log = createLog("worker", config.logLevel);
  return runWorker(config, { clock: systemClock, log, stop: stop.signal, orphaned: orphaned.signal });
}
