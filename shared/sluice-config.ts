/**
 * The file SLUICE_CONFIG names: queues, pools and releases.
 *
 * Read by the autoscaler and by `sluice dev`. Paths in it are relative to the file.
 */
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { z } from "zod";
import { ConfigInvalidError } from "./errors.ts";
import { QUEUE_NAME_PATTERN } from "./lane.ts";
import {
  DEFAULT_QUEUE_LIMITS,
  type LimitsBase,
  type QueueLimits,
  queueLimits,
  type Throttle,
  throttleList,
} from "./limits/limits-document.ts";
import { type RolloutPolicy, rolloutPolicy } from "./rollout/rollout-policy.ts";

const queueName = z
  .string()
  .regex(
    QUEUE_NAME_PATTERN,
    "a queue's name is lower-case letters, digits and dashes, at most 64 characters",
  );

/** What one container of a pool may have; for pools of the Docker executor. */
export const containerLimits = z.strictObject({
  /** Mebibytes; a worker that wants more is ended. */
  memoryMb: z.int().min(64).max(1_048_576).default(512),
  /** Processors, also parts of one. */
  cpus: z.number().min(0.05).max(256).default(1),
  /** Processes and threads. */
  pids: z.int().min(16).max(32_768).default(256),
  /** Numbers of user and group, never root. */
  user: z
    .string()
    .regex(/^[1-9]\d{0,9}:[1-9]\d{0,9}$/, "must be two numbers above 0, user and group, such as 1000:1000")
    .default("1000:1000"),
});

const pool = z
  .strictObject({
    /** Jobs that one worker runs at once. */
    slotsPerWorker: z.int().min(1).max(1_000).default(10),
    workersMin: z.int().min(0).max(1_000).default(0),
    workersMax: z.int().min(1).max(1_000).default(4),
    /** How long a stopping worker's jobs may take before they are handed back; the environment's when missing. */
    drainDeadlineMs: z.int().min(0).max(3_600_000).optional(),
    /** The largest number wanted within this long is kept before workers are taken away. */
    scaleInHoldMs: z.int().min(1_000).max(3_600_000).default(60_000),
    /** Whether worker-hours or pickup times come first where the promise leaves a choice; balanced when missing. */
    posture: z.enum(["economy", "balanced", "latency"]).optional(),
    /** Share of jobs that may be late: the fewer of them are, the leaner the pool is kept; 0.01 when missing. */
    errorBudget: z.number().min(0.000_1).max(0.2).optional(),
    /** Workers started at most in one look; any number when missing. */
    stepMax: z.int().min(1).max(1_000).optional(),
    /** Jobs that what the jobs call can serve at once: never more slots than that. No such bound when missing. */
    downstreamSlotsMax: z.int().min(1).max(1_000_000).optional(),
    /** Whether forecasts of the arrivals may raise the number; they are made and judged only when missing. */
    forecast: z.enum(["off", "shadow", "auto"]).optional(),
    /** Who starts and stops its workers: the autoscaler on its own machine, the Docker executor, or something else that asks how many. */
    executor: z.enum(["local", "docker", "external"]).default("local"),
    /** Bounds of each of its containers, for the Docker executor; their defaults when missing. */
    container: z.strictObject(containerLimits.shape).optional(),
    /** How a newer release gets the pool: with its first job, or by a rollout that somebody starts; at once when missing. */
    takeover: z.enum(["at-once", "rollout"]).optional(),
    /** How rollouts go; the promised pickup time is the queue's. */
    rollout: z.strictObject(rolloutPolicy.omit({ pickupPromiseMs: true }).shape).optional(),
  })
  .refine((it) => it.workersMin <= it.workersMax, "workersMin must not be above workersMax")
  .refine((it) => it.slotsPerWorker <= (it.downstreamSlotsMax ?? it.slotsPerWorker), {
    path: ["downstreamSlotsMax"],
    message:
      "downstreamSlotsMax must not be below slotsPerWorker, or no worker could be started: lower slotsPerWorker",
  });

const channel = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, "a channel's name is lower-case letters, digits and dashes"),
  pools: z.array(queueName).min(1, "name at least one pool"),
  /** How long a release has to be current here before it may go on. */
  soakMs: z
    .int()
    .min(0)
    .max(30 * 86_400_000),
});

/** Of a container image: what may stand on a command line without quotes. */
export const IMAGE_NAME_PATTERN = /^[a-z0-9][a-zA-Z0-9._/:@-]{0,255}$/;

