/** What a worker says of itself: once when it registers, and with every heartbeat. */
import { z } from "zod";
import { TAKES } from "../rollout/release-orders.ts";

/** What a worker says of itself once. */
export const workerFacts = z.object({
  release: z.string(),
  queue: z.string(),
  slots: z.int(),
  bootId: z.string(),
  pid: z.int(),
  host: z.string(),
  bullmqMajor: z.string(),
  nodeVersion: z.string(),
  /** How long its process ran before it registered, in milliseconds: its start delay, whoever started it. */
  startupMs: z.number().min(0).optional(),
});

export type WorkerFacts = z.output<typeof workerFacts>;

/** What a worker says of itself with every heartbeat. */
export const workerStatus = z.object({
  /** What the worker itself says it is doing. */
  state: z.enum(["ok", "draining", "quarantined"]),
  /** Why it takes nothing, when it does not; a stable code. */
  reason: z.string().nullable(),
  lanes: z.array(z.string()),
  /** Those of them that it takes nothing from, because its build has failed to read a job there. */
  trippedLanes: z.array(z.string()).default([]),
  /** What its release has been told to take, as far as this worker has heard. */
  takes: z.enum(TAKES).default("all"),
  /** Those of its lanes that it takes nothing from because its release has been told so. */
  heldLanes: z.array(z.string()).default([]),
  /** First attempts since it started; `null` of a worker that does not count them. */
  firstRuns: z
    .object({
      finished: z.int(),
      failed: z.int(),
      /** Of those, jobs that have failed elsewhere too: always 0 here, other workers see it. */
      failedElsewhere: z.int(),
      /** Starts whose worker was lost: always 0 here. */
      stalls: z.int(),
      /** That failed one after the other up to now. */
      inRow: z.int(),
    })
    .nullable()
    .default(null),
  /** Jobs in flight. */
  busy: z.int(),
  lastStartedAtMs: z.number().nullable(),
  lastFinishedAtMs: z.number().nullable(),
  /** Jobs that ended here since the worker started, by their settlement. */
  settled: z.record(z.string(), z.int()),
  eventLoopLagMs: z.number(),
  rssBytes: z.int(),
  /** Redis' clock minus the worker's, in milliseconds. */
  clockOffsetMs: z.number().nullable(),
});

export type WorkerStatus = z.output<typeof workerStatus>;
