/** What a worker says of itself: once when it registers, and with every heartbeat. */
import { z } from "zod";

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
