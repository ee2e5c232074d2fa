/**
 * `GET /v1/limits`, `PUT` and `DELETE /v1/limits/overrides`: what is let in, and what operators set over it.
 *
 * Writes are taken as every write of this API is: on loopback or with a credential, and as JSON. Who set an
 * override is whom the credential names; where nobody is asked for one, it is who says to. What a path or a
 * value may be is decided in `shared/limits/`, so nothing that does not fit is ever stored.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { type Issue, RedisUnavailableError } from "#shared/errors";
import { type Problem, problemOf } from "#shared/http/problem";
import { sendProblem } from "#shared/http/send-problem";
import type { LimitsChange } from "#shared/limits/change-limits";
import type { LimitOverride } from "#shared/limits/limits-document";
import type { Log } from "#shared/log";
import { type AuditAct, type AuditStore, actorOf } from "#shared/redis/audit-store";
import type { LimitsView, OverrideRequest } from "../limits-keeper.ts";
import { checkedBody } from "./checked-body.ts";
import { whoText, whyText } from "./one-line.ts";
import { BodyInvalidError, causeOf, readRedis } from "./problems.ts";

/** The longest that an override may be set for; without an end it stays. */
const EXPIRES_IN_MS_MAX = 2_678_400_000;

const BODY_BYTES_MAX = 8_192;

/** Longer than any path there is. */
const PATH_CHARS_MAX = 200;

export interface LimitsPorts {
  readonly log: Log;
  readonly audit: Pick<AuditStore, "record">;
  /** Each rejects when Redis is away; never hangs. */
  readonly limits: {
    view(): Promise<LimitsView>;
    set(request: OverrideRequest): Promise<LimitsChange>;
    drop(path: string): Promise<LimitsChange>;
  };
}

const path = z.string().max(PATH_CHARS_MAX);

const overrideBody = z.strictObject({
  path,
  value: z.json(),
  why: whyText,
  expiresInMs: z.int().min(1_000).max(EXPIRES_IN_MS_MAX).nullable(),
  /** The revision that the caller saw; any when missing. */
  expected: z.int().min(0).nullish(),
  /** Who sets it, where nobody is asked for a key. */
  by: whoText.optional(),
});

const dropQuery = z.strictObject({ path });

const WRITES = { bodyLimit: BODY_BYTES_MAX, config: { scope: "ops:write" } } as const;

export function addLimitsRoutes(server: FastifyInstance, ports: LimitsPorts): void {
  server.get("/v1/limits", { config: { scope: "ops:read" } }, async () => readRedis(ports.limits.view()));

  server.put("/v1/limits/overrides", WRITES, async (request, reply) => {
    const asked = overrideOf(request);
    const change = await writtenOrNull(ports, asked.path, ports.limits.set(asked));
    await ports.audit.record({
      ...actorOf(request),
      ...actOf(change, { action: "limits.set", path: asked.path }),
      ...(change?.kind === "changed" ? {} : { after: valueFacts(asked) }),
      why: asked.why,
    });
    if (change?.kind !== "changed") return sendProblem(reply, refusalOf(change, asked.path));
    const { revision, overrides } = change.document;
    return { revision, override: overrides.find((it) => it.path === asked.path) };
  });

  server.delete("/v1/limits/overrides", WRITES, async (request, reply) => {
    const query = checkedBody(dropQuery, request.query);
    const change = await writtenOrNull(ports, query.path, ports.limits.drop(query.path));
    await ports.audit.record({ ...actorOf(request), ...actOf(change, { action: "limits.reset", ...query }) });
    return answerToDrop(change, query.path, reply);
  });
}

function answerToDrop(change: LimitsChange | null, dropped: string, reply: FastifyReply) {
  if (change?.kind !== "changed") return sendProblem(reply, refusalOf(change, dropped));
  return { revision: change.document.revision, dropped: change.replaced };
}

/** @throws {BodyInvalidError} */
function overrideOf({ body, caller }: FastifyRequest): OverrideRequest {
  const { expected = null, by: claimed, ...rest } = checkedBody(overrideBody, body);
  const by = caller.keyId === null ? claimed : caller.name;
  if (by === undefined) {
    const message = "is required: who sets it, where nobody is asked for a key";
    throw new BodyInvalidError([{ pointer: "/by", rule: "required", message }]);
  }
  return { ...rest, by, expected };
}

/** `null` when the answer is lost: the limits may have changed all the same. */
async function writtenOrNull(
  { log }: LimitsPorts,
  asked: string,
  writing: Promise<LimitsChange>,
): Promise<LimitsChange | null> {
  try {
    return await readRedis(writing);
  } catch (error) {
    if (!(error instanceof RedisUnavailableError)) throw error;
    log.error({ err: causeOf(error), path: asked }, "change of a limit was not answered");
    return null;
  }
}

/** What is remembered of a change. */
function actOf(
  change: LimitsChange | null,
  asked: { readonly action: string; readonly path: string },
): Pick<AuditAct, "action" | "target" | "before" | "after" | "outcome"> {
  const act = { action: asked.action, target: asked.path };
  if (change === null) return { ...act, outcome: "unknown" };
  if (change.kind !== "changed") return { ...act, outcome: "refused" };
  const { replaced, document } = change;
  const set = document.overrides.find((it) => it.path === asked.path);
  return {
    ...act,
    ...(replaced === null ? {} : { before: valueFacts(replaced) }),
    ...(set === undefined ? {} : { after: valueFacts(set) }),
    outcome: "done",
  };
}

function valueFacts({ value, by, ...rest }: Pick<LimitOverride, "value" | "by"> & Partial<LimitOverride>) {
  return { value, by, ...("expiresAt" in rest ? { expiresAt: rest.expiresAt } : {}) };
}

const NOT_KNOWN = problemOf({
  status: 503,
  code: "LIMITS_CHANGE_UNKNOWN",
  title: "It is not known whether the limit changed",
  detail: "Redis did not answer, so it is not known whether the limit changed; look before trying again.",
});

function refusalOf(change: Exclude<LimitsChange, { kind: "changed" }> | null, asked: string): Problem {
  switch (change?.kind) {
    case "refused":
      return limitInvalid(change.issue);
    case "full": {
      const detail = "There are as many overrides as there may be; reset one first.";
      return problemOf({ status: 409, code: "OVERRIDES_FULL", title: "Too many overrides", detail });
    }
    case "not-found": {
      const detail = `Nothing is set over ${asked}.`;
      return problemOf({ status: 404, code: "OVERRIDE_NOT_FOUND", title: "No such override", detail });
    }
    case "conflict": {
      const detail = `The limits are at revision ${change.revision} by now; look at them and decide again.`;
      return problemOf({
        status: 409,
        code: "LIMITS_CHANGED",
        title: "The limits changed meanwhile",
        detail,
      });
    }
    case "unchanged":
    case undefined:
      return NOT_KNOWN;
  }
}

function limitInvalid(issue: Issue): Problem {
  const detail = `${issue.pointer}: ${issue.message}`;
  const errors = [issue];
  return problemOf({ status: 422, code: "LIMIT_INVALID", title: "The limit cannot be set", detail, errors });
}
