/** `main.js executor`: the process that starts workers as containers, and the only one that sees the engine's socket. */
import { EXIT } from "#shared/exit-codes";
import { createLog } from "#shared/log";
import { listenForStop } from "#shared/process-stop";
import { readConfig } from "#shared/read-config";
import { systemClock } from "#shared/system-clock";
import { executorEnv } from "./executor-config.ts";
import { runExecutor } from "./run-executor.ts";

/** Gives the process's exit code. @throws {ConfigInvalidError} */
export async function executorTask(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const config = readConfig(executorEnv, environment);
  const [stop, insist] = [new AbortController(), new AbortController()];
  listenForStop({
    onStop: () => stop.abort(),
    onInsist: () => insist.abort(),
    onOrphaned: () => stop.abort(),
  });
  const log = createLog("executor", config.logLevel);
  await runExecutor(config, {
    clock: systemClock,
    log,
    stop: stop.signal,
    insist: insist.signal,
    onReload: (read) => process.on("SIGHUP", read),
  });
  return insist.signal.aborted ? EXIT.drainIncomplete : EXIT.ok;
}