const configFile = z.strictObject({
  queues: z.record(
    queueName,
    z.strictObject({
      /** Promised time from due to taken. */
      pickupPromiseMs: z.int().min(100).max(86_400_000),
      /** Bounds of the queue; the defaults when missing. */
      limits: queueLimits.optional(),
    }),
  ),
  /** What callers may hand in; none when missing. */
  throttles: throttleList.optional(),
  /** By queue: a pool is the fleet of one queue. */
  pools: z.record(queueName, pool),
  /** Groups of pools that a release goes through in this order; each opens when the one before is current and soaked. */
  channels: z.array(channel).max(20).optional(),
  /** Oldest first. */
  releases: z
    .array(
      z.strictObject({
        id: z
          .string()
          .regex(
            /^[a-z0-9][a-z0-9._-]{0,63}$/,
            "a release id is lower-case letters, digits, dots, dashes, underscores",
          ),
        /** The module that exports `app`. */
        app: z.string().min(1),
        /** How to start a worker of it; Sluice's own worker on this Node when missing. */
        command: z.array(z.string().min(1)).min(1).optional(),
        /** The container image that it is; `app` is a path inside it then. */
        image: z
          .string()
          .regex(IMAGE_NAME_PATTERN, "must be a container image's name, such as shop:2 or shop@sha256:…")
          .optional(),
      }),
    )
    .min(1, "name at least one release"),
});

export type PoolConfig = z.output<typeof pool>;

export interface ReleaseConfig {
  readonly id: string;
  /** Absolute path of the app's module. */
  readonly app: string;
  /** `null`: Sluice's own worker. */
  readonly command: readonly string[] | null;
  /** The container image that it is, for the Docker executor. */
  readonly image?: string | undefined;
}

export interface QueueConfig {
  readonly pickupPromiseMs: number;
  readonly limits?: QueueLimits | undefined;
}

export type ChannelConfig = Readonly<z.output<typeof channel>>;

export interface SluiceConfig {
  readonly path: string;
  readonly queues: Readonly<Record<string, QueueConfig>>;
  readonly throttles?: readonly Throttle[] | undefined;
  readonly pools: Readonly<Record<string, PoolConfig>>;
  readonly channels?: readonly ChannelConfig[] | undefined;
  readonly releases: readonly ReleaseConfig[];
}

/** @throws {ConfigInvalidError} listing everything that is wrong with the file. */
export async function readSluiceConfig(path: string): Promise<SluiceConfig> {
  const file = resolve(path);
  const what = `The configuration ${file}`;
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, "utf8"));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigInvalidError(what, [`it cannot be read as JSON: ${reason}`]);
  }
  const result = configFile.safeParse(value);
  if (!result.success) {
    throw new ConfigInvalidError(what, result.error.issues.map(problemOf));
  }
  const problems = crossProblems(result.data);
  if (problems.length > 0) throw new ConfigInvalidError(what, problems);
  const { queues, throttles, pools, channels, releases } = result.data;
  return {
    path: file,
    queues,
    throttles,
    pools,
    channels,
    releases: releases.map(({ id, app, command, image }) => ({
      id,
      app: resolve(dirname(file), app),
      command: command ?? null,
      ...(image === undefined ? {} : { image }),
    })),
  };
}

/** What the file says of limits, with every queue named. */
export function limitsBaseOf({ queues, throttles = [] }: SluiceConfig): LimitsBase {
  const limits = Object.entries(queues).map(([queue, it]) => [queue, it.limits ?? DEFAULT_QUEUE_LIMITS]);
  return { queues: Object.fromEntries(limits), throttles };
}

/** How rollouts of a pool go. */
export function rolloutPolicyOf(
  { queues, pools }: Pick<SluiceConfig, "queues" | "pools">,
  pool: string,
): RolloutPolicy {
  const pickupPromiseMs = queues[pool]?.pickupPromiseMs ?? 1;
  return rolloutPolicy.parse({ ...pools[pool]?.rollout, pickupPromiseMs });
}

function problemOf(issue: z.core.$ZodIssue): string {
  // Of a wrong name in a record zod says only that it is wrong; the rule is one level down.
  const rule = issue.code === "invalid_key" ? issue.issues[0]?.message : undefined;
  return `${issue.path.map(String).join(".") || "(file)"}: ${rule ?? issue.message}`;
}

function crossProblems({ queues, pools, channels = [], releases }: z.output<typeof configFile>): string[] {
  const ids = releases.map((it) => it.id);
  const twice = repeated(ids);
  const names = channels.map((it) => it.name);
  const members = channels.flatMap((it) => it.pools);
  return [
    ...repeated(names).map((name) => `channels: the name ${name} is used more than once`),
    ...repeated(members).map((pool) => `channels: the pool ${pool} is in more than one place`),
    ...members
      .filter((pool) => !Object.hasOwn(pools, pool))
      .map((pool) => `channels: there is no pool ${pool}`),
    ...Object.keys(queues)
      .filter((queue) => !Object.hasOwn(pools, queue))
      .map((queue) => `pools: the queue ${queue} has no pool`),
    ...Object.keys(pools)
      .filter((queue) => !Object.hasOwn(queues, queue))
      .map((queue) => `queues: the pool ${queue} has no queue with a pickupPromiseMs`),
    ...twice.map((id) => `releases: the id ${id} is used more than once`),
    ...releases
      .filter(({ image, app }) => image !== undefined && !app.startsWith("/"))
      .map(({ id }) => `releases: ${id} has an image, so its app must be an absolute path inside the image`),
  ];
}

function repeated(names: readonly string[]): readonly string[] {
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
}
