/** What the routes about jobs that are there promise. */
import { z } from "zod";
import { TYPE_PATTERN } from "#shared/envelope";
import { eventsOf, joinedRefusals, type Operations } from "#shared/http/operation";
import { JOB_STATES } from "#shared/job-state";
import {
  jobEventSchema,
  jobItemSchema,
  jobResultSchema,
  jobStateSchema,
  jobViewSchema,
} from "./job-answers.ts";
import { preferHeader } from "./jobs.ts";
import { BODY_REFUSALS } from "./refusals.ts";

const TAG = "Look at jobs";

const params = z.object({ id: z.string().describe("The job id, as the answer to its request gave it.") });

const UNKNOWN_JOB = { 404: ["JOB_NOT_FOUND"] };
const QUERY_REFUSALS = { 422: ["QUERY_INVALID"] };
const WAITING_REFUSALS = { 503: ["TOO_MANY_WAITING"] };

const LATER = "Whole seconds after which to ask again.";

export const JOB_OPERATIONS: Operations = {
  "GET /v1/jobs": {
    operationId: "listJobs",
    summary: "The caller's jobs, newest first",
    tag: TAG,
    scope: "jobs:read",
    query: z.object({
      state: z.enum(JOB_STATES).optional().describe("Left out: those that have not ended."),
      type: z.string().max(128).regex(TYPE_PATTERN).optional(),
      limit: z.int().min(1).max(200).optional().describe("Jobs a page; 50 when it is left out."),
      cursor: z
        .string()
        .optional()
        .describe("`nextCursor` of the page before, with the same state and type."),
    }),
    answers: {
      200: {
        description: "A page.",
        headers: { Link: "The next page, when there is one." },
        content: {
          "application/json": z.object({ jobs: z.array(jobItemSchema), nextCursor: z.string().nullable() }),
        },
      },
    },
    refusals: QUERY_REFUSALS,
  },
  "GET /v1/jobs/{id}": {
    operationId: "getJob",
    summary: "Everything that is known of a job",
    tag: TAG,
    scope: "jobs:read",
    params,
    headers: z.object(preferHeader),
    answers: {
      200: { description: "The job.", content: { "application/json": jobViewSchema } },
      202: {
        description: "The job, which has not ended while the client preferred to wait.",
        headers: { "Retry-After": LATER, "Preference-Applied": "The wait." },
        content: { "application/json": jobViewSchema },
      },
    },
    refusals: joinedRefusals(UNKNOWN_JOB, QUERY_REFUSALS, WAITING_REFUSALS),
  },
  "GET /v1/jobs/{id}/result": {
    operationId: "getJobResult",
    summary: "How a job ended",
    tag: TAG,
    scope: "jobs:read",
    params,
    query: z.object({
      wait: z.int().min(0).max(60).optional().describe("Seconds to wait for the end."),
    }),
    headers: z.object(preferHeader),
    answers: {
      200: { description: "It has ended.", content: { "application/json": jobResultSchema } },
      202: {
        description: "It has not.",
        headers: { "Retry-After": LATER, "Preference-Applied": "The wait, when the header asked for one." },
        content: { "application/json": z.object({ id: z.string(), state: jobStateSchema }) },
      },
    },
    refusals: joinedRefusals(UNKNOWN_JOB, QUERY_REFUSALS, WAITING_REFUSALS),
  },
  "POST /v1/jobs/{id}/cancel": {
    operationId: "cancelJob",
    summary: "Let a job not run, or not go on",
    tag: TAG,
    scope: "jobs:write",
    params,
    body: {
      "application/json": z.strictObject({
        why: z.string().max(256).optional().describe("For the job's record; one line."),
      }),
    },
    bodyIsOptional: true,
    answers: {
      200: {
        description: "It will not run.",
        content: { "application/json": z.object({ id: z.string(), state: z.literal("cancelled") }) },
      },
      202: {
        description: "It runs, and its worker is told.",
        content: {
          "application/json": z.object({
            id: z.string(),
            state: z.literal("running"),
            cancelling: z.literal(true),
          }),
        },
      },
    },
    refusals: joinedRefusals(UNKNOWN_JOB, BODY_REFUSALS, { 409: ["JOB_ENDED"], 422: ["BODY_INVALID"] }),
  },
  "GET /v1/jobs/{id}/events": {
    operationId: "followJob",
    summary: "A job's changes as they come",
    description:
      "Server-sent events: `state` first with the present state and then with each change, `end` last. The stream " +
      "ends after ten minutes at the latest; whoever comes back goes on with the present state.",
    tag: TAG,
    scope: "jobs:read",
    params,
    headers: z.object({
      "Last-Event-ID": z
        .string()
        .optional()
        .describe("Of the last event seen; `end` when that was the last one."),
    }),
    answers: {
      200: { description: "The events.", content: { "text/event-stream": eventsOf(jobEventSchema) } },
      204: { description: "The end has been seen already: there is nothing more." },
    },
    refusals: joinedRefusals(UNKNOWN_JOB, QUERY_REFUSALS, WAITING_REFUSALS, { 429: ["TOO_MANY_STREAMS"] }),
  },
};
