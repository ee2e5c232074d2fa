/** `GET /v1/audit`: what operators did, newest first, a page at a time. */
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { AuditStore } from "#shared/redis/audit-store";
import { QueryInvalidError, readRedis } from "./problems.ts";

export interface AuditPorts {
  /** `page` rejects when Redis is away and never hangs; `record` does neither. */
  readonly audit: Pick<AuditStore, "page" | "record">;
}

const AUDIT_LIMIT_MAX = 500;

const auditQuery = z.strictObject({
  limit: z
    .string()
    .regex(/^[1-9]\d{0,2}$/)
    .transform(Number)
    .pipe(z.number().max(AUDIT_LIMIT_MAX))
    .default(50),
  /** The number of the last entry of the page before. */
  cursor: z
    .string()
    .regex(/^[1-9]\d{0,14}$/)
    .transform(Number)
    .optional(),
});

const RULES = new Map(
  Object.entries({
    limit: `limit must be one whole number from 1 to ${AUDIT_LIMIT_MAX}.`,
    cursor: "cursor must be the nextCursor of an earlier page.",
  }),
);

export function addAuditRoute(server: FastifyInstance, { audit }: AuditPorts): void {
  server.get("/v1/audit", { config: { scope: "ops:read" } }, async ({ query }) => {
    const { limit, cursor } = queryOf(query);
    const { entries, unreadable, nextBefore } = await readRedis(audit.page(limit, cursor ?? null));
    return { entries, unreadable, nextCursor: nextBefore === null ? null : String(nextBefore) };
  });
}

/** @throws {QueryInvalidError} */
function queryOf(query: unknown): z.output<typeof auditQuery> {
  const result = auditQuery.safeParse(query);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const [name = issue?.code === "unrecognized_keys" ? issue.keys[0] : undefined] = issue?.path ?? [];
  const parameter = String(name ?? "");
  throw new QueryInvalidError({
    pointer: `/${parameter}`,
    rule: issue?.code.replaceAll("_", "-") ?? "invalid",
    message: RULES.get(parameter) ?? "There is no such parameter; limit and cursor are known.",
  });
}
