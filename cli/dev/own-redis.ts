/**
 * A Redis of our own on a Unix socket, which puts every job on disk before it says that it has it.
 *
 * One that a killed supervisor left behind is taken over: a second server on the same files would ruin
 * them. It is watched by an open connection, and followed by a server of ours when it ends.
 */
import { join } from "node:path";
import type { Clock } from "#shared/clock";
import { CliError } from "../cli-error.ts";
import { CLI_EXIT } from "../exit-codes.ts";
import { ChildVoice } from "./child-voice.ts";
import { redisCondition, redisIdentity, shutDownRedis, watchRedis } from "./redis-link.ts";
import { type ProcessEnd, SupervisedProcess, showEnd } from "./supervised-process.ts";

/** Reading its files may take this long. */
const READY_MS_MAX = 30_000;
const LOOK_AGAIN_MS = 50;

/** On SIGTERM it writes what it holds and ends. */
const STOP_MS_MAX = 10_000;
const HURRIED_STOP_MS_MAX = 2_000;

export interface OwnRedisOptions {
  readonly program: string;
  readonly socketPath: string;
  readonly dataDir: string;
  readonly maxmemory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** It ended by itself; a sentence. */
  onTrouble(sentence: string): void;
}

export interface RedisStart {
  readonly adopted: boolean;
  readonly pid: number | null;
  readonly version: string;
}

export class OwnRedis {
  readonly #options: OwnRedisOptions;
  readonly #voice: ChildVoice;
  readonly #server: SupervisedProcess;
  #endWatch: (() => void) | null = null;

  constructor(options: OwnRedisOptions) {
    this.#options = options;
    // Its everyday lines are of no interest; they are kept for the day it ends.
    this.#voice = new ChildVoice("redis", options.clock, () => undefined);
    this.#server = new SupervisedProcess(
      {
        name: "redis",
        command: options.program,
        args: argumentsOf(options),
        env: options.env,
        ipc: false,
      },
      {
        clock: options.clock,
        onLine: (line) => this.#voice.hear(line),
        onRestart: (end, delayMs) => this.#onRestart(end, delayMs),
      },
    );
  }

  /** Resolves once it answers. @throws {CliError} when it does not, or ends instead. */
  async start(stop: AbortSignal): Promise<RedisStart> {
    const { socketPath } = this.#options;
    const condition = await redisCondition(socketPath);
    const adopted = condition.kind === "ready" || condition.kind === "loading";
    if (condition.kind === "odd") throw notOurs(socketPath, condition.answer);
    if (!adopted) this.#server.start();
    await this.#untilReady(stop);
    if (adopted) this.#watchAdopted();
    else this.#server.keepAlive();
    return { adopted, ...(await redisIdentity(socketPath)) };
  }

  /** Resolves once no server is left; safe twice and before the start. */
  async stop(insist: AbortSignal): Promise<void> {
    const { clock, socketPath } = this.#options;
    const killAfterMs = insist.aborted ? HURRIED_STOP_MS_MAX : STOP_MS_MAX;
    if (this.#endWatch === null) {
      await this.#server.stop({ signals: ["SIGTERM"], killAfterMs });
      return;
    }
    this.#endWatch();
    this.#endWatch = null;
    await shutDownRedis(socketPath);
    const deadlineMs = clock.monotonicMs() + killAfterMs;
    while ((await redisCondition(socketPath)).kind !== "absent" && clock.monotonicMs() < deadlineMs) {
      await clock.sleep(LOOK_AGAIN_MS);
    }
  }

  async #untilReady(stop: AbortSignal): Promise<void> {
    const { clock, socketPath } = this.#options;
    const deadlineMs = clock.monotonicMs() + READY_MS_MAX;
    for (;;) {
      const condition = await redisCondition(socketPath);
      if (condition.kind === "ready" || stop.aborted) return;
      const end = this.#server.finalEnd;
      if (end !== null) throw this.#failed(`Redis ${showEnd(end)}`);
      if (clock.monotonicMs() > deadlineMs) {
        const doing = condition.kind === "loading" ? "it still reads its files" : "it does not answer";
        throw this.#failed(`Redis is not ready after ${READY_MS_MAX / 1_000} s: ${doing}`);
      }
      await clock.sleep(LOOK_AGAIN_MS, stop);
    }
  }

  #watchAdopted(): void {
    this.#endWatch = watchRedis(this.#options.socketPath, () => {
      this.#endWatch = null;
      this.#options.onTrouble("the server that was taken over has ended; starting one");
      this.#server.keepAlive();
      this.#server.start();
    });
  }

  #onRestart(end: ProcessEnd, delayMs: number): void {
    // Killed, it had no last words.
    const last = end.signal === null ? this.#voice.lastWords?.split("\n").at(-1) : undefined;
    const why = last === undefined ? "" : ` (${last})`;
    this.#options.onTrouble(`${showEnd(end)}${why}; starting it again in ${delayMs / 1_000} s`);
  }

  #failed(what: string): CliError {
    return new CliError({
      exitCode: CLI_EXIT.unexpected,
      code: "REDIS_NOT_STARTED",
      message: `${what}.\n${this.#voice.lastWords ?? ""}`.trim(),
      hint: `Its files are in ${join(this.#options.dataDir, "redis")}.`,
    });
  }
}

function argumentsOf({ socketPath, dataDir, maxmemory }: OwnRedisOptions): string[] {
  const settings = {
    port: "0",
    unixsocket: socketPath,
    unixsocketperm: "700",
    dir: join(dataDir, "redis"),
    appendonly: "yes",
    appendfsync: "always",
    "no-appendfsync-on-rewrite": "no",
    maxmemory,
    "maxmemory-policy": "noeviction",
    save: "",
  };
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
}

function notOurs(socketPath: string, answer: string): CliError {
  return new CliError({
    exitCode: CLI_EXIT.conflict,
    code: "REDIS_ODD",
    message: `Something else listens on ${socketPath}, or a Redis that hangs (it answered "${answer}").`,
    hint: "End that process, or set SLUICE_DATA_DIR to another directory.",
  });
}
