/** What the routes promise that tell how many workers there should be. */
import { z } from "zod";
import { component, type Operations } from "#shared/http/operation";

const desired = z.object({
  pool: z.string(),
  release: z.string().nullable().describe("null: all releases together."),
  desiredWorkers: z.int().min(0),
  target: z.literal(1).describe("Workers that one replica is."),
  active: z.boolean().describe("More than none are wanted."),
  decidedAt: z.iso.datetime({ offset: true }),
  decisionId: z.string().nullable(),
});

const { pool, release, target, ...known } = desired.shape;

const notKnown = z.object({
  pool,
  release,
  target,
  desiredWorkers: known.desiredWorkers.nullable(),
  active: known.active.nullable(),
  decidedAt: known.decidedAt.nullable(),
  decisionId: known.decisionId,
});

const SHOW = { scope: "ops:read", tag: "Fleet" } as const;

export const DESIRED_OPERATIONS: Operations = {
  "GET /v1/scaling/desired": {
    ...SHOW,
    operationId: "listDesired",
    summary: "How many workers each pool should have",
    answers: {
      200: {
        description: "By pool; null is not known, never zero.",
        content: {
          "application/json": z.object({ desired: z.array(component("DesiredOfPool", notKnown)) }),
        },
      },
    },
    refusals: {},
  },
  "GET /v1/scaling/desired/{pool}": {
    ...SHOW,
    operationId: "getDesired",
    summary: "How many workers a pool, or one release of it, should have",
    params: z.object({ pool: z.string() }),
    query: z.object({ release: z.string().optional().describe("One release's workers only.") }),
    answers: {
      200: {
        description: "At most 30 s old.",
        content: { "application/json": component("Desired", desired) },
      },
    },
    refusals: {
      400: ["QUERY_INVALID"],
      404: ["POOL_NOT_FOUND", "RELEASE_NOT_FOUND"],
      503: ["DESIRED_UNKNOWN"],
    },
  },
};
