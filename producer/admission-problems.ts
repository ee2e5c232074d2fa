/** What the API answers when a well-formed job is not taken now, or not a second time. */
import {
  BatchAbortedError,
  IdempotencyKeyInvalidError,
  IdempotencyMismatchError,
  NoRoomError,
} from "#shared/admission-errors";
import type { SluiceError } from "#shared/errors";
import { type Problem, problemOf, problemTypeOf } from "#shared/http/problem";
import { retryAfterSecondsOf } from "#shared/http/rate-limit-fields";

const NO_ROOM_TYPES = {
  BACKLOG_FULL: problemTypeOf("BACKLOG_FULL"),
  SCHEDULED_FULL: problemTypeOf("SCHEDULED_FULL"),
  TENANT_BACKLOG_FULL: problemTypeOf("TENANT_BACKLOG_FULL"),
  MEMORY_LOW: problemTypeOf("MEMORY_LOW"),
} as const;

/** Made thousands of times a second under a flood: one literal, always of the same shape. */
function noRoomProblem({ code, message, retryAfterMs }: NoRoomError): Problem {
  return {
    type: NO_ROOM_TYPES[code],
    // A tenant's own bound is the tenant's doing, all else is ours.
    status: code === "TENANT_BACKLOG_FULL" ? 429 : 503,
    code,
    title: "There is no room for the job now",
    detail: message,
    outcome: "not_enqueued",
    retryAfterSeconds: retryAfterSecondsOf(retryAfterMs),
    retryAfterMs: Math.ceil(retryAfterMs),
  };
}

/** `null` for every other error. */
export function admissionProblem(error: SluiceError): Problem | null {
  if (error instanceof NoRoomError) return noRoomProblem(error);
  const base = { code: error.code, detail: error.message, outcome: "not_enqueued" as const };
  if (error instanceof IdempotencyMismatchError) {
    return problemOf({ ...base, status: 422, title: "The key was used for another job" });
  }
  if (error instanceof IdempotencyKeyInvalidError) {
    return problemOf({ ...base, status: 400, title: "The idempotency key cannot be read" });
  }
  if (error instanceof BatchAbortedError) {
    return problemOf({ ...base, status: 409, title: "The batch was refused" });
  }
  return null;
}
