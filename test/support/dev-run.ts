/** `sluice dev` as a user runs it, with its own data directory and free ports. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { test as base } from "vitest";
import { Child } from "./child.ts";
import { freePort } from "./free-port.ts";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

export class DevRun {
  readonly directory: string;
  environment: Readonly<Record<string, string>>;
  readonly apiUrl: string;
  readonly controlUrl: string;
  readonly #children: Child[] = [];

  private constructor(directory: string, [api, control]: readonly [number, number]) {
    this.directory = directory;
    this.apiUrl = `http://127.0.0.1:${api}`;
    this.controlUrl = `http://127.0.0.1:${control}`;
    this.environment = {
      SLUICE_DATA_DIR: join(directory, "data"),
      SLUICE_API_PORT: String(api),
      SLUICE_CONTROL_PORT: String(control),
      SLUICE_CONFIG: join(ROOT, "examples/shop/sluice.config.json"),
    };
  }

  static async create(): Promise<DevRun> {
    const directory = await mkdtemp(join(tmpdir(), "sluice-dev-"));
    return new DevRun(directory, [await freePort(), await freePort()]);
  }

  /** Gives the sample app's pools other settings. Before it is started. */
  async configure(settings: Readonly<Record<string, unknown>>): Promise<void> {
    const sample = join(ROOT, "examples/shop/sluice.config.json");
    const config = JSON.parse(await readFile(sample, "utf8"));
    for (const release of config.releases) release.app = resolve(dirname(sample), release.app);
    for (const pool of Object.values<object>(config.pools)) Object.assign(pool, settings);
    const path = join(this.directory, "sluice.config.json");
    await writeFile(path, JSON.stringify(config));
    this.environment = { ...this.environment, SLUICE_CONFIG: path };
  }

  /** Starts it and waits until it says that everything runs. */
  async start(): Promise<Child> {
    const child = this.sluice("dev");
    await child.said(/Everything runs/, 30_000);
    return child;
  }

  /** Runs one `sluice` command in the run's own directory. */
  sluice(...args: readonly string[]): Child {
    const child = new Child({
      args: [process.execPath, join(ROOT, "dist/cli/main.js"), ...args],
      env: this.environment,
      cwd: this.directory,
    });
    this.#children.push(child);
    return child;
  }

  // biome-ignore lint/suspicious/noExplicitAny: a test asserts on what it expects to be there.
  async get(url: string): Promise<any> {
    const response = await fetch(url, { signal: AbortSignal.timeout(15_000) });
    return response.json();
  }

  // biome-ignore lint/suspicious/noExplicitAny: as above.
  async post(job: unknown): Promise<any> {
    const response = await fetch(`${this.apiUrl}/v1/jobs`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(job),
      signal: AbortSignal.timeout(15_000),
    });
    return response.json();
  }

  async stop(): Promise<void> {
    for (const child of this.#children) child.kill("SIGTERM");
    await Promise.all(this.#children.map((child) => child.exited));
    await rm(this.directory, { recursive: true, force: true });
  }
}

export const devTest = base.extend<{ dev: DevRun }>({
  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads the fixture's needs from the pattern.
  dev: async ({}, use) => {
    const dev = await DevRun.create();
    try {
      await use(dev);
    } finally {
      await dev.stop();
    }
  },
});
