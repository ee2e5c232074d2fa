/** What the routes that hand jobs in promise: `POST /v1/jobs` and `POST /v1/jobs/batch`. */
import { z } from "zod";
import { joinedRefusals, linesOf, type Operations } from "#shared/http/operation";
import { batchResultSchema, jobReceiptSchema, jobResultSchema } from "./job-answers.ts";
import { cloudEventSchema, jobRequestSchema } from "./job-request.ts";
import { BODY_REFUSALS, JOB_REFUSALS, KEY_REFUSALS } from "./refusals.ts";

const TAG = "Hand in jobs";

const keyHeader = {
  "Idempotency-Key": z
    .string()
    .min(1)
    .max(1_024)
    .optional()
    .describe(
      "1 to 255 visible ASCII characters, as a structured-field string or bare. For 24 hours the same key with the " +
        "same body gives the same job.",
    ),
};

export const preferHeader = {
  Prefer: z
    .string()
    .optional()
    .describe(
      "`wait=N`: answer when the job has ended, at the latest after N seconds, at most 60 (RFC 7240).",
    ),
};

const priorityHeader = {
  "Sluice-Priority": z
    .string()
    .describe(
      "critical, high, normal or low: who is refused first when the process has too many requests. Without it, or with " +
        "another word, normal.",
    )
    .optional(),
};

const NEWER_VERSION = {
  Deprecation: "Since when there is a newer version of the type (RFC 9745).",
  Sunset: "From when on this version may no longer be taken (RFC 8594).",
  Link: "Where the types and their versions are listed.",
};

const RATE_LIMITS = {
  RateLimit: "What is left of each throttle that applies.",
  "RateLimit-Policy": "The throttles that apply.",
};

const batchCounts = {
  created: z.int().min(0),
  replayed: z.int().min(0),
  deduplicated: z.int().min(0),
  refused: z.int().min(0),
  unknown: z.int().min(0),
};

export const HAND_IN_OPERATIONS: Operations = {
  "POST /v1/jobs": {
    operationId: "enqueueJob",
    summary: "Hand in a job",
    description:
      "202 means that Redis has the job, as durably as `/readyz` says. Every refusal says whether the job is " +
      "certainly not stored, or whether that is not known; the same request with the same key is safe. A " +
      "CloudEvent may also come in binary mode: attributes as `ce-` headers, the body is the data.",
    tag: TAG,
    scope: "jobs:write",
    enqueues: true,
    headers: z.object({ ...keyHeader, ...preferHeader, ...priorityHeader }),
    body: {
      "application/json": jobRequestSchema,
      "application/cloudevents+json": cloudEventSchema,
    },
    answers: {
      200: {
        description: "Redis has the job, and it ended while the client preferred to wait.",
        headers: { Location: "Where the job can be looked at.", "Preference-Applied": "The wait." },
        content: { "application/json": jobResultSchema },
      },
      202: {
        description: "Redis has the job.",
        headers: {
          Location: "Where the job can be looked at.",
          "Idempotency-Replayed": "`true` when the same was asked for before.",
          "Preference-Applied": "The wait, when there was one.",
          ...NEWER_VERSION,
          ...RATE_LIMITS,
        },
        content: { "application/json": jobReceiptSchema },
      },
    },
    refusals: joinedRefusals(JOB_REFUSALS, BODY_REFUSALS, KEY_REFUSALS),
  },
  "POST /v1/jobs/batch": {
    operationId: "enqueueJobs",
    summary: "Hand in many jobs",
    description:
      "At most 1,000 as a JSON array or a CloudEvents batch, or a stream of lines of any length. Each job has its own " +
      "result, in order. An idempotency key speaks of each job with its place. `atomic=true`: all or none, at most " +
      "100 jobs and 1 MiB.",
    tag: TAG,
    scope: "jobs:write",
    enqueues: true,
    query: z.object({
      atomic: z.enum(["true", "false"]).optional().describe("All or none; not for a stream."),
    }),
    headers: z.object(keyHeader),
    body: {
      "application/json": z.array(jobRequestSchema).min(1).max(1_000),
      "application/cloudevents-batch+json": z.array(cloudEventSchema).min(1).max(1_000),
      "application/x-ndjson": linesOf(jobRequestSchema),
    },
    answers: {
      200: {
        description: "A result for each job.",
        content: {
          "application/json": z.object({ results: z.array(batchResultSchema), ...batchCounts }),
          "application/x-ndjson": linesOf(batchResultSchema),
        },
      },
    },
    refusals: joinedRefusals(JOB_REFUSALS, BODY_REFUSALS, KEY_REFUSALS, {
      409: ["IDEMPOTENCY_IN_FLIGHT"],
      422: ["QUERY_INVALID"],
    }),
  },
};
