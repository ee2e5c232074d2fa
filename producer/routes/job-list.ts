/** `GET /v1/jobs`: the caller's jobs, newest first, a page at a time. */
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { TYPE_PATTERN } from "#shared/envelope";
import { JOB_STATES } from "#shared/job-state";
import type { JobLister } from "#shared/redis/job-list";
import { CURSOR_CHARS_MAX, cursorOf, type ListFilter, positionOf } from "../list-cursor.ts";
import { check, sendQueryInvalid } from "../read-query.ts";

export interface JobListPorts {
  readonly lister: Pick<JobLister, "list">;
}

export const PAGE_JOBS_MAX = 200;

const limitRule = `must be a whole number from 1 to ${PAGE_JOBS_MAX}`;
const typeRule = 'must be a job type such as "receipt.render"';

export const jobsQuery = z.strictObject({
  state: z.enum(JOB_STATES, `must be one of ${JOB_STATES.join(", ")}`).optional(),
  type: z.string(typeRule).max(128, typeRule).regex(TYPE_PATTERN, typeRule).optional(),
  limit: z
    .string(limitRule)
    .regex(/^[1-9]\d{0,2}$/, limitRule)
    .transform(Number)
    .refine((limit) => limit <= PAGE_JOBS_MAX, limitRule)
    .default(50),
  cursor: z.string("must be a text").max(CURSOR_CHARS_MAX, "is too long").optional(),
});

const CURSOR_WRONG = {
  pointer: "/cursor",
  rule: "cursor",
  message: "is none that was given for this state and type; begin again without one",
};

const READS = { config: { scope: "jobs:read" } } as const;

export function addJobListRoute(server: FastifyInstance, ports: JobListPorts): void {
  server.get("/v1/jobs", READS, async (request, reply) => {
    const query = check(jobsQuery, request.query);
    if ("errors" in query) return sendQueryInvalid(reply, query.errors);
    const { state = null, type = null, limit, cursor } = query.value;
    const filter = { state, type };
    const position = cursor === undefined ? null : positionOf(cursor, filter);
    if (cursor !== undefined && position === null) return sendQueryInvalid(reply, [CURSOR_WRONG]);
    const { tenant } = request.caller;
    const page = await ports.lister.list({ tenant, ...filter, limit, position });
    const nextCursor = page.next === null ? null : cursorOf(page.next, filter);
    if (nextCursor !== null) reply.header("link", linkTo(filter, limit, nextCursor));
    return reply.send({ jobs: page.jobs, nextCursor });
  });
}

function linkTo({ state, type }: ListFilter, limit: number, cursor: string): string {
  const query = new URLSearchParams({
    ...(state !== null && { state }),
    ...(type !== null && { type }),
    limit: String(limit),
    cursor,
  });
  return `</v1/jobs?${query}>; rel="next"`;
}
