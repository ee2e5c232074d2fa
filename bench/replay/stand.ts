/**
 * The real thing, for one replay: an own Redis, a producer, and an autoscaler that starts the workers, all from dist/.
 *
 * Redis listens on a Unix socket and the rest on free ports of loopback; everything is ended by its own pid.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Child } from "../child.ts";
import type { Cleanup } from "../cleanup.ts";
import { jobsUrl } from "../programs.ts";
import { startRedis } from "../redis-server.ts";

const APP = fileURLToPath(new URL("../../test/support/apps/replay.mjs", import.meta.url));
const RELEASE = "replay-1";
const QUEUE = "replay";

/** What a worker of the replay needs after its app has been loaded: connections, registration, first heartbeat. */
const AFTER_APP_MS = 150;

/** All times are those of the compressed slice. */
export interface StandTerms {
  readonly pickupPromiseMs: number;
  readonly tickMs: number;
  readonly scaleInHoldMs: number;
  readonly startDelayMs: number;
  readonly workersMax: number;
}

export interface Stand {
  /** Where jobs are posted. */
  readonly jobsUrl: string;
  /** One line a run of a job. */
  readonly ledgerPath: string;
  /** What the autoscaler and its workers have said so far: a JSON object a line. */
  fleetLog(): string;
  /** Ends the autoscaler and, by it, its workers. */
  endFleet(): Promise<void>;
}

/** @throws when dist/ is missing or something does not start. */
export async function startStand(terms: StandTerms, cleanup: Cleanup): Promise<Stand> {
  const directory = mkdtempSync(join(tmpdir(), "sluice-replay-"));
  const remove = () => rmSync(directory, { recursive: true, force: true });
  cleanup.add({ undo: async () => remove(), undoNow: remove });

  const redis = await startRedis(cleanup, "socket");
  const common = {
    SLUICE_REDIS_URL: redis.url,
    SLUICE_DATA_DIR: directory,
    REPLAY_LEDGER: join(directory, "ledger.jsonl"),
  };
  const release = { SLUICE_RELEASE: RELEASE, SLUICE_APP: APP };
  const publishing = start(cleanup, ["worker", "publish"], { env: { ...common, ...release } });
  await publishing.untilDone();

  const producer = start(cleanup, ["producer"], { env: { ...common, SLUICE_API_PORT: "0" } });
  const configPath = join(directory, "sluice.config.json");
  writeFileSync(configPath, JSON.stringify(configOf(terms)));
  let log = "";
  const autoscaler = start(cleanup, ["autoscaler"], {
    env: {
      ...common,
      SLUICE_CONTROL_PORT: "0",
      SLUICE_CONFIG: configPath,
      SLUICE_TICK_MS: String(Math.round(terms.tickMs)),
      REPLAY_START_MS: String(Math.max(0, terms.startDelayMs - AFTER_APP_MS)),
    },
    onOutput: (text) => {
      log += text;
    },
  });
  await autoscaler.untilPrinted(/autoscaler is listening/);
  return {
    jobsUrl: await jobsUrl(producer),
    ledgerPath: common.REPLAY_LEDGER,
    fleetLog: () => log,
    endFleet: () => autoscaler.stop(),
  };
}

function configOf({ pickupPromiseMs, scaleInHoldMs, workersMax }: StandTerms) {
  const pool = {
    slotsPerWorker: 1,
    workersMin: 0,
    workersMax,
    scaleInHoldMs: Math.max(1_000, Math.round(scaleInHoldMs)),
  };
  return {
    queues: { [QUEUE]: { pickupPromiseMs: Math.round(pickupPromiseMs) } },
    pools: { [QUEUE]: pool },
    releases: [{ id: RELEASE, app: APP }],
  };
}

interface Start {
  readonly env: Readonly<Record<string, string>>;
  onOutput?(text: string): void;
}

function start(cleanup: Cleanup, [room = "", ...args]: readonly string[], options: Start): Child {
  const script = fileURLToPath(new URL(`../../dist/${room}/main.js`, import.meta.url));
  if (!existsSync(script)) throw new Error("dist/ is missing; run npm run build first");
  return Child.start(
    { name: `Sluice's ${room}`, command: process.execPath, args: [script, ...args], ...options },
    cleanup,
  );
}
