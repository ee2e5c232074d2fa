/** What the routes about scaling promise: decisions that explain themselves, freezes and bounds. */
import { z } from "zod";
import { component, joinedRefusals, type Operations } from "#shared/http/operation";
import {
  boundsOverride,
  freeze,
  OVERRIDE_MS_MAX,
  OVERRIDE_MS_MIN,
  POOL_WORKERS_MAX,
} from "#shared/scaling/overrides-document";
import { decisionRecordSchema } from "../../decision-record.ts";
import { WRITE_REFUSALS } from "./refusals.ts";

const moment = z.iso.datetime({ offset: true });
const count = z.int().min(0);

export const decisionSchema = component("Decision", decisionRecordSchema);

const freezeSchema = component("Freeze", freeze.omit({ held: true }));
const boundsSchema = component("BoundsOverride", boundsOverride);
const bounds = z.object({ workersMin: count, workersMax: count });

export const overridesSchema = z.object({
  revision: count,
  at: moment.describe("By Redis' clock, which ends overrides."),
  pools: z.array(
    component(
      "PoolControl",
      z.object({
        pool: z.string(),
        configured: bounds.describe("As the configuration file says."),
        inForce: bounds.describe("What holds now."),
        freeze: freezeSchema.nullable().describe("The one that rules, of this pool or of all."),
        held: z.record(z.string(), count).nullable().describe("Workers by release that the freeze holds."),
        bounds: boundsSchema.nullable(),
      }),
    ),
  ),
  allFrozen: freezeSchema.nullable(),
});

const ofPool = z.object({ pool: z.string().describe("A pool's name; of a freeze also `*`: all pools.") });

const expected = z.int().min(0).nullish().describe("The revision that the caller saw; any when left out.");
const setting = {
  why: z.string().min(3).max(500).describe("One line."),
  expiresInMs: z
    .int()
    .min(OVERRIDE_MS_MIN)
    .max(OVERRIDE_MS_MAX)
    .optional()
    .describe("It ends by itself; after an hour when this is left out."),
  expected,
  by: z.string().min(1).max(128).optional().describe("Who; read only where nobody is asked for a key."),
};
const workers = z.int().min(0).max(POOL_WORKERS_MAX).nullish().describe("The configuration's when left out.");

const dropQuery = z.object({ expected: z.int().min(0).optional() });

function changed(description: string, schema: z.ZodType) {
  const answer = z.object({ revision: count, set: schema.nullable(), replaced: schema.nullable() });
  return { 200: { description, content: { "application/json": answer } } };
}

const CHANGE_REFUSALS = joinedRefusals(WRITE_REFUSALS, {
  409: ["SCALING_OVERRIDES_CHANGED"],
  503: ["SCALING_CHANGE_UNKNOWN"],
});
const SET_REFUSALS = joinedRefusals(CHANGE_REFUSALS, {
  404: ["POOL_UNKNOWN"],
  409: ["SCALING_OVERRIDES_FULL"],
});
const DROP_REFUSALS = joinedRefusals(CHANGE_REFUSALS, { 404: ["SCALING_OVERRIDE_NOT_FOUND"] });

const READ = { tag: "Scaling", scope: "ops:read" } as const;
const WRITE = { tag: "Scaling", scope: "ops:write", params: ofPool } as const;

export const SCALING_OPERATIONS: Operations = {
  "GET /v1/scaling/decisions": {
    ...READ,
    operationId: "listDecisions",
    summary: "Why there are as many workers as there are, newest first",
    query: z.object({
      limit: z.int().min(1).max(500).optional().describe("50 when it is left out."),
      queue: z.string().optional().describe("One pool's decisions only."),
      at: moment.optional().describe("From the one in force at that moment on back."),
      before: moment.optional().describe("Only those decided before."),
      cursor: z.string().optional().describe("`nextCursor` of the page before."),
    }),
    answers: {
      200: {
        description: "A page.",
        content: {
          "application/json": z.object({
            decisions: z.array(decisionSchema),
            unreadable: count.describe("Records of another version that cannot be shown."),
            nextCursor: z.string().nullable().describe("null: nothing older is kept."),
          }),
        },
      },
    },
    refusals: { 400: ["QUERY_INVALID"] },
  },
  "GET /v1/scaling/decisions/{id}": {
    ...READ,
    operationId: "getDecision",
    summary: "One decision with everything it was made from",
    params: z.object({ id: z.string() }),
    answers: { 200: { description: "The decision.", content: { "application/json": decisionSchema } } },
    refusals: { 404: ["DECISION_NOT_FOUND"] },
  },
  "GET /v1/scaling/overrides": {
    ...READ,
    operationId: "getScalingOverrides",
    summary: "What is frozen, and which bounds hold",
    answers: {
      200: { description: "Pool by pool.", content: { "application/json": overridesSchema } },
    },
    refusals: {},
  },
  "PUT /v1/scaling/pools/{pool}/freeze": {
    ...WRITE,
    operationId: "freezePool",
    summary: "Hold a pool's number of workers for a while",
    body: {
      "application/json": component(
        "FreezeRequest",
        z.strictObject({
          hard: z.boolean().optional().describe("Not even a worker that dies is replaced."),
          ...setting,
        }),
      ),
    },
    answers: changed("It is frozen, from the next round on.", freezeSchema),
    refusals: SET_REFUSALS,
  },
  "DELETE /v1/scaling/pools/{pool}/freeze": {
    ...WRITE,
    operationId: "thawPool",
    summary: "Let a pool be sized again",
    query: dropQuery,
    answers: changed("It is sized again, from the next round on.", freezeSchema),
    refusals: DROP_REFUSALS,
  },
  "PUT /v1/scaling/pools/{pool}/bounds": {
    ...WRITE,
    operationId: "setPoolBounds",
    summary: "Set other bounds of a pool than the configuration's, for a while",
    body: {
      "application/json": component(
        "BoundsRequest",
        z.strictObject({
          workersMin: workers,
          workersMax: workers,
          beyondConfig: z.boolean().optional().describe("workersMax may be above the configuration's."),
          ...setting,
        }),
      ),
    },
    answers: changed("They hold, from the next round on.", boundsSchema),
    refusals: joinedRefusals(SET_REFUSALS, { 422: ["BOUNDS_INVALID"] }),
  },
  "DELETE /v1/scaling/pools/{pool}/bounds": {
    ...WRITE,
    operationId: "resetPoolBounds",
    summary: "Let the configuration's bounds hold again",
    query: dropQuery,
    answers: changed("The configuration's hold again.", boundsSchema),
    refusals: DROP_REFUSALS,
  },
};
