/** The producer process: reads its environment, runs, stops on SIGTERM. */
import { EXIT, exitCodeFor } from "#shared/exit-codes";
import { createLog } from "#shared/log";
import { listenForStop } from "#shared/process-stop";
import { readConfig } from "#shared/read-config";
import { systemClock } from "#shared/system-clock";
import { producerEnv } from "./config.ts";
import { runProducer } from "./run-producer.ts";

const startLog = createLog("producer", "info");
try {
  const config = readConfig(producerEnv, process.env);
  const stop = new AbortController();
  listenForStop({
    onStop: () => stop.abort(),
    onInsist: () => process.exit(EXIT.drainIncomplete),
    onOrphaned: () => stop.abort(),
  });
  const log = createLog("producer", config.logLevel);
  await runProducer(config, { clock: systemClock, log }, stop.signal);
  process.exit(EXIT.ok);
} catch (error) {
  startLog.error({ err: error }, "producer could not run");
  process.exit(exitCodeFor(error));
}
