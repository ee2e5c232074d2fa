/** What `POST /v1/jobs` and `GET /v1/jobs/{id}` promise. */
import { z } from "zod";
import type { Operations } from "#shared/http/operation";
import { jobReceiptSchema, jobViewSchema } from "./job-answers.ts";
import { cloudEventSchema, jobRequestSchema } from "./job-request.ts";
import { READ_REFUSALS } from "./refusals.ts";

const TAG = "Jobs";

export const jobParams = z.object({
  id: z.string().describe("The job id, as the answer to its request gave it."),
});

export const JOB_OPERATIONS: Operations = {
  "POST /v1/jobs": {
    operationId: "enqueueJob",
    summary: "Hand in a job",
    description:
      "202 means that Redis has the job, as durably as `/readyz` says. Every refusal says whether the job is " +
      "certainly not stored, or whether that is not known; the same request with the same key is safe.",
    tag: TAG,
    scope: "jobs:write",
    enqueues: true,
    body: {
      "application/json": jobRequestSchema,
      "application/cloudevents+json": cloudEventSchema,
    },
    answers: {
      202: {
        description: "Redis has the job.",
        headers: {
          Location: "Where the job can be looked at.",
          Deprecation: "Since when there is a newer version of the type (RFC 9745).",
          Sunset: "From when on this version may no longer be taken (RFC 8594).",
          Link: "Where the types and their versions are listed.",
        },
        content: { "application/json": jobReceiptSchema },
      },
    },
    refusals: {
      409: ["VERSION_NOT_ACTIVE"],
      413: ["BODY_TOO_LARGE"],
      415: ["CONTENT_TYPE_UNSUPPORTED"],
      422: ["DATA_INVALID", "ENVELOPE_INVALID", "TYPE_UNKNOWN", "VERSION_UNKNOWN"],
      503: ["ENQUEUE_UNKNOWN", "NOT_ENQUEUED"],
    },
  },
  "GET /v1/jobs/{id}": {
    operationId: "getJob",
    summary: "Everything that is known of a job",
    tag: TAG,
    scope: "jobs:read",
    params: jobParams,
    answers: {
      200: { description: "The job.", content: { "application/json": jobViewSchema } },
    },
    refusals: { ...READ_REFUSALS, 404: ["JOB_NOT_FOUND"] },
  },
};
