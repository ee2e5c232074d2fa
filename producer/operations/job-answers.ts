/** What is answered of a job, as schemas; `shared/redis/job-lookup.ts` makes it. Held equal by a test. */
import { z } from "zod";
import { component } from "#shared/http/operation";
import { issueSchema } from "#shared/http/problem-schema";
import { JOB_STATES } from "#shared/job-state";

const moment = z.iso.datetime({ offset: true });

export const jobStateSchema = component("JobState", z.enum(JOB_STATES));

const outcomeSchema = z
  .enum(["created", "replayed", "deduplicated"])
  .describe(
    "`replayed`: the same was asked for before; `deduplicated`: a job with its dedup key has not ended yet.",
  );

export const jobReceiptSchema = component(
  "JobReceipt",
  z.object({
    id: z.string().describe("The job id: `<queue>~` and a hash of tenant, source and the client's id."),
    type: z.string(),
    state: jobStateSchema.nullable().describe("null when it was taken and has been cleaned away since."),
    outcome: outcomeSchema,
  }),
);

const attemptEntry = component(
  "AttemptEntry",
  z.object({
    attempt: z.int().min(1),
    release: z.string(),
    worker: z.string(),
    startedAt: moment,
    endedAt: moment,
    outcome: z.enum(["retry", "failed", "handed-back", "quarantined", "parked"]),
    code: z.string(),
    message: z.string(),
  }),
);

const progressSchema = component(
  "JobProgress",
  z.object({ percent: z.number().min(0).max(100), message: z.string().nullable(), at: moment }),
);

const errorSchema = z.object({ code: z.string(), message: z.string() }).nullable();

export const jobViewSchema = component(
  "JobView",
  z.object({
    id: z.string(),
    type: z.string(),
    state: jobStateSchema,
    tenant: z.string(),
    queue: z.string(),
    lane: z.string().nullable().describe("null when the job is parked or quarantined."),
    schemaversion: z.int().nullable(),
    minreaderversion: z.int().nullable(),
    source: z.string().nullable(),
    acceptedAt: moment,
    dueAt: moment.nullable().describe("When a scheduled job falls due."),
    startedAt: moment.nullable().describe("When the newest start began."),
    finishedAt: moment.nullable(),
    release: z.string().nullable().describe("The release that runs or ran it last."),
    worker: z.string().nullable(),
    attempts: z.object({
      failed: z.int().min(0).describe("Attempts that counted and failed."),
      starts: z.int().min(0).describe("Times a worker began to run it."),
      crashes: z.int().min(0).describe("Times its worker was lost."),
      entries: z.array(attemptEntry).describe("The newest starts that ended without success, newest last."),
    }),
    progress: progressSchema
      .nullable()
      .describe("What the handler of the newest start last said; null when the job waits again."),
    result: z.unknown().describe("What the handler returned; null when it returned nothing."),
    resultBytesDropped: z.int().nullable().describe("Size of a result that was too large to keep."),
    error: errorSchema,
  }),
);

export const jobResultSchema = component(
  "JobResult",
  z.object({
    id: z.string(),
    state: jobStateSchema,
    result: z.unknown().describe("What the handler returned; null when it returned nothing."),
    resultBytesDropped: z.int().nullable(),
    error: errorSchema,
  }),
);

export const jobItemSchema = component(
  "JobItem",
  z.object({
    id: z.string(),
    type: z.string(),
    state: jobStateSchema,
    queue: z.string(),
    lane: z.string().nullable(),
    schemaversion: z.int().nullable(),
    acceptedAt: moment,
    dueAt: moment.nullable(),
    startedAt: moment.nullable(),
    finishedAt: moment.nullable(),
    attempts: z.object({ failed: z.int().min(0) }),
  }),
);

export const jobEventSchema = component(
  "JobEvent",
  z.union([
    z
      .object({
        state: jobStateSchema,
        attempts: z.object({
          failed: z.int().min(0),
          starts: z.int().min(0),
          crashes: z.int().min(0),
        }),
        release: z.string().nullable(),
        worker: z.string().nullable(),
        dueAt: moment.nullable(),
        startedAt: moment.nullable(),
        finishedAt: moment.nullable(),
        progress: progressSchema.nullable(),
      })
      .describe("Of an event `state`."),
    z
      .object({ id: z.string(), state: jobStateSchema.nullable() })
      .describe("Of the event `end`; the state is null when the job is no longer known."),
  ]),
);

export const batchResultSchema = component(
  "BatchResult",
  z.object({
    index: z.int().min(0).describe("Place in the batch, from 0."),
    outcome: z.enum(["created", "replayed", "deduplicated", "refused", "unknown"]),
    id: z.string().optional(),
    state: jobStateSchema.nullish(),
    problem: z
      .object({
        status: z.int(),
        code: z.string(),
        detail: z.string(),
        errors: z.array(issueSchema).optional(),
        retryAfterSeconds: z.int().optional(),
        retryAfterMs: z.number().optional(),
      })
      .optional()
      .describe("Why it was refused, or why its fate is not known."),
  }),
);
