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

const queueName = z
  .string()
  .regex(
    QUEUE_NAME_PATTERN,
    "a queue's name is lower-case letters, digits and dashes, at most 64 characters",
  );

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
    /** Who starts and stops its workers: the autoscaler, on its own machine, or something else that asks how many. */
    executor: z.enum(["local", "external"]).default("local"),
  })
  .refine((it) => it.workersMin <= it.workersMax, "workersMin must not be above workersMax")
  .refine((it) => it.slotsPerWorker <= (it.downstreamSlotsMax ?? it.slotsPerWorker), {
    path: ["downstreamSlotsMax"],
    message:
      "downstreamSlotsMax must not be below slotsPerWorker, or no worker could be started: lower slotsPerWorker",
  });

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
}

export interface QueueConfig {
  readonly pickupPromiseMs: number;
  readonly limits?: QueueLimits | undefined;
}

export interface SluiceConfig {
  readonly path: string;
  readonly queues: Readonly<Record<string, QueueConfig>>;
  readonly throttles?: readonly Throttle[] | undefined;
  readonly pools: Readonly<Record<string, PoolConfig>>;
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
  const { queues, throttles, pools, releases } = result.data;
  return {
    path: file,
    queues,
    throttles,
    pools,
    releases: releases.map(({ id, app, command }) => ({
      id,
      app: resolve(dirname(file), app),
      command: command ?? null,
    })),
  };
}

/** What the file says of limits, with every queue named. */
export function limitsBaseOf({ queues, throttles = [] }: SluiceConfig): LimitsBase {
  const limits = Object.entries(queues).map(([queue, it]) => [queue, it.limits ?? DEFAULT_QUEUE_LIMITS]);
  return { queues: Object.fromEntries(limits), throttles };
}

function problemOf(issue: z.core.$ZodIssue): string {
  // Of a wrong name in a record zod says only that it is wrong; the rule is one level down.
  const rule = issue.code === "invalid_key" ? issue.issues[0]?.message : undefined;
  return `${issue.path.map(String).join(".") || "(file)"}: ${rule ?? issue.message}`;
}

function crossProblems({ queues, pools, releases }: z.output<typeof configFile>): string[] {
  const ids = releases.map((it) => it.id);
  const twice = [...new Set(ids.filter((id, index) => ids.indexOf(id) !== index))];
  return [
    ...Object.keys(queues)
      .filter((queue) => !Object.hasOwn(pools, queue))
      .map((queue) => `pools: the queue ${queue} has no pool`),
    ...Object.keys(pools)
      .filter((queue) => !Object.hasOwn(queues, queue))
      .map((queue) => `queues: the pool ${queue} has no queue with a pickupPromiseMs`),
    ...twice.map((id) => `releases: the id ${id} is used more than once`),
  ];
}
