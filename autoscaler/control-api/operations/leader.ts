/** What `GET /v1/leader` promises. */
import { z } from "zod";
import { component, type Operations } from "#shared/http/operation";

const autoscaler = z.object({ id: z.string(), host: z.string(), pid: z.int() });

const leader = autoscaler.extend({
  epoch: z.int().min(1).describe("Rises with every term; what has a lower one takes no effect."),
  since: z.iso.datetime({ offset: true }),
  leaseEndsInMs: z.int().min(0).describe("If it is not renewed."),
});

export const LEADER_OPERATIONS: Operations = {
  "GET /v1/leader": {
    operationId: "getLeader",
    summary: "Which autoscaler leads",
    tag: "Fleet",
    scope: "ops:read",
    answers: {
      200: {
        description: "As Redis has it; `answeredBy` as the process that answers has it.",
        content: {
          "application/json": z.object({
            answeredBy: z.object({
              id: z.string(),
              role: z.enum(["leader", "standby", "unknown"]).describe("unknown: Redis does not say."),
            }),
            leader: component("Leader", leader).nullable().describe("null: nobody leads just now."),
            standbys: z.array(component("Standby", autoscaler)),
          }),
        },
      },
    },
    refusals: {},
  },
};
