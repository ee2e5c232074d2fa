/** The autoscaler process: reads its environment, runs, and on SIGTERM drains its workers and ends. */
import { setMaxListeners } from "node:events";
import { fileURLToPath } from "node:url";
import { EXIT, exitCodeFor } from "#shared/exit-codes";
import { createLog } from "#shared/log";
import { listenForStop } from "#shared/process-stop";
import { readConfig } from "#shared/read-config";
import { systemClock } from "#shared/system-clock";
import { autoscalerEnv } from "./config.ts";
import { runAutoscaler } from "./run-autoscaler.ts";

const workerMain = fileURLToPath(import.meta.url).replace(/autoscaler([/\\]main\.[jt]s)$/, "worker$1");

const startLog = createLog("autoscaler", "info");
const stop = new AbortController();
const insist = new AbortController();
// Each loop of the process listens to it: more than the ten that Node takes for a leak, and as many at its end.
setMaxListeners(0, stop.signal);
try {
  if (process.argv[2] === "simulate") {
    // Loaded for the task alone, which ends by itself.
    const { printSimulation } = await import("./simulate-task.ts");
    process.exit(await printSimulation(process));
  }
  if (process.argv[2] === "executor") {
    // A process of its own, that must not load what leads.
    const { executorTask } = await import("./executor-service/executor-task.ts");
    process.exit(await executorTask(process.env));
  }
  const config = readConfig(autoscalerEnv, process.env);
  listenForStop({
    onStop: () => stop.abort(),
    onInsist: () => insist.abort(),
    onOrphaned: () => stop.abort(),
  });
  const environment = Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
  await runAutoscaler(config, {
    clock: systemClock,
    log: createLog("autoscaler", config.logLevel),
    environment,
    defaultCommand: [process.execPath, ...process.execArgv, workerMain],
    stop: stop.signal,
    insist: insist.signal,
  });
  process.exit(insist.signal.aborted ? EXIT.drainIncomplete : EXIT.ok);
} catch (error) {
  startLog.error({ err: error }, "autoscaler could not run");
  process.exit(exitCodeFor(error));
}
