/**
 * `GET /v1/scaling/overrides`, and `PUT` and `DELETE` of `/v1/scaling/pools/{pool}/freeze` and `.../bounds`: what
 * operators set over scaling, for a while.
 *
 * Writes go to Redis and not to a loop, so that any autoscaler takes them, a standby too; the leader heeds them with
 * its next round. Who set what is whom the credential names; where nobody is asked for one, it is who says to.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { RedisUnavailableError } from "#shared/errors";
import { type Problem, problemOf } from "#shared/http/problem";
import { sendProblem } from "#shared/http/send-problem";
import type { Log } from "#shared/log";
import { type AuditStore, actorOf } from "#shared/redis/audit-store";
import {
  type BoundsOverride,
  type Freeze,
  OVERRIDE_MS_DEFAULT,
  OVERRIDE_MS_MAX,
  OVERRIDE_MS_MIN,
  POOL_WORKERS_MAX,
} from "#shared/scaling/overrides-document";
import type { KeptChange, OverridesKeeper } from "../overrides-keeper.ts";
import { checkedBody } from "./checked-body.ts";
import { whoText, whyText } from "./one-line.ts";
import { BodyInvalidError, causeOf, readRedis } from "./problems.ts";

const BODY_BYTES_MAX = 4_096;

export interface ScalingPorts {
  readonly log: Log;
  readonly audit: Pick<AuditStore, "record">;
  /** Each rejects when Redis is away; never hangs. */
  readonly scaling: Pick<OverridesKeeper, "view" | "freeze" | "thaw" | "bound" | "unbound">;
}

const setting = {
  why: whyText,
  expiresInMs: z.int().min(OVERRIDE_MS_MIN).max(OVERRIDE_MS_MAX).default(OVERRIDE_MS_DEFAULT),
  /** The revision that the caller saw; any when missing. */
  expected: z.int().min(0).nullish(),
  /** Who sets it, where nobody is asked for a key. */
  by: whoText.optional(),
};

const workers = z.int().min(0).max(POOL_WORKERS_MAX).nullish();

export const freezeBody = z.strictObject({ hard: z.boolean().default(false), ...setting });

export const boundsBody = z.strictObject({
  workersMin: workers,
  workersMax: workers,
  beyondConfig: z.boolean().default(false),
  ...setting,
});

const dropQuery = z.strictObject({
  expected: z
    .string()
    .regex(/^\d{1,15}$/, "must be a revision: a whole number from 0")
    .transform(Number)
    .optional(),
});

const WRITES = { bodyLimit: BODY_BYTES_MAX, config: { scope: "ops:write" } } as const;

type OfPool = { Params: { pool: string } };

export function addScalingRoutes(server: FastifyInstance, ports: ScalingPorts): void {
  const { scaling } = ports;
  server.get("/v1/scaling/overrides", { config: { scope: "ops:read" } }, () => readRedis(scaling.view()));

  server.put<OfPool>("/v1/scaling/pools/:pool/freeze", WRITES, async (request, reply) => {
    const { expected = null, ...rest } = checkedBody(freezeBody, request.body);
    const asked = { ...rest, pool: request.params.pool, by: whoOf(request, rest.by), expected };
    return answered({ action: "scaling.freeze", asked, change: scaling.freeze(asked) }, ports, {
      request,
      reply,
    });
  });

  server.delete<OfPool>("/v1/scaling/pools/:pool/freeze", WRITES, async (request, reply) => {
    const { expected = null } = checkedBody(dropQuery, request.query);
    const asked = { pool: request.params.pool, expected };
    return answered({ action: "scaling.thaw", asked, change: scaling.thaw(asked) }, ports, {
      request,
      reply,
    });
  });

  server.put<OfPool>("/v1/scaling/pools/:pool/bounds", WRITES, async (request, reply) => {
    const {
      expected = null,
      workersMin = null,
      workersMax = null,
      ...rest
    } = checkedBody(boundsBody, request.body);
    const by = whoOf(request, rest.by);
    const asked = { ...rest, workersMin, workersMax, pool: request.params.pool, by, expected };
    return answered({ action: "scaling.bounds", asked, change: scaling.bound(asked) }, ports, {
      request,
      reply,
    });
  });

  server.delete<OfPool>("/v1/scaling/pools/:pool/bounds", WRITES, async (request, reply) => {
    const { expected = null } = checkedBody(dropQuery, request.query);
    const asked = { pool: request.params.pool, expected };
    return answered({ action: "scaling.reset", asked, change: scaling.unbound(asked) }, ports, {
      request,
      reply,
    });
  });
}

