/** What is answered of a job, as schemas; `shared/redis/job-lookup.ts` makes it. Held equal by a test. */
import { z } from "zod";
import { component } from "#shared/http/operation";
import { JOB_STATES } from "#shared/job-state";

const moment = z.iso.datetime({ offset: true });

export const jobStateSchema = component("JobState", z.enum(JOB_STATES));

export const jobReceiptSchema = component(
  "JobReceipt",
  z.object({
    id: z.string().describe("The job id: `<queue>~` and a hash of tenant, source and the client's id."),
    type: z.string(),
    state: jobStateSchema,
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

export const jobViewSchema = component(
  "JobView",
  z.object({
    id: z.string(),
    type: z.string(),
    state: jobStateSchema,
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
    result: z.unknown().describe("What the handler returned; null when it returned nothing."),
    resultBytesDropped: z.int().nullable().describe("Size of a result that was too large to keep."),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
  }),
);
