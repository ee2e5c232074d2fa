/** Checks a request's query or body against a strict schema, and says by field what is wrong. */
import type { FastifyReply } from "fastify";
import type { z } from "zod";
import type { Issue } from "#shared/errors";
import { problemOf } from "#shared/http/problem";
import { sendProblem } from "#shared/http/send-problem";
import { pointerTo } from "#shared/json-pointer";

export type Checked<Value> = { readonly value: Value } | { readonly errors: readonly Issue[] };

export function check<Schema extends z.ZodType>(schema: Schema, value: unknown): Checked<z.output<Schema>> {
  const result = schema.safeParse(value);
  return result.success ? { value: result.data } : { errors: result.error.issues.flatMap(issuesOf) };
}

export function sendQueryInvalid(reply: FastifyReply, errors: readonly Issue[]): FastifyReply {
  const title = "A query parameter is wrong";
  return sendProblem(
    reply,
    problemOf({ status: 422, code: "QUERY_INVALID", title, detail: listed(errors), errors }),
  );
}

export function sendBodyInvalid(reply: FastifyReply, errors: readonly Issue[]): FastifyReply {
  const title = "The request is not valid";
  return sendProblem(
    reply,
    problemOf({ status: 422, code: "BODY_INVALID", title, detail: listed(errors), errors }),
  );
}

function listed(errors: readonly Issue[]): string {
  return errors.map((it) => `${it.pointer || "(request)"}: ${it.message}`).join("; ");
}

function issuesOf(issue: z.core.$ZodIssue): Issue[] {
  if (issue.code === "unrecognized_keys") {
    const message = "is not known here; remove it";
    return issue.keys.map((key) => ({
      pointer: pointerTo([...issue.path, key]),
      rule: "unknown-field",
      message,
    }));
  }
  return [{ pointer: pointerTo(issue.path), rule: issue.code.replaceAll("_", "-"), message: issue.message }];
}
