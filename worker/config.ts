/** The worker's environment. The fleet executor sets it; by hand it can be set too. */
import { z } from "zod";
import { QUEUE_NAME_PATTERN } from "#shared/lane";
import { processSettings, processVariables } from "#shared/process-env";
import { count, durationMs, flag } from "#shared/read-config";

export const RELEASE_ID_PATTERN = /^[a-z0-9][a-z0-9._-]{0,63}$/;

const releaseVariables = {
  SLUICE_RELEASE: z
    .string("is required: the id of the release this build is")
    .regex(RELEASE_ID_PATTERN, "must be 1 to 64 lower-case letters, digits, dots, dashes and underscores")
    .describe("Id of the release this build is."),
  SLUICE_APP: z
    .string("is required: path of the module that exports `app`")
    .min(1)
    .describe("Path of the app's module, absolute or from the working directory."),
};

const queueVariables = {
  SLUICE_QUEUE: z
    .string("is required: the queue whose jobs this worker runs")
    .regex(QUEUE_NAME_PATTERN, "must be a queue's name")
    .describe("Queue whose lanes the worker reads."),
};

/** What publishing a release needs. */
export const publishEnv = z
  .object({
    ...processVariables,
    ...releaseVariables,
    SLUICE_ACTOR: z
      .string()
      .min(1)
      .max(128)
      .optional()
      .describe("Who publishes, as the registry notes it; the user and machine when missing."),
    SLUICE_DRAFT: flag().default(false).describe("Only show the new versions as drafts, publish nothing."),
  })
  .transform((env) => ({
    ...processSettings(env),
    release: env.SLUICE_RELEASE,
    app: env.SLUICE_APP,
    actor: env.SLUICE_ACTOR ?? null,
    draft: env.SLUICE_DRAFT,
  }));

export const workerEnv = z
  .object({
    ...processVariables,
    ...releaseVariables,
    ...queueVariables,
    SLUICE_SLOTS: count(1, 1_000).default(10).describe("Jobs the worker runs at once, all lanes together."),
    SLUICE_WORKER_ID: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, "must be 1 to 64 lower-case letters, digits and dashes")
      .optional()
      .describe("Name of the worker in the fleet; made up when missing."),
    SLUICE_DRAIN_DEADLINE_MS: durationMs(0, 3_600_000)
      .default(30_000)
      .describe("On SIGTERM, how long jobs in flight may take before they are handed back."),
  })
  .transform((env) => ({
    ...processSettings(env),
    release: env.SLUICE_RELEASE,
    app: env.SLUICE_APP,
    queue: env.SLUICE_QUEUE,
    slots: env.SLUICE_SLOTS,
    workerId: env.SLUICE_WORKER_ID ?? null,
    drainDeadlineMs: env.SLUICE_DRAIN_DEADLINE_MS,
  }));

/** What moving an older lane's jobs into the release's own lane needs. */
export const migrateEnv = z
  .object({
    ...processVariables,
    ...releaseVariables,
    ...queueVariables,
    SLUICE_FROM_LANE: z
      .string("is required: the older lane to empty, e.g. shop.r1")
      .min(1)
      .describe("The older lane, whose jobs move into the release's own."),
    SLUICE_JOBS_PER_SECOND: count(1, 10_000).default(200).describe("Most jobs that are moved in a second."),
    SLUICE_MIGRATE_TIMEOUT_MS: durationMs(1_000, 86_400_000)
      .default(600_000)
      .describe("How long to go on; jobs in flight are waited for until then."),
  })
  .transform((env) => ({
    ...processSettings(env),
    release: env.SLUICE_RELEASE,
    app: env.SLUICE_APP,
    queue: env.SLUICE_QUEUE,
    fromLane: env.SLUICE_FROM_LANE,
    jobsPerSecond: env.SLUICE_JOBS_PER_SECOND,
    timeoutMs: env.SLUICE_MIGRATE_TIMEOUT_MS,
  }));

export type WorkerConfig = Readonly<z.output<typeof workerEnv>>;
export type PublishConfig = Readonly<z.output<typeof publishEnv>>;
export type MigrateConfig = Readonly<z.output<typeof migrateEnv>>;
