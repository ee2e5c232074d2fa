/**
 * The processes of `sluice dev`: started in the order in which they need each other, stopped in the
 * reverse order. Stopping works from any state of the start.
 */

import { chmodSync, mkdirSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "#shared/clock";
import type { SluiceConfig } from "#shared/sluice-config";
import { untilAborted } from "#shared/until-aborted";
import { withoutApiKey } from "../api-key.ts";
import { usageError } from "../cli-error.ts";
import { baseUrlOf, withoutPassword } from "./banner.ts";
import { choosePorts, type Ports } from "./choose-ports.ts";
import type { DevConfig } from "./config.ts";
import { type DataLock, takeDataLock } from "./data-lock.ts";
import { forgetDevNote, writeDevNote } from "./dev-note.ts";
import { findRedisServer } from "./find-redis-server.ts";
import { isPortFree } from "./is-port-free.ts";
import { OwnRedis, type RedisStart } from "./own-redis.ts";
import { publishRelease } from "./publish-release.ts";
import type { Screen } from "./screen.ts";
import { SluiceProcess } from "./sluice-process.ts";
import { makePrivateDirectory, type SocketDirectory, socketDirectoryFor } from "./socket-directory.ts";
import {
  AUTOSCALER_HURRIED_STOP,
  autoscalerStop,
  longestDrainMs,
  PRODUCER_HURRIED_STOP,
  PRODUCER_STOP,
} from "./stop-plan.ts";

export interface DevStackOptions {
  readonly config: DevConfig;
  readonly sluice: SluiceConfig;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where the built rooms are: `dist/`. */
  readonly builtRoot: string;
  readonly screen: Screen;
  readonly clock: Clock;
}

export interface RunningStack {
  readonly ports: Ports;
  readonly apiUrl: string;
  readonly controlUrl: string;
  readonly redisUrl: string;
}

const REDIS_SOCKET = "redis.sock";

export class DevStack {
  readonly #options: DevStackOptions;
  #sockets: SocketDirectory | null = null;
  #lock: DataLock | null = null;
  #redis: OwnRedis | null = null;
  #producer: SluiceProcess | null = null;
  #autoscaler: SluiceProcess | null = null;

  constructor(options: DevStackOptions) {
    this.#options = options;
  }

  /** Resolves once everything is ready; with `null` when `stop` aborted before. @throws {CliError} */
  async start(stop: AbortSignal): Promise<RunningStack | null> {
    const { config } = this.#options;
    if (config.redisUrl === null) await this.#takeDataDir();
    const ports = await choosePorts({ api: config.apiPort, control: config.controlPort }, (port) =>
      isPortFree(config.host, port),
    );
    const redisUrl = config.redisUrl ?? (await this.#startRedis(stop));
    if (config.redisUrl !== null) this.#options.screen.line(`· Redis       ${withoutPassword(redisUrl)}`);
    const env = this.#childEnv(ports, redisUrl);
    if (!stop.aborted) await this.#publish(env, stop);
    if (!stop.aborted) await this.#startServers(ports, env, stop);
    if (stop.aborted) return null;
    if (config.redisUrl === null)
      writeDevNote(config.dataDir, { redisUrl, configPath: this.#options.sluice.path });
    const { host } = config;
    return {
      ports,
      redisUrl,
      apiUrl: baseUrlOf(host, ports.api),
      controlUrl: baseUrlOf(host, ports.control),
    };
  }

  /** Resolves once nothing is left; drains, unless `insist` aborts or has. */
  async stop(insist: AbortSignal): Promise<void> {
    const inOrder = this.#stopInOrder(insist);
    await Promise.race([inOrder, untilAborted(insist)]);
    if (insist.aborted) {
      await Promise.all([
        this.#producer?.stop(PRODUCER_HURRIED_STOP),
        this.#autoscaler?.stop(AUTOSCALER_HURRIED_STOP),
      ]);
      await this.#redis?.stop(insist);
    }
    await inOrder;
    this.#leaveDataDir();
  }

  async #stopInOrder(insist: AbortSignal): Promise<void> {
    const { config, sluice } = this.#options;
    await this.#producer?.stop(PRODUCER_STOP);
    await this.#autoscaler?.stop(autoscalerStop(longestDrainMs(sluice, config.drainDeadlineMs)));
    await this.#redis?.stop(insist);
  }

  async #takeDataDir(): Promise<void> {
    const { config, clock } = this.#options;
    const { dataDir } = config;
    this.#sockets = socketDirectoryFor(dataDir, tmpdir());
    try {
      mkdirSync(join(dataDir, "redis"), { recursive: true, mode: 0o700 });
      chmodSync(join(dataDir, "redis"), 0o700);
    } catch (error) {
      const why = error instanceof Error && "code" in error ? String(error.code) : String(error);
      throw usageError(`The data directory ${dataDir} cannot be used (${why}).`, "See SLUICE_DATA_DIR.");
    }
    if (this.#sockets.elsewhere) makePrivateDirectory(this.#sockets.path, process.getuid?.() ?? null);
    this.#lock = await takeDataLock(this.#sockets.path, dataDir, clock);
  }

  #leaveDataDir(): void {
    if (this.#lock === null || this.#sockets === null) return;
    // A server that had to be killed leaves its socket.
    rmSync(join(this.#sockets.path, REDIS_SOCKET), { force: true });
    forgetDevNote(this.#options.config.dataDir);
    this.#lock.release();
    if (this.#sockets.elsewhere) rmdirSync(this.#sockets.path);
  }

  /** The URL of the own Redis. */
  async #startRedis(stop: AbortSignal): Promise<string> {
    const { config, env, screen, clock } = this.#options;
    const socketPath = join(this.#sockets?.path ?? config.dataDir, REDIS_SOCKET);
    const start = async (): Promise<RedisStart> => {
      this.#redis = new OwnRedis({
        program: findRedisServer(env.PATH ?? "").path,
        socketPath,
        dataDir: config.dataDir,
        maxmemory: config.redisMaxmemory,
        env,
        clock,
        onTrouble: (sentence) => screen.event("redis", sentence, "bad"),
      });
      return this.#redis.start(stop);
    };
    await screen.step("Redis", start, ({ adopted, pid, version }) => {
      if (stop.aborted) return null;
      const origin = adopted ? `left running by an earlier start, taken over (pid ${pid})` : `pid ${pid}`;
      return `${version}, ${origin}`;
    });
    return `unix://${socketPath}`;
  }

  #childEnv(ports: Ports, redisUrl: string) {
    const { config, sluice, env } = this.#options;
    return {
      ...withoutApiKey(env),
      SLUICE_REDIS_URL: redisUrl,
      SLUICE_HOST: config.host,
      SLUICE_AUTH: config.auth,
      SLUICE_API_PORT: String(ports.api),
      SLUICE_CONTROL_PORT: String(ports.control),
      SLUICE_CONFIG: sluice.path,
      SLUICE_DATA_DIR: config.dataDir,
      SLUICE_DRAIN_DEADLINE_MS: String(config.drainDeadlineMs),
      SLUICE_LOG_LEVEL: config.logLevel,
    };
  }

  async #publish(env: Readonly<Record<string, string | undefined>>, stop: AbortSignal): Promise<void> {
    const { sluice, screen, clock, builtRoot } = this.#options;
    const defaultCommand = [process.execPath, join(builtRoot, "worker", "main.js")];
    // In order: a later release may be checked against an earlier one.
    for (const release of sluice.releases) {
      if (stop.aborted) return;
      await screen.step(
        "Release",
        () => publishRelease(release, { defaultCommand, env, clock, stop }),
        () => (stop.aborted ? null : `${release.id} is published`),
      );
    }
  }

  async #startServers(
    ports: Ports,
    env: Readonly<Record<string, string | undefined>>,
    stop: AbortSignal,
  ): Promise<void> {
    const { config, screen, clock, builtRoot } = this.#options;
    const processOf = (name: string, port: number) =>
      new SluiceProcess({
        name,
        main: join(builtRoot, name, "main.js"),
        env,
        baseUrl: baseUrlOf(config.host, port),
        screen,
        clock,
      });
    const producer = processOf("producer", ports.api);
    const autoscaler = processOf("autoscaler", ports.control);
    this.#producer = producer;
    this.#autoscaler = autoscaler;
    producer.start();
    autoscaler.start();
    const told = (wanted: number, port: number) => () => {
      if (stop.aborted) return null;
      const url = baseUrlOf(config.host, port);
      return port === wanted ? url : `${url} (port ${wanted} is taken)`;
    };
    await screen.step("API", () => producer.untilReady(stop), told(config.apiPort.port, ports.api));
    await screen.step(
      "Autoscaler",
      () => autoscaler.untilReady(stop),
      told(config.controlPort.port, ports.control),
    );
  }
}
