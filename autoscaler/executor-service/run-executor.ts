/**
 * Wires the process of the Docker executor: configuration, engine, executor, server; and stops them in order.
 *
 * Told to stop, it takes no command any more, drains its workers and ends when they have. Killed, it leaves them, and the
 * next one takes them over by their labels. It reads its configuration again when it is told to, so that a new release
 * needs no end of the others' workers.
 */
import { mkdirSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Clock } from "#shared/clock";
import { ConfigInvalidError } from "#shared/errors";
import type { Log } from "#shared/log";
import { readSluiceConfig } from "#shared/sluice-config";
import { untilAborted } from "#shared/until-aborted";
import { DockerEngine } from "./docker-engine.ts";
import { DockerExecutor } from "./docker-executor.ts";
import { DockerWorkers } from "./docker-workers.ts";
import type { ExecutorConfig } from "./executor-config.ts";
import { buildExecutorServer } from "./executor-server.ts";
import { ImagePins } from "./image-pins.ts";
import { Templates } from "./templates.ts";

export interface ExecutorPorts {
  readonly clock: Clock;
  readonly log: Log;
  /** Aborts when it shall stop. */
  readonly stop: AbortSignal;
  /** Aborts when it shall stop without waiting for jobs in flight. */
  readonly insist: AbortSignal;
  /** Has `read` called whenever the configuration may have changed. */
  onReload(read: () => void): void;
}

/** @throws {ConfigInvalidError} when the configuration or its directory does not allow a start. */
export async function runExecutor(config: ExecutorConfig, ports: ExecutorPorts): Promise<void> {
  const { clock, log, stop, insist } = ports;
  const readTemplates = async () =>
    new Templates(await readSluiceConfig(config.configPath), config.drainDeadlineMs);
  let templates = await readTemplates();
  const directory = directoryOf(config);
  const engine = new DockerEngine(config.socket);
  const pins = new ImagePins({ directory, engine, log, pull: config.pull });
  pins.requireSame(templates.releases.values());
  const workers = new DockerWorkers({ engine, pins, stack: config.stack, clock, log });
  const executor = new DockerExecutor({ directory, clock, log, templates: () => templates, workers });
  ports.onReload(() => {
    readTemplates()
      .then((next) => {
        pins.requireSame(next.releases.values());
        templates = next;
        log.info({ releases: [...next.releases.keys()] }, "configuration is read again");
      })
      .catch((error: unknown) => log.error({ err: error }, "configuration stays as it was"));
  });
  for (const release of templates.releases.values()) {
    await pins.idOf(release).catch((error: unknown) => {
      log.warn(
        { err: error, release: release.release },
        "release has no image yet; it is looked for at its first start",
      );
    });
  }

  const looks = new AbortController();
  const looking = executor.run(looks.signal);
  const server = buildExecutorServer({
    executor,
    log,
    token: config.token,
    isDeclared: (queue, release) => executor.isDeclared(queue, release),
    refused: (reason) => executor.refused(reason),
  });
  await server.listen({ host: config.host, port: config.port });
  log.info({ port: (server.server.address() as AddressInfo).port }, "executor is listening");
  insist.addEventListener("abort", () => void executor.killAll().catch(() => undefined), { once: true });
  await untilAborted(stop);
  log.info("executor is stopping its workers");
  await server.close();
  looks.abort();
  await looking;
  await executor.stopAll();
  log.info("executor has stopped");
}

/** One a stack: epochs of one mean nothing to another. */
function directoryOf({ dataDir, stack }: ExecutorConfig): string {
  const directory = join(dataDir, "docker-executor", stack.stack);
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    return directory;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "it failed";
    throw new ConfigInvalidError("The environment", [
      `SLUICE_DATA_DIR: files cannot be written below it (${code}); name a directory of this user's`,
    ]);
  }
}
