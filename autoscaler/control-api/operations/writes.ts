/** What the routes about gates, limits and the audit promise: what operators change, and what they did. */
import { z } from "zod";
import { component, joinedRefusals, type Operations } from "#shared/http/operation";
import { limitsBase } from "#shared/limits/limits-document";
import { WRITE_REFUSALS } from "./refusals.ts";

const moment = z.iso.datetime({ offset: true });

const by = z.string().min(1).max(128).optional().describe("Who; read only where nobody is asked for a key.");
const why = z.string().min(3).max(500).describe("One line.");

export const gateSchema = component(
  "Gate",
  z.object({
    type: z.string(),
    queue: z.string(),
    activeversion: z.int(),
    readerSlots: z.number().describe("Slots of workers that could take the next version."),
    loadSlots: z.number().nullable().describe("Slots that the type keeps busy now."),
    next: z.object({ version: z.int(), mayRise: z.boolean(), reason: z.string().nullable() }).nullable(),
    versions: z.array(
      z.object({
        version: z.int(),
        state: z.enum(["draft", "published", "active", "superseded", "retired"]),
        since: moment.nullable(),
        by: z.string().nullable(),
        sunset: moment.nullable(),
      }),
    ),
    events: z
      .array(
        z.object({
          at: moment,
          by: z.string(),
          change: z.enum(["drafted", "published", "gate-raised", "gate-lowered"]),
          version: z.int(),
          why: z.string(),
        }),
      )
      .describe("Oldest first."),
  }),
);

const override = component(
  "LimitOverride",
  z.object({
    path: z.string().describe("JSON pointer to the limit."),
    value: z.unknown(),
    by: z.string(),
    at: moment,
    why: z.string(),
    expiresAt: moment.nullable().describe("null: until somebody drops it."),
  }),
);

const limits = component("Limits", limitsBase);

export const limitsSchema = z.object({
  revision: z.int().min(0),
  base: limits.describe("As the configuration file had it."),
  inForce: limits.describe("Base and overrides together, now."),
  overrides: z.array(override.extend({ state: z.enum(["in-force", "expired", "without-effect"]) })),
});

export const auditEntrySchema = component(
  "AuditEntry",
  z.looseObject({
    seq: z.int(),
    at: moment,
    keyId: z.string().nullable(),
    name: z.string(),
    tenant: z.string(),
    action: z.string(),
    target: z.string(),
    before: z.record(z.string(), z.unknown()).optional(),
    after: z.record(z.string(), z.unknown()).optional(),
    why: z.string().optional(),
    requestId: z.string().nullable(),
    outcome: z.enum(["done", "refused", "unknown"]),
  }),
);

const ofType = z.object({ type: z.string() });

const GATE_OPERATIONS: Operations = {
  "GET /v1/gates": {
    operationId: "listGates",
    summary: "Where the gate of each type stands",
    tag: "Gates",
    scope: "ops:read",
    answers: {
      200: {
        description: "All gates.",
        content: { "application/json": z.object({ gates: z.array(gateSchema) }) },
      },
    },
    refusals: {},
  },
  "GET /v1/gates/{type}": {
    operationId: "getGate",
    summary: "Where the gate of a type stands, and may it rise",
    tag: "Gates",
    scope: "ops:read",
    params: ofType,
    answers: { 200: { description: "The gate.", content: { "application/json": gateSchema } } },
    refusals: { 404: ["TYPE_UNKNOWN"] },
  },
  "POST /v1/gates/{type}": {
    operationId: "moveGate",
    summary: "Raise or lower a gate",
    tag: "Gates",
    scope: "ops:write",
    params: ofType,
    body: {
      "application/json": component(
        "GateMove",
        z.strictObject({
          version: z.int().min(1),
          expected: z
            .int()
            .min(0)
            .nullish()
            .describe("Where the caller saw it; from anywhere when left out."),
          force: z.boolean().optional().describe("Raise without the slots."),
          sunset: moment.nullish().describe("Until when the versions below are taken, as announced."),
          by,
          why,
        }),
      ),
    },
    answers: {
      200: {
        description: "It stands there.",
        content: {
          "application/json": z.object({
            type: z.string(),
            from: z.int(),
            activeversion: z.int(),
            moved: z.boolean(),
          }),
        },
      },
    },
    refusals: joinedRefusals(WRITE_REFUSALS, {
      404: ["TYPE_UNKNOWN"],
      409: [
        "GATE_MOVED",
        "LOAD_UNKNOWN",
        "MORE_THAN_ONE_STEP",
        "NO_READER",
        "SLOTS_MISSING",
        "SUNSET_WRONG",
        "VERSION_UNKNOWN",
      ],
      503: ["GATE_MOVE_UNKNOWN"],
    }),
  },
};

const LIMIT_OPERATIONS: Operations = {
  "GET /v1/limits": {
    operationId: "getLimits",
    summary: "What is let in, and what operators set over it",
    tag: "Limits",
    scope: "ops:read",
    answers: { 200: { description: "The limits.", content: { "application/json": limitsSchema } } },
    refusals: {},
  },
  "PUT /v1/limits/overrides": {
    operationId: "setLimit",
    summary: "Set a limit over the configuration's",
    tag: "Limits",
    scope: "ops:write",
    body: {
      "application/json": component(
        "LimitChange",
        z.strictObject({
          path: z.string().max(200),
          value: z.unknown(),
          why,
          expiresInMs: z.int().min(1_000).max(2_678_400_000).nullable().describe("null: it stays."),
          expected: z.int().min(0).nullish().describe("The revision that the caller saw."),
          by,
        }),
      ),
    },
    answers: {
      200: {
        description: "It is set.",
        content: { "application/json": z.object({ revision: z.int(), override }) },
      },
    },
    refusals: joinedRefusals(WRITE_REFUSALS, {
      409: ["LIMITS_CHANGED", "OVERRIDES_FULL"],
      422: ["LIMIT_INVALID"],
      503: ["LIMITS_CHANGE_UNKNOWN"],
    }),
  },
  "DELETE /v1/limits/overrides": {
    operationId: "resetLimit",
    summary: "Drop what was set over a limit",
    tag: "Limits",
    scope: "ops:write",
    query: z.object({ path: z.string().max(200) }),
    answers: {
      200: {
        description: "The configuration's holds again.",
        content: { "application/json": z.object({ revision: z.int(), dropped: override.nullable() }) },
      },
    },
    refusals: joinedRefusals(WRITE_REFUSALS, {
      404: ["OVERRIDE_NOT_FOUND"],
      409: ["LIMITS_CHANGED"],
      422: ["LIMIT_INVALID"],
      503: ["LIMITS_CHANGE_UNKNOWN"],
    }),
  },
};

const AUDIT_OPERATIONS: Operations = {
  "GET /v1/audit": {
    operationId: "listAudit",
    summary: "What operators did, newest first",
    tag: "Audit",
    scope: "ops:read",
    query: z.object({
      limit: z.int().min(1).max(500).optional().describe("50 when it is left out."),
      cursor: z.string().optional().describe("`nextCursor` of the page before."),
    }),
    answers: {
      200: {
        description: "A page.",
        content: {
          "application/json": z.object({
            entries: z.array(auditEntrySchema),
            unreadable: z.int().min(0),
            nextCursor: z.string().nullable(),
          }),
        },
      },
    },
    refusals: { 400: ["QUERY_INVALID"] },
  },
};

export const WRITE_OPERATIONS: Operations = { ...GATE_OPERATIONS, ...LIMIT_OPERATIONS, ...AUDIT_OPERATIONS };
