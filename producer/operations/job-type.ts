/** What `GET /v1/types` promises. */
import { z } from "zod";
import type { Operations } from "#shared/http/operation";
import { component } from "#shared/http/operation";

const moment = z.iso.datetime({ offset: true });

const typeVersion = component(
  "TypeVersion",
  z.object({
    schemaversion: z.int().min(1),
    minreaderversion: z.int().min(1).nullable().describe("null for a draft."),
    state: z.enum(["draft", "published", "active", "superseded", "retired"]),
    since: moment.nullable(),
    by: z.string().nullable(),
    sunset: moment.nullable(),
    accepted: z.boolean().describe("Whether a job of this version is taken now."),
    lane: z.string().nullable(),
    schema: z
      .record(z.string(), z.unknown())
      .describe("JSON Schema 2020-12 of the data, as the door checks it."),
  }),
);

const policy = z.object({
  attempts: z.int(),
  timeoutMs: z.int(),
  backoff: z.object({ baseMs: z.int(), maxMs: z.int() }),
  excess: z.enum(["reject", "delay", "degrade"]),
});

const jobType = component(
  "JobType",
  z.object({
    type: z.string(),
    queue: z.string(),
    policy,
    activeversion: z.int().describe("Where the gate stands: the newest version that may be written."),
    versions: z.array(typeVersion),
  }),
);

export const TYPE_OPERATIONS: Operations = {
  "GET /v1/types": {
    operationId: "listTypes",
    summary: "What can be handed in",
    description: "Every type with its versions, their JSON Schemas, and where each is in its life.",
    tag: "Types",
    scope: "jobs:read",
    answers: {
      200: {
        description: "All types.",
        content: { "application/json": z.object({ types: z.array(jobType) }) },
      },
    },
    refusals: {},
  },
};
