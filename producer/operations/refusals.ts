/** Refusals that several operations of the job API share. */
import type { Refusals } from "#shared/http/operation";

/** Of any route: a request that is none, or one for another host's name. */
export const REFUSALS_EVERYWHERE: Refusals = {
  400: ["BAD_REQUEST"],
  421: ["HOST_REFUSED"],
  500: ["INTERNAL"],
};

/** Of a route with parameters in its path: one may be too long to be any. */
export const REFUSALS_WITH_PARAMS: Refusals = { 414: ["BAD_REQUEST"] };

/** Of a route that asks for a key. */
export const REFUSALS_WITH_SCOPE: Refusals = {
  401: ["UNAUTHENTICATED"],
  403: ["SCOPE_MISSING"],
  429: ["CREDENTIALS_REFUSED_TOO_OFTEN"],
  503: ["REDIS_UNAVAILABLE"],
};

/** Of a route that reads a body. */
export const BODY_REFUSALS: Refusals = {
  400: ["BODY_TRUNCATED"],
  413: ["BODY_TOO_LARGE"],
  415: ["CONTENT_TYPE_UNSUPPORTED"],
};

/** Why a job is not taken, whatever way it comes. */
export const JOB_REFUSALS: Refusals = {
  409: ["VERSION_NOT_ACTIVE"],
  422: ["DATA_INVALID", "ENVELOPE_INVALID", "IDEMPOTENCY_MISMATCH", "TYPE_UNKNOWN", "VERSION_UNKNOWN"],
  429: ["TENANT_BACKLOG_FULL", "THROTTLED"],
  503: ["BACKLOG_FULL", "ENQUEUE_UNKNOWN", "MEMORY_LOW", "NOT_ENQUEUED", "OVERLOADED", "SCHEDULED_FULL"],
};

/** Of a route that takes an idempotency key. */
export const KEY_REFUSALS: Refusals = { 400: ["IDEMPOTENCY_KEY_INVALID"] };
