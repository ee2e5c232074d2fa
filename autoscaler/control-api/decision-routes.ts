/**
 * `GET /v1/scaling/decisions` and `GET /v1/scaling/decisions/{id}`: why there are as many workers as there are, and
 * why there were at any moment that is still kept.
 */
import type { FastifyInstance } from "fastify";
import { problemOf } from "#shared/http/problem";
import { sendProblem } from "#shared/http/send-problem";
import type { DecisionStore, StoredDecision } from "#shared/redis/decision-store";
import { fromRfc3339 } from "#shared/system-clock";
import { readRecord } from "../decision-record.ts";
import { readDecisions } from "./decision-log.ts";
import { QueryInvalidError, readRedis } from "./problems.ts";
import { limitOf, type Query, queueOf } from "./read-query.ts";

export interface DecisionPorts {
  /** Each rejects when Redis is away; never hangs. */
  readonly decisions: Pick<DecisionStore, "page" | "find" | "newestOf">;
}

const READS = { config: { scope: "ops:read" } } as const;

export function addDecisionRoutes(server: FastifyInstance, { decisions }: DecisionPorts): void {
  server.get<{ Querystring: Query }>("/v1/scaling/decisions", READS, async ({ query }) => {
    const range = {
      limit: limitOf(query),
      pool: queueOf(query),
      atMs: latestOf(query),
      after: cursorOf(query),
    };
    const { records, next } = await readRedis(decisions.page(range));
    return { ...readDecisions(records), nextCursor: next === null ? null : `${next.atMs}.${next.id}` };
  });

  server.get<{ Params: { id: string } }>("/v1/scaling/decisions/:id", READS, async ({ params }, reply) => {
    const record = readRecord(await readRedis(decisions.find(params.id)));
    if (record !== null) return record;
    const detail = "No decision of that id is kept; /v1/scaling/decisions lists those that are.";
    const problem = { status: 404, code: "DECISION_NOT_FOUND", title: "No such decision", detail } as const;
    return sendProblem(reply, problemOf(problem));
  });
}

/** The latest moment that is asked for; `null`: any. @throws {QueryInvalidError} */
function latestOf(query: Query): number | null {
  const atMs = momentOf(query, "at");
  const beforeMs = momentOf(query, "before");
  const bounds = [...(atMs === null ? [] : [atMs]), ...(beforeMs === null ? [] : [beforeMs - 1])];
  return bounds.length === 0 ? null : Math.min(...bounds);
}

function momentOf(query: Query, name: "at" | "before"): number | null {
  const said = query[name];
  if (said === undefined) return null;
  const isMoment = typeof said === "string" && /^\d{4}-\d\d-\d\dT/.test(said);
  const atMs = isMoment ? fromRfc3339(said) : null;
  if (atMs !== null && atMs >= 0) return atMs;
  const message = `${name} must be one moment in RFC 3339, such as 2026-01-31T12:00:00Z.`;
  throw new QueryInvalidError({ pointer: `/${name}`, rule: "rfc3339", message });
}

function cursorOf({ cursor }: Query): StoredDecision | null {
  if (cursor === undefined) return null;
  const [, atMs, id] = (typeof cursor === "string" && /^(\d{1,15})\.([a-z0-9~-]{1,120})$/.exec(cursor)) || [];
  if (atMs !== undefined && id !== undefined) return { atMs: Number(atMs), id };
  const message = "cursor must be the nextCursor of an earlier page.";
  throw new QueryInvalidError({ pointer: "/cursor", rule: "cursor", message });
}
