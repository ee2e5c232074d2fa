/** What the autoscaler and its executor say to each other: paths and bodies, strict in what is asked. */
import { z } from "zod";
import { QUEUE_NAME_PATTERN } from "#shared/lane";

export const EXECUTOR_PATHS = {
  desired: "/v1/desired",
  stop: "/v1/stop",
  status: "/v1/status",
  alive: "/livez",
} as const;

const WORKERS_MAX = 10_000;

const workerId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, "must be a worker's id");
const workerIds = z.array(workerId).max(WORKERS_MAX);
const release = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, "must be a release's id");
const queue = z.string().regex(QUEUE_NAME_PATTERN, "must be a queue's name");

export const fleetCommand = z.strictObject({
  epoch: z.int().min(1),
  sequence: z.int().min(0),
  queue,
  release,
  desired: z.int().min(0).max(WORKERS_MAX),
  leaving: workerIds,
  heard: workerIds,
});

export const stopCommand = z.strictObject({ epoch: z.int().min(1), workers: workerIds });

export const commandAnswer = z.object({
  started: workerIds,
  limitedBy: z.enum(["workers-max", "start-rate", "start-failures"]).nullable(),
});

export const executorStatus = z.object({
  epoch: z.int().nullable(),
  workers: z.array(z.object({ workerId, release, queue, startedAtMs: z.number(), pid: z.int().nullable() })),
  ended: workerIds,
  blocked: z.array(z.object({ queue, release, reason: z.string().max(2_000) })),
  room: z.record(z.string(), z.number().nullable()),
});

/** A refusal, as far as the asking side acts on it. */
export const refusalAnswer = z.object({
  code: z.string().max(64),
  detail: z.string().max(2_000),
  newest: z.int().nullish(),
});
