/** What the routes of `health.ts` and `document-routes.ts` promise, the same on every server. */
import { z } from "zod";
import type { Operations } from "./operation.ts";

const TAG = "Process";

const readiness = z.object({
  status: z.enum(["ready", "not-ready"]),
  problems: z.array(z.string()),
  redis: z.enum(["reachable", "unreachable"]),
  durability: z
    .object({
      level: z.enum(["none", "process", "disk", "replica"]),
      basis: z.enum(["verified", "asserted"]),
    })
    .nullable()
    .describe("What Redis really keeps, and how that is known; null before the first look."),
  role: z
    .enum(["leader", "standby", "unknown"])
    .optional()
    .describe("Of an autoscaler alone. A standby is ready too; unknown while Redis does not say who leads."),
});

export const PROCESS_OPERATIONS: Operations = {
  "GET /livez": {
    operationId: "getLiveness",
    summary: "Does the process answer?",
    tag: TAG,
    scope: null,
    answers: {
      200: {
        description: "It does.",
        content: { "application/json": z.object({ status: z.literal("alive") }) },
      },
    },
    refusals: {},
  },
  "GET /readyz": {
    operationId: "getReadiness",
    summary: "Can the process do its work now?",
    tag: TAG,
    scope: null,
    answers: {
      200: { description: "It can.", content: { "application/json": readiness } },
      503: { description: "It cannot; `problems` says why.", content: { "application/json": readiness } },
    },
    refusals: {},
  },
  "GET /metrics": {
    operationId: "getMetrics",
    summary: "Metrics for Prometheus",
    tag: TAG,
    scope: "ops:read",
    answers: {
      200: { description: "Prometheus text.", content: { "text/plain": z.string() } },
    },
    refusals: {},
  },
  "GET /openapi.json": {
    operationId: "getOpenApi",
    summary: "This document",
    tag: TAG,
    scope: null,
    answers: {
      200: {
        description: "OpenAPI 3.1.",
        content: { "application/json": z.looseObject({ openapi: z.literal("3.1.0") }) },
      },
    },
    refusals: {},
  },
};
