/**
 * A platform of a demo's own: Redis, API, autoscaler and workers of `examples/demo`, on free ports of loopback and in a
 * directory that goes with it. It never touches a platform that runs already.
 */
import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Clock } from "#shared/clock";
import { readConfig } from "#shared/read-config";
import { readSluiceConfig } from "#shared/sluice-config";
import { withoutApiKey } from "../api-key.ts";
import { enterRelease } from "../commands/release/config-release.ts";
import { devEnv } from "../dev/config.ts";
import { DevStack } from "../dev/dev-stack.ts";
import { publishRelease } from "../dev/publish-release.ts";
import { Screen } from "../dev/screen.ts";
import type { StopSignals } from "../dev/stop-signals.ts";
import type { Painter } from "../terminal/colour.ts";
import { DEMO_QUEUE } from "./hand-in.ts";

/** A platform that a demo can hand jobs to. */
export interface DemoPlatform {
  readonly apiUrl: string;
  readonly controlUrl: string;
  /** Where the handlers write what they run. */
  readonly ledgerDir: string;
  stop(): Promise<void>;
}

export type DemoRelease =
  | "demo-v1"
  | "demo-v2"
  | "demo-v3"
  | "demo-v2-bad"
  | "demo-v2-slow"
  | "demo-v2-supercritical"
  | "demo-v2-one-bad-worker";

export interface OwnPlatformOptions {
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signals: StopSignals;
  readonly paint: Painter;
  /** Program and arguments that start Sluice's own worker, out of its built rooms. */
  readonly workerCommand: readonly string[];
  note(line: string): void;
  /** Of the demo's pool, beside or instead of {@link DEMO_POOL}. */
  readonly pool?: Readonly<Record<string, unknown>>;
  /** For its processes. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Small enough for two processors, and short enough for an audience. */
const DEMO_POOL = {
  slotsPerWorker: 5,
  workersMin: 1,
  workersMax: 4,
  scaleInHoldMs: 10_000,
  drainDeadlineMs: 10_000,
};

/**
 * As {@link DEMO_POOL}, for a pool that is taken over while somebody looks on: the fleet's size is left alone, and soaks
 * last seconds, so a release counts as good that fails less than six in a hundred.
 */
export const ROLLOUT_POOL = {
  ...DEMO_POOL,
  slotsPerWorker: 10,
  workersMin: 4,
  takeover: "rollout",
  rollout: {
    steps: [0.25, 0.5, 1],
    soakMs: 5_000,
    emissionSoakMs: 4_000,
    extensionsMax: 6,
    failureFloor: 0.02,
    drainDeadlineMs: 10_000,
    handBackGraceMs: 10_000,
    drainHoldMs: 1_000,
    rollbackWindowMs: 6_000,
  },
};

const PORT_FROM = 20_000;
const PORT_TO = 32_000;

interface ReleaseEntry {
  readonly id: string;
  readonly app: string;
}

export class OwnPlatform implements DemoPlatform {
  readonly directory: string;
  readonly #options: OwnPlatformOptions;
  readonly #builtRoot: string;
  #stack: DevStack | null = null;
  #apiUrl = "";
  #controlUrl = "";
  #redisUrl = "";

  private constructor(options: OwnPlatformOptions) {
    this.#options = options;
    this.directory = mkdtempSync(join(tmpdir(), "sluice-demo-"));
    this.#builtRoot = dirname(dirname(options.workerCommand.at(-1) ?? ""));
  }

  /** Resolves once it runs these releases; `null` when it was told to stop before. @throws {CliError} */
  static async start(
    releases: readonly DemoRelease[],
    options: OwnPlatformOptions,
  ): Promise<OwnPlatform | null> {
    const platform = new OwnPlatform(options);
    try {
      if (await platform.#start(releases)) return platform;
    } catch (error) {
      await platform.stop();
      throw error;
    }
    await platform.stop();
    return null;
  }

  get apiUrl(): string {
    return this.#apiUrl;
  }

  get controlUrl(): string {
    return this.#controlUrl;
  }

  get redisUrl(): string {
    return this.#redisUrl;
  }

  get ledgerDir(): string {
    return join(this.directory, "ledger");
  }

  get configPath(): string {
    return join(this.directory, "sluice.config.json");
  }

  /** Adds a release to the configuration and publishes it. @throws {CliError} when it is not published. */
  async addRelease(id: DemoRelease): Promise<void> {
    const release = { ...this.#entryOf(id), command: null };
    enterRelease(this.configPath, { ...release, image: null });
    await publishRelease(release, {
      defaultCommand: this.#options.workerCommand,
      env: this.#childEnv(),
      clock: this.#options.clock,
      stop: this.#options.signals.stop,
    });
  }

  async stop(): Promise<void> {
    await this.#stack?.stop(this.#options.signals.insist);
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #start(releases: readonly DemoRelease[]): Promise<boolean> {
    const { clock, paint, note, signals } = this.#options;
    this.#writeConfig(releases.map((id) => this.#entryOf(id)));
    const port = randomInt(PORT_FROM, PORT_TO);
    const config = readConfig(devEnv, {
      SLUICE_DATA_DIR: join(this.directory, "data"),
      SLUICE_CONFIG: this.configPath,
    });
    const screen = new Screen({ write: (text) => note(text.replace(/\n$/, "")) }, paint, clock);
    this.#stack = new DevStack({
      config: {
        ...config,
        apiPort: { port, chosen: false },
        controlPort: { port: port + 1, chosen: false },
      },
      sluice: await readSluiceConfig(this.configPath),
      env: this.#childEnv(),
      builtRoot: this.#builtRoot,
      screen,
      clock,
    });
    const running = await this.#stack.start(signals.stop);
    if (running === null) return false;
    this.#apiUrl = running.apiUrl;
    this.#controlUrl = running.controlUrl;
    this.#redisUrl = running.redisUrl;
    return true;
  }

  /** What the person has set for a platform of theirs is not for this one. */
  #childEnv(): Record<string, string | undefined> {
    const { env, settings = {} } = this.#options;
    const kept = Object.entries(withoutApiKey(env)).filter(([name]) => !name.startsWith("SLUICE_"));
    return {
      ...Object.fromEntries(kept),
      ...settings,
      DEMO_LEDGER_DIR: this.ledgerDir,
      ...(this.#redisUrl !== "" && {
        SLUICE_REDIS_URL: this.#redisUrl,
        SLUICE_CONFIG: this.configPath,
        SLUICE_DATA_DIR: join(this.directory, "data"),
      }),
    };
  }

  #entryOf(id: DemoRelease): ReleaseEntry {
    return { id, app: join(this.#builtRoot, "examples", "demo", "releases", `${id}.js`) };
  }

  #writeConfig(releases: readonly ReleaseEntry[]): void {
    const config = {
      queues: { [DEMO_QUEUE]: { pickupPromiseMs: 2_000 } },
      pools: { [DEMO_QUEUE]: { ...DEMO_POOL, ...this.#options.pool } },
      releases,
    };
    writeFileSync(this.configPath, `${JSON.stringify(config, null, 2)}\n`);
  }
}
