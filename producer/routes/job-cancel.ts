/** `POST /v1/jobs/{id}/cancel`: the job shall not run, or not go on. */
import type { FastifyInstance, FastifyReply } from "fastify";
import { z } from "zod";
import { EnvelopeInvalidError } from "#shared/errors";
import { problemOf } from "#shared/http/problem";
import { sendProblem } from "#shared/http/send-problem";
import type { JobState } from "#shared/job-state";
import { type AuditStore, actorOf } from "#shared/redis/audit-store";
import type { JobCanceller } from "#shared/redis/cancel-job";
import { type FindJobPort, ownJob, sendJobNotFound } from "../own-job.ts";
import { readBody } from "../read-body.ts";
import { type Checked, check, sendBodyInvalid } from "../read-query.ts";

export interface JobCancelPorts extends FindJobPort {
  readonly audit: Pick<AuditStore, "record">;
  readonly canceller: Pick<JobCanceller, "cancel">;
}

const BODY_BYTES_MAX = 4_096;
const WHY_CHARS_MAX = 256;

const whyRule = `must be one line of at most ${WHY_CHARS_MAX} characters`;

export const cancelBody = z.strictObject(
  {
    why: z
      .string(whyRule)
      .trim()
      .max(WHY_CHARS_MAX, whyRule)
      .regex(/^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]*$/u, whyRule)
      .optional(),
  },
  'must be a JSON object such as {"why":"ordered twice"}, or be left out',
);

const WRITES = { config: { scope: "jobs:write" }, bodyLimit: BODY_BYTES_MAX } as const;

export function addJobCancelRoute(server: FastifyInstance, ports: JobCancelPorts): void {
  server.post<{ Params: { id: string } }>("/v1/jobs/:id/cancel", WRITES, async (request, reply) => {
    const body = readWhy(request.body);
    if ("errors" in body) return sendBodyInvalid(reply, body.errors);
    const job = await ownJob(request, ports);
    if (job === null) return sendJobNotFound(reply);
    const { id } = job;
    const { tenant } = request.caller;
    const why = body.value.why === "" ? undefined : body.value.why;
    const outcome = await ports.canceller.cancel(id, { tenant, why });
    await ports.audit.record({
      ...actorOf(request),
      action: "job.cancel",
      target: id,
      before: { state: job.state },
      ...(why !== undefined && { why }),
      outcome: outcome.kind === "cancelled" || outcome.kind === "running" ? "done" : "refused",
    });
    switch (outcome.kind) {
      case "cancelled":
        return reply.send({ id, state: "cancelled" });
      case "running":
        return reply.code(202).send({ id, state: "running", cancelling: true });
      case "ended":
        return sendEnded(reply, outcome.state);
      case "unknown":
        return sendJobNotFound(reply);
    }
  });
}

function readWhy(body: unknown): Checked<z.output<typeof cancelBody>> {
  if (typeof body !== "string" || body.trim() === "") return { value: {} };
  try {
    return check(cancelBody, readBody(body));
  } catch (error) {
    if (error instanceof EnvelopeInvalidError) return { errors: error.issues };
    throw error;
  }
}

function sendEnded(reply: FastifyReply, state: JobState): FastifyReply {
  const detail = `The job has ended and stays as it is: ${state}.`;
  return sendProblem(
    reply,
    problemOf({ status: 409, code: "JOB_ENDED", title: "The job has ended", detail, state }),
  );
}
