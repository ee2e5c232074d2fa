/**
 * A Docker engine of the test's own: private data, socket and state, started here and ended by its process id.
 *
 * It needs root and Debian's docker.io, and says so when it cannot start: a test that is left out proves nothing.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { openSync, readFileSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";

const START_MS_MAX = 60_000;
const STOP_MS_MAX = 30_000;

export interface EngineAnswer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: the engine's answers are looked into by tests that know them.
  readonly body: any;
}

export class Engine {
  readonly socket: string;
  readonly #process: ChildProcess;
  readonly #directory: string;

  private constructor(process: ChildProcess, directory: string) {
    this.#process = process;
    this.#directory = directory;
    this.socket = join(directory, "docker.sock");
  }

  /** @throws with the end of the daemon's log when it does not come up. */
  static async start(directory: string): Promise<Engine> {
    await mkdir(directory, { recursive: true });
    const log = openSync(join(directory, "dockerd.log"), "w");
    const child = spawn(
      "dockerd",
      [
        ...["--data-root", join(directory, "data"), "--exec-root", join(directory, "exec")],
        ...["--pidfile", join(directory, "docker.pid"), "--storage-driver", "overlay2"],
        ...["-H", `unix://${join(directory, "docker.sock")}`],
      ],
      { stdio: ["ignore", log, log], detached: true },
    );
    const engine = new Engine(child, directory);
    const failed = new Promise<never>((_resolve, reject) => child.once("error", reject));
    failed.catch(() => undefined);
    for (const until = Date.now() + START_MS_MAX; ; await Promise.race([delay(200), failed])) {
      if (
        await engine.ask("GET", "/_ping").then(
          ({ status }) => status === 200,
          () => false,
        )
      )
        return engine;
      if (child.exitCode !== null || Date.now() > until) {
        await engine.stop();
        const end = readFileSync(join(directory, "dockerd.log"), "utf8").slice(-3_000);
        throw new Error(
          `No Docker engine could be started here (it needs root, and ops/install-docker-debian.sh):\n${end}`,
        );
      }
    }
  }

  ask(method: string, path: string, body?: object | Readable): Promise<EngineAnswer> {
    const isStream = body !== undefined && "pipe" in body;
    const type = isStream ? "application/x-tar" : "application/json";
    return new Promise((resolve, reject) => {
      const headers = body === undefined ? {} : { "content-type": type };
      const sent = request({ socketPath: this.socket, method, path, headers, agent: false }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (piece) => {
          text += piece;
        });
        response.once("error", reject);
        response.once("end", () => resolve({ status: response.statusCode ?? 0, body: parsed(text) }));
      });
      sent.once("error", reject);
      if (isStream) (body as Readable).pipe(sent);
      else sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** Containers with their whole inspection. */
  // biome-ignore lint/suspicious/noExplicitAny: see above.
  async containers(label = ""): Promise<readonly any[]> {
    const filters = label === "" ? "" : `&filters=${encodeURIComponent(JSON.stringify({ label: [label] }))}`;
    const { body } = await this.ask("GET", `/containers/json?all=1${filters}`);
    const found = await Promise.all(
      (body as { Id: string }[]).map(({ Id }) => this.ask("GET", `/containers/${Id}/json`)),
    );
    return found.flatMap((it) => (it.status === 200 ? [it.body] : []));
  }

  /** Ends it and removes all that it has kept. */
  async stop(): Promise<void> {
    const { pid } = this.#process;
    if (pid !== undefined && this.#process.exitCode === null) {
      const ended = new Promise((resolve) => this.#process.once("exit", resolve));
      process.kill(pid, "SIGTERM");
      if ((await Promise.race([ended, delay(STOP_MS_MAX, "late")])) === "late") process.kill(pid, "SIGKILL");
    }
    for (const mount of mountsBelow(this.#directory)) spawnSync("umount", ["-l", mount]);
    await rm(this.#directory, { recursive: true, force: true });
  }
}

function mountsBelow(directory: string): readonly string[] {
  const mounts = readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "");
  return mounts.filter((it) => it.startsWith(`${directory}/`)).toReversed();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
