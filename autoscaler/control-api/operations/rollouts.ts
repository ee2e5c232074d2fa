/** What the routes about rollouts promise. */
import { z } from "zod";
import { component, joinedRefusals, type Operations } from "#shared/http/operation";
import { WRITE_REFUSALS } from "./refusals.ts";
import { rolloutRecordSchema, rolloutSchema, rolloutViewSchema } from "./rollout-schemas.ts";

const text = z.string();
const by = text.min(1).max(128).optional().describe("Who; read only where nobody is asked for a key.");
const why = text.min(3).max(500).describe("One line.");
const asking = { why, by };
const expires = z.int().min(1_000).max(86_400_000).optional();

const ofPool = z.object({ pool: text });

const READ = { tag: "Rollouts", scope: "ops:read" } as const;
const WRITE = { tag: "Rollouts", scope: "ops:write" } as const;

const CHANGE_REFUSALS = joinedRefusals(WRITE_REFUSALS, {
  404: ["POOL_UNKNOWN"],
  503: ["ROLLOUT_CHANGE_UNKNOWN"],
});

function json(description: string, schema: z.ZodType) {
  return { description, content: { "application/json": schema } };
}

const SHOW_OPERATIONS: Operations = {
  "GET /v1/rollouts": {
    ...READ,
    operationId: "listRollouts",
    summary: "The newest rollout of each pool",
    answers: { 200: json("Those pools that had one.", z.object({ rollouts: z.array(rolloutViewSchema) })) },
    refusals: {},
  },
  "GET /v1/rollouts/{pool}": {
    ...READ,
    operationId: "getRollout",
    summary: "The newest rollout of a pool: how far it is, what the gates say, what would change it",
    params: ofPool,
    answers: { 200: json("The rollout.", rolloutViewSchema) },
    refusals: { 404: ["ROLLOUT_NOT_FOUND"] },
  },
  "GET /v1/rollouts/{pool}/history": {
    ...READ,
    operationId: "listPastRollouts",
    summary: "A pool's rollouts before the newest, newest first",
    params: ofPool,
    answers: { 200: json("At most 50.", z.object({ pool: text, rollouts: z.array(rolloutSchema) })) },
    refusals: {},
  },
  "GET /v1/rollouts/{pool}/records": {
    ...READ,
    operationId: "listRolloutRecords",
    summary: "Every transition and every distinct hold with its numbers, newest first",
    params: ofPool,
    query: z.object({ limit: z.int().min(1).max(500).optional().describe("50 when it is left out.") }),
    answers: {
      200: json("The records.", z.object({ pool: text, records: z.array(rolloutRecordSchema) })),
    },
    refusals: { 400: ["QUERY_INVALID"] },
  },
};

const CHANGE_OPERATIONS: Operations = {
  "POST /v1/rollouts": {
    ...WRITE,
    operationId: "startRollout",
    summary: "Let a release take a pool over, in steps",
    body: {
      "application/json": component(
        "RolloutStart",
        z.strictObject({
          pool: text.min(1).max(64),
          to: text.min(1).max(64),
          from: text.min(1).max(64).optional().describe("The release that has the pool when left out."),
          bypassChannelForMs: expires.describe("Enters a channel that is shut, for so long."),
          ...asking,
        }),
      ),
    },
    answers: {
      201: json("It is entered; the leader goes on with it.", z.object({ rollout: rolloutSchema })),
    },
    refusals: joinedRefusals(CHANGE_REFUSALS, { 409: ["ROLLOUT_BLOCKED"] }),
  },
  "POST /v1/rollouts/{pool}/lint": {
    ...WRITE,
    operationId: "lintRollout",
    summary: "What would keep a rollout from beginning; nothing is stored",
    params: ofPool,
    body: {
      "application/json": component(
        "RolloutLint",
        z.strictObject({ to: text.min(1).max(64), from: text.min(1).max(64).optional() }),
      ),
    },
    answers: {
      200: json(
        "The answer.",
        z.object({
          pool: text,
          to: text,
          mayStart: z.boolean(),
          blockers: z.array(z.object({ code: text, what: text })),
        }),
      ),
    },
    refusals: joinedRefusals(WRITE_REFUSALS, { 404: ["POOL_UNKNOWN"] }),
  },
  "POST /v1/rollouts/{pool}/{act}": {
    ...WRITE,
    operationId: "changeRollout",
    summary: "Pause, resume, retry, promote, force, abort, undo, revise or close a rollout",
    params: z.object({ pool: text, act: text }),
    body: {
      "application/json": component(
        "RolloutAct",
        z.strictObject({
          ...asking,
          expected: z.int().min(1).nullish().describe("The revision that the caller saw; any when left out."),
          expiresInMs: expires.describe("Required by force: it ends by itself."),
          to: text.min(1).max(64).optional().describe("Required by revise: the build that takes its place."),
        }),
      ),
    },
    answers: {
      200: json(
        "It is stored; the leader heeds it with its next look.",
        z.object({ rollout: rolloutSchema, record: rolloutRecordSchema }),
      ),
    },
    refusals: joinedRefusals(CHANGE_REFUSALS, {
      404: ["ROLLOUT_NOT_FOUND", "ROLLOUT_ACT_UNKNOWN"],
      409: ["ROLLOUT_CHANGED", "ROLLOUT_STATE"],
    }),
  },
};

export const ROLLOUT_OPERATIONS: Operations = { ...SHOW_OPERATIONS, ...CHANGE_OPERATIONS };
