/**
 * The worker process: `main.js` runs a worker, `main.js publish` enters its release in the registry.
 *
 * A drain ends by its deadline and two seconds whatever happens, so the last timer here exits.
 */
import { EXIT, exitCodeFor } from "#shared/exit-codes";
import { createLog } from "#shared/log";
import { listenForStop } from "#shared/process-stop";
import { readConfig } from "#shared/read-config";
import { systemClock } from "#shared/system-clock";
import { publishEnv, workerEnv } from "./config.ts";
import { publish } from "./publish.ts";
import { runWorker } from "./run-worker.ts";

const EXIT_AFTER_DEADLINE_MS = 1_900;

const startLog = createLog("worker", "info");
try {
  process.exit(process.argv[2] === "publish" ? await runPublish() : await run());
} catch (error) {
  startLog.error({ err: error }, "worker could not run");
  process.exit(exitCodeFor(error));
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
