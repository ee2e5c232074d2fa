/** What the routes promise by which people hold single workers and retire releases. */
import { z } from "zod";
import { component, joinedRefusals, type Operations } from "#shared/http/operation";
import { HOLD_ORDERS } from "#shared/redis/worker-holds-store";
import { WRITE_REFUSALS } from "./refusals.ts";

const hold = component(
  "WorkerHold",
  z.object({
    worker: z.string(),
    order: z.enum(HOLD_ORDERS).describe("`run` lasts until the worker takes jobs again."),
    by: z.string(),
    why: z.string(),
    at: z.iso.datetime({ offset: true }),
  }),
);

const asking = component(
  "Reason",
  z.strictObject({
    why: z.string().min(3).max(500).describe("One line."),
    by: z.string().min(1).max(128).optional().describe("Who; read only where nobody is asked for a key."),
  }),
);

const WRITE = {
  tag: "Fleet",
  scope: "ops:write",
  body: { "application/json": asking },
} as const;

export const FLEET_OPERATIONS: Operations = {
  "GET /v1/fleet/holds": {
    operationId: "listWorkerHolds",
    summary: "Workers that people hold",
    tag: "Fleet",
    scope: "ops:read",
    answers: {
      200: {
        description: "By worker.",
        content: { "application/json": z.object({ holds: z.array(hold) }) },
      },
    },
    refusals: {},
  },
  "POST /v1/fleet/workers/{worker}/{order}": {
    ...WRITE,
    operationId: "holdWorker",
    summary: "Have a worker drained and replaced, kept without jobs, or run again",
    params: z.object({ worker: z.string(), order: z.string() }),
    answers: {
      200: {
        description: "It is stored; the leader orders it with its next round.",
        content: { "application/json": z.object({ hold }) },
      },
    },
    refusals: joinedRefusals(WRITE_REFUSALS, {
      404: ["WORKER_NOT_FOUND", "WORKER_ORDER_UNKNOWN"],
      409: ["WORKER_HELD", "WORKER_HOLDS_FULL"],
      503: ["WORKER_HOLD_UNKNOWN"],
    }),
  },
  "POST /v1/releases/{release}/retire": {
    ...WRITE,
    operationId: "retireRelease",
    summary: "Retire a release that nothing needs any more",
    params: z.object({ release: z.string() }),
    answers: {
      200: {
        description: "It is retired.",
        content: {
          "application/json": z.object({
            release: z.string(),
            state: z.enum(["retired"]),
            retired: z.boolean().describe("Whether it was live until now."),
          }),
        },
      },
    },
    refusals: joinedRefusals(WRITE_REFUSALS, {
      404: ["RELEASE_NOT_FOUND"],
      409: ["RELEASE_NEEDED"],
      503: ["RETIREMENT_UNKNOWN"],
    }),
  },
};
