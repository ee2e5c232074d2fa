/** The compose stack of a test: its own names and secrets, and how to ask it. */
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Engine } from "./engine.ts";

export const ROOT = join(import.meta.dirname, "../..");
export const PROJECT = "sluice-compose-test";
export const STACK = "compose-test";

/** What docs/guides/compose.md says is published, on loopback only. */
export const PORTS = { producers: [7700, 7702], autoscalers: [7701, 7703] };

const OUTPUT_CHARS_MAX = 100_000;

/** `v1` and `v2` are images of the same app: one with a version of its contract more. */
export const RELEASES = {
  "probe-1": { image: "probe:1", app: "/app/app/v1.mjs" },
  "probe-2": { image: "probe:2", app: "/app/app/v2.mjs" },
} as const;

export type Release = keyof typeof RELEASES;

export class ComposeStack {
  readonly engine: Engine;
  readonly secrets: string;
  readonly #config: string;
  readonly #environment: Record<string, string>;

  constructor(engine: Engine, directory: string, socketGroup: number) {
    this.engine = engine;
    this.secrets = join(directory, "secrets");
    this.#config = join(directory, "config");
    mkdirSync(this.#config, { recursive: true });
    this.#environment = {
      DOCKER_HOST: `unix://${engine.socket}`,
      COMPOSE_PROJECT_NAME: PROJECT,
      // The command of another Docker may be on PATH: compose asks the engine itself.
      COMPOSE_DOCKER_CLI_BUILD: "0",
      DOCKER_BUILDKIT: "0",
      SLUICE_STACK: STACK,
      SLUICE_DOCKER_SOCKET: engine.socket,
      SLUICE_DOCKER_GROUP: String(socketGroup),
      SLUICE_SECRETS_DIR: this.secrets,
      SLUICE_CONFIG_DIR: this.#config,
      SLUICE_IMAGE_PULL: "never",
      ...publishing("probe-1"),
    };
  }

  /** Writes the configuration, with these releases in it. */
  configure(releases: readonly Release[]): void {
    const container = { memoryMb: 256, cpus: 0.5, pids: 128 };
    const pool = { executor: "docker", slotsPerWorker: 8, workersMin: 1, workersMax: 4 };
    const config = {
      queues: { probe: { pickupPromiseMs: 5_000 } },
      pools: { probe: { ...pool, scaleInHoldMs: 5_000, drainDeadlineMs: 20_000, container } },
      releases: releases.map((id) => ({ id, ...RELEASES[id] })),
    };
    writeFileSync(join(this.#config, "sluice.config.json"), JSON.stringify(config));
  }

  /** Runs docker-compose to its end. @throws with the end of its output when it fails. */
  compose(args: readonly string[], changes: Readonly<Record<string, string>> = {}): Promise<string> {
    return run("docker-compose", args, { ...this.#environment, ...changes });
  }

  publish(release: Release): Promise<string> {
    return this.compose(["run", "--rm", "-T", "publish"], publishing(release));
  }

  get key(): string {
    return readFileSync(join(this.secrets, "operator-key"), "utf8").trim();
  }

  // biome-ignore lint/suspicious/noExplicitAny: tests look into the answers that they know.
  async ask(port: number, path: string, body?: unknown): Promise<{ status: number; body: any }> {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { authorization: `Bearer ${this.key}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(10_000),
    });
    return { status: response.status, body: await response.json().catch(() => null) };
  }

  async health(port: number): Promise<number> {
    return this.ask(port, "/readyz").then(
      ({ status }) => status,
      () => 0,
    );
  }

  /** Running worker containers. */
  // biome-ignore lint/suspicious/noExplicitAny: the engine's inspection.
  async workers(): Promise<readonly any[]> {
    const found = await this.engine.containers(`sluice.stack=${STACK}`);
    return found.filter((it) => it.State.Running);
  }

  /** Container of a service, running or not. */
  // biome-ignore lint/suspicious/noExplicitAny: the engine's inspection.
  async service(name: string): Promise<any> {
    const [found] = await this.engine.containers(`com.docker.compose.service=${name}`);
    if (found === undefined) throw new Error(`${name} has no container`);
    return found;
  }

  async signal(containerId: string, name: string): Promise<void> {
    await this.engine.ask("POST", `/containers/${containerId}/kill?signal=${name}`);
  }
}

function publishing(release: Release): Record<string, string> {
  const { image, app } = RELEASES[release];
  return { SLUICE_RELEASE: release, SLUICE_APP_IMAGE: image, SLUICE_APP: app };
}

export function run(
  command: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...environment };
    const child = spawn(command, args, { cwd: ROOT, env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (piece) => {
        output = (output + piece).slice(-OUTPUT_CHARS_MAX);
      });
    }
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(`${command} ${args.join(" ")} ended with ${code}:\n${output.slice(-4_000)}`));
    });
  });
}
