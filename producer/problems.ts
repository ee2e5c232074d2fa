/**
 * What the API answers to each error. Every refusal of a job says that it is not enqueued, and
 * "unknown" is said only when it truly is. Unexpected errors show nothing of themselves.
 */
import type { FastifyError } from "fastify";
import {
  DataInvalidError,
  EnqueueUnknownError,
  EnvelopeInvalidError,
  NotEnqueuedError,
  RedisUnavailableError,
  SluiceError,
  ThrottledError,
  TypeUnknownError,
  VersionNotActiveError,
  VersionUnknownError,
} from "#shared/errors";
import { type Problem, problemOf } from "#shared/http/problem";
import { retryAfterSecondsOf } from "#shared/http/rate-limit-fields";
import { admissionProblem } from "./admission-problems.ts";

/** Redis comes back within seconds or not soon; a client that asks each second does no harm. */
const REDIS_RETRY_AFTER_SECONDS = 1;

/** A gate is raised by a person or at the end of a rollout, neither of them at once. */
const GATE_RETRY_AFTER_SECONDS = 30;

export function problemFor(error: unknown): Problem {
  if (error instanceof SluiceError) return problemForOurs(error);
  if (isFastifyError(error)) return problemForFastify(error);
  return problemOf({
    status: 500,
    code: "INTERNAL",
    title: "Something went wrong here",
    detail: "The request failed for a reason of ours; the log has it. The job's state is not known.",
    outcome: "unknown",
  });
}

function problemForOurs(error: SluiceError): Problem {
  const refused = admissionProblem(error);
  if (refused !== null) return refused;
  const base = { code: error.code, detail: error.message, outcome: "not_enqueued" as const };
  if (error instanceof EnvelopeInvalidError) {
    return problemOf({ ...base, status: 422, title: "The request is not a valid job", errors: error.issues });
  }
  if (error instanceof DataInvalidError) {
    return problemOf({
      ...base,
      status: 422,
      title: "The data does not fit its version",
      errors: error.issues,
    });
  }
  if (error instanceof TypeUnknownError) {
    const errors = [{ pointer: "/type", rule: "unknown-type", message: error.message }];
    return problemOf({ ...base, status: 422, title: "Unknown job type", errors });
  }
  if (error instanceof VersionUnknownError) {
    const errors = [{ pointer: "/schemaversion", rule: "unknown-version", message: error.message }];
    return problemOf({ ...base, status: 422, title: "Unknown schema version", errors });
  }
  if (error instanceof VersionNotActiveError) {
    const errors = [{ pointer: "/schemaversion", rule: "version-not-active", message: error.message }];
    const retryAfterSeconds = GATE_RETRY_AFTER_SECONDS;
    return problemOf({
      ...base,
      status: 409,
      title: "The version is not active yet",
      errors,
      retryAfterSeconds,
    });
  }
  if (error instanceof ThrottledError) return throttledProblem(error);
  if (error instanceof RedisUnavailableError) {
    const { code, message: detail } = error;
    const retryAfterSeconds = REDIS_RETRY_AFTER_SECONDS;
    return problemOf({ status: 503, code, title: "Redis is not reachable", detail, retryAfterSeconds });
  }
  const retry = { retryAfterSeconds: REDIS_RETRY_AFTER_SECONDS };
  if (error instanceof NotEnqueuedError) {
    return problemOf({ ...base, ...retry, status: 503, title: "The job was not enqueued" });
  }
  if (error instanceof EnqueueUnknownError) {
    const title = "It is not known whether the job was enqueued";
    return problemOf({ ...base, ...retry, status: 503, title, outcome: "unknown" });
  }
  return problemOf({ ...base, status: 500, title: "Something went wrong here", outcome: "unknown" });
}

function throttledProblem({
  code,
  message: detail,
  retryAfterMs,
  violated,
  costMax,
}: ThrottledError): Problem {
  return problemOf({
    status: 429,
    code,
    title: "Too many jobs",
    detail,
    outcome: "not_enqueued",
    retryAfterSeconds: retryAfterSecondsOf(retryAfterMs),
    retryAfterMs,
    "violated-policies": violated,
    ...(costMax === null ? {} : { costMax }),
  });
}

function problemForFastify(error: FastifyError): Problem {
  const status = error.statusCode ?? 500;
  const known = FASTIFY_PROBLEMS.get(error.code);
  const { code, title, detail } = known ?? {
    code: "BAD_REQUEST",
    title: "Bad request",
    detail: error.message,
  };
  return problemOf({ status, code, title, detail, outcome: "not_enqueued" });
}

const FASTIFY_PROBLEMS = new Map([
  [
    "FST_ERR_CTP_BODY_TOO_LARGE",
    {
      code: "BODY_TOO_LARGE",
      title: "The body is too large",
      detail:
        "The body of a job may have at most 262,144 bytes, that of a batch 8 MiB; store the bulk elsewhere and send " +
        "a reference, or send the jobs of a large batch as application/x-ndjson.",
    },
  ],
  [
    "FST_ERR_CTP_INVALID_MEDIA_TYPE",
    {
      code: "CONTENT_TYPE_UNSUPPORTED",
      title: "Unsupported content type",
      detail:
        "Send application/json or application/cloudevents+json in the Content-Type header; a batch also takes " +
        "application/x-ndjson and application/cloudevents-batch+json.",
    },
  ],
  [
    "FST_ERR_CTP_INVALID_CONTENT_LENGTH",
    {
      code: "BODY_TRUNCATED",
      title: "The body is incomplete",
      detail: "The body is shorter or longer than its Content-Length says.",
    },
  ],
]);

function isFastifyError(error: unknown): error is FastifyError {
  if (!(error instanceof Error) || !("statusCode" in error)) return false;
  return typeof error.statusCode === "number" && error.statusCode < 500;
}