interface Write {
  readonly action: string;
  readonly asked: { readonly pool: string; readonly why?: string };
  readonly change: Promise<KeptChange>;
}

interface Exchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

async function answered({ action, asked, change }: Write, ports: ScalingPorts, { request, reply }: Exchange) {
  const made = await madeOrNull(change, asked.pool, ports);
  const outcome = made === null ? "unknown" : made.kind === "changed" ? "done" : "refused";
  const { why } = asked;
  await ports.audit.record({
    ...actorOf(request),
    ...{ action, target: asked.pool, outcome, ...(why === undefined ? {} : { why }) },
    ...factsOf(made),
  });
  if (made?.kind !== "changed") return sendProblem(reply, refusalOf(made, asked.pool));
  const { document, set, replaced } = made;
  return { revision: document.revision, set: shown(set), replaced: shown(replaced) };
}

function factsOf(made: KeptChange | null) {
  if (made?.kind !== "changed") return {};
  const { set, replaced } = made;
  return {
    ...(replaced === null ? {} : { before: { ...shown(replaced) } }),
    ...(set === null ? {} : { after: { ...shown(set) } }),
  };
}

/** Without the numbers of each pool, which the view has. */
function shown(it: Freeze | BoundsOverride | null) {
  if (it === null || !("held" in it)) return it;
  const { held: _held, ...rest } = it;
  return rest;
}

/** @throws {BodyInvalidError} */
function whoOf({ caller }: FastifyRequest, claimed: string | undefined): string {
  const by = caller.keyId === null ? claimed : caller.name;
  if (by !== undefined) return by;
  const message = "is required: who sets it, where nobody is asked for a key";
  throw new BodyInvalidError([{ pointer: "/by", rule: "required", message }]);
}

/** `null` when the answer is lost: it may have changed all the same. */
async function madeOrNull(
  change: Promise<KeptChange>,
  pool: string,
  { log }: ScalingPorts,
): Promise<KeptChange | null> {
  try {
    return await readRedis(change);
  } catch (error) {
    if (!(error instanceof RedisUnavailableError)) throw error;
    log.error({ err: causeOf(error), pool }, "change of a scaling override was not answered");
    return null;
  }
}

const NOT_KNOWN = problemOf({
  status: 503,
  code: "SCALING_CHANGE_UNKNOWN",
  title: "It is not known whether scaling changed",
  detail: "Redis did not answer, so it is not known whether it was set; look before trying again.",
});

function refusalOf(change: Exclude<KeptChange, { kind: "changed" }> | null, pool: string): Problem {
  switch (change?.kind) {
    case "refused": {
      const { issue } = change;
      const detail = `${issue.pointer || "(body)"}: ${issue.message}`;
      return problemOf({
        status: 422,
        code: "BOUNDS_INVALID",
        title: "The bounds cannot be set",
        detail,
        errors: [issue],
      });
    }
    case "unknown-pool": {
      const named = change.pools.slice(0, 20).join(", ") || "none";
      const detail = `The configuration has no pool of that name; it has ${named}. All of them together are *.`;
      return problemOf({ status: 404, code: "POOL_UNKNOWN", title: "No such pool", detail });
    }
    case "not-found": {
      const all =
        pool === "*" ? "" : " Whether all pools are frozen, /v1/scaling/overrides tells under allFrozen.";
      const detail = `Nothing of the kind is set over ${pool === "*" ? "all pools" : "this pool"}.${all}`;
      return problemOf({ status: 404, code: "SCALING_OVERRIDE_NOT_FOUND", title: "Nothing is set", detail });
    }
    case "full": {
      const detail = "There are as many overrides as there may be; drop one first.";
      return problemOf({ status: 409, code: "SCALING_OVERRIDES_FULL", title: "Too many overrides", detail });
    }
    case "conflict": {
      const detail = `The overrides are at revision ${change.revision} by now; look at them and decide again.`;
      return problemOf({
        status: 409,
        code: "SCALING_OVERRIDES_CHANGED",
        title: "The overrides changed meanwhile",
        detail,
      });
    }
    case undefined:
      return NOT_KNOWN;
  }
}
