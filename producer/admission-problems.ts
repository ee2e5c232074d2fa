/** What the API answers when a well-formed job is not taken now, or not a second time. */
import {
  BatchAbortedError,
  IdempotencyKeyInvalidError,
  IdempotencyMismatchError,
  NoRoomError,
} from "#shared/admission-errors";
import type { SluiceError } from "#shared/errors";
import { type Problem, problemOf } from "#shared/http/problem";
import { retryAfterSecondsOf } from "#shared/http/rate-limit-fields";

/** `null` for every other error. */
export function admissionProblem(error: SluiceError): Problem | null {
  const base = { code: error.code, detail: error.message, outcome: "not_enqueued" as const };
  if (error instanceof NoRoomError) {
    const { retryAfterMs } = error;
    return problemOf({
      ...base,
      // A tenant's own bound is the tenant's doing, all else is ours.
      status: error.code === "TENANT_BACKLOG_FULL" ? 429 : 503,
      title: "There is no room for the job now",
      retryAfterSeconds: retryAfterSecondsOf(retryAfterMs),
      retryAfterMs: Math.ceil(retryAfterMs),
    });
  }
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
