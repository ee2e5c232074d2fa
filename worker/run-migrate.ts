/**
 * `main.js migrate`: moves the jobs of an older lane into the lane of this build, see `migrate-lane.ts`.
 *
 * Only the newest build of a queue may: an older one would write a version that is behind, and what it
 * does not know would stay. It ends by itself, by its timeout, or soon after a signal; running it again
 * goes on where it ended.
 */
import { randomUUID } from "node:crypto";
import type { Clock } from "#shared/clock";
import { EXIT } from "#shared/exit-codes";
import { deadName, generationOf } from "#shared/lane";
import { createLog, type Log } from "#shared/log";
import { listenForStop } from "#shared/process-stop";
import { readConfig } from "#shared/read-config";
import { connectPatient, disconnect, type RedisConnection, untilReady } from "#shared/redis/connection";
import { readDurability, requireSafe } from "#shared/redis/durability";
import { type Keys, keysOf } from "#shared/redis/keys";
import { LaneQueues } from "#shared/redis/lane-queues";
import { LeaseCheck } from "#shared/redis/lease-check";
import { LoadStore } from "#shared/redis/load-store";
import { loadRegistry } from "#shared/redis/registry-store";
import { floorOf } from "#shared/registry/decide-lane";
import { systemClock } from "#shared/system-clock";
import { untilAborted } from "#shared/until-aborted";
import type { ResolvedApp } from "./app.ts";
import { type MigrateConfig, migrateEnv } from "./config.ts";
import { loadApp } from "./load-app.ts";
import { LaneMigration, type MigrationTotals } from "./migrate-lane.ts";
import { migratingBuildOf } from "./migrating-build.ts";
import {
  type MigrationLanes,
  requireActive,
  requireMigrationLanes,
  requirePublished,
} from "./migration-lanes.ts";

const START_TIMEOUT_MS = 15_000;

/** For the batch in hand once it is told to stop; with Redis away nothing more is waited for. */
const STOP_GRACE_MS = 2_000;

export interface MigratePorts {
  readonly clock: Clock;
  readonly log: Log;
  /** Aborts when no further batch shall be begun. */
  readonly stop: AbortSignal;
}

/** The task of the process: reads its environment and listens for signals. */
export async function runMigrate(env: Readonly<Record<string, string | undefined>>): Promise<number> {
  const config = readConfig(migrateEnv, env);
  const stop = new AbortController();
  listenForStop({
    onStop: () => stop.abort(),
    onInsist: () => process.exit(EXIT.jobsLeft),
    onOrphaned: () => stop.abort(),
  });
  const log = createLog("migrate", config.logLevel);
  return migrate(config, { clock: systemClock, log, stop: stop.signal });
}

/**
 * Resolves with the process's exit code: `ok` when the older lane holds nothing unfinished any more,
 * `jobsLeft` otherwise.
 *
 * @throws {WorkerRefusedError} when this release must not empty that lane.
 * @throws when the app, the environment or Redis does not allow a start.
 */
async function migrate(config: MigrateConfig, ports: MigratePorts): Promise<number> {
  const { app } = await loadApp(config.app, config.release);
  const redis = connectPatient(config.redisUrl, `sluice-migrate-${config.release}`);
  try {
    await untilReady(redis, START_TIMEOUT_MS);
    requireSafe(await readDurability(redis, config.durability));
    return await migrateOn(redis, { config, app, ...ports });
  } finally {
    disconnect(redis);
  }
}

interface Setup extends MigratePorts {
  readonly config: MigrateConfig;
  readonly app: ResolvedApp;
}

async function migrateOn(redis: RedisConnection, setup: Setup): Promise<number> {
  const { config, clock, log, stop } = setup;
  const keys = keysOf(config.prefix);
  const document = await loadRegistry(redis, keys);
  const lanes = requireMigrationLanes(document, config);
  requirePublished(document, setup.app, config.release);
  requireActive(document, setup.app, config.queue);
  const isWrittenTo = (floorOf(document, config.queue) ?? 0) <= (generationOf(lanes.from) ?? 0);
  if (isWrittenTo)
    log.warn(lanes, "new jobs still go to the older lane, because a live release has it for its own");
  const leases = new LeaseCheck({
    redis,
    prefix: config.prefix,
    lane: lanes.from,
    onRedelivered: (jobId) =>
      log.warn({ jobId, lane: lanes.from }, "job's worker was lost; it is waiting again"),
    onError: (error) => log.warn({ err: error }, "queue client reports an error"),
  });
  await leases.start();
  const end = new AbortController();
  void untilAborted(stop).then(() => end.abort());
  const cancelTimeout = clock.after(config.timeoutMs, () => end.abort());
  try {
    const running = migrationOf(redis, { ...setup, keys, lanes }).run(end.signal);
    const outOfTime = untilAborted(end.signal).then(() => clock.sleep(STOP_GRACE_MS));
    return told(await Promise.race([running, outOfTime]), { lanes, log });
  } finally {
    cancelTimeout();
    void leases.stop().catch(() => undefined);
  }
}

function migrationOf(
  redis: RedisConnection,
  { config, app, clock, log, keys, lanes }: Setup & { readonly keys: Keys; readonly lanes: MigrationLanes },
): LaneMigration {
  const load = new LoadStore(redis, keys);
  return new LaneMigration({
    ...lanes,
    dead: deadName(config.queue),
    queues: new LaneQueues(redis, config.prefix),
    build: migratingBuildOf(
      app.jobs.map((job) => job.contract),
      clock,
    ),
    release: config.release,
    workerId: `migrate-${randomUUID().slice(0, 8)}`,
    jobsPerSecond: config.jobsPerSecond,
    clock,
    log,
    count: async () => {
      const counts = (await load.observeLanes([lanes.from], 0)).lanes.get(lanes.from);
      return counts ?? { waiting: 0, scheduled: 0, inFlight: 0, other: 0 };
    },
  });
}

function told(
  ended: MigrationTotals | string,
  { lanes, log }: { readonly lanes: MigrationLanes; readonly log: Log },
): number {
  if (typeof ended === "string") {
    log.error(lanes, "migration was given up while Redis did not answer");
    return EXIT.jobsLeft;
  }
  if (ended.remaining === 0) {
    log.info({ ...lanes, ...ended }, "the older lane is empty");
    return EXIT.ok;
  }
  log.warn({ ...lanes, ...ended }, "jobs are left in the older lane");
  return EXIT.jobsLeft;
}
