/** Refusals that several operations of the control API share. */
import type { Refusals } from "#shared/http/operation";

export const REFUSALS_EVERYWHERE: Refusals = {
  400: ["BAD_REQUEST"],
  421: ["HOST_REFUSED"],
  500: ["INTERNAL"],
};

/** One may be too long to be any. */
export const REFUSALS_WITH_PARAMS: Refusals = { 414: ["BAD_REQUEST"] };

export const REFUSALS_WITH_SCOPE: Refusals = {
  401: ["UNAUTHENTICATED"],
  403: ["SCOPE_MISSING"],
  429: ["CREDENTIALS_REFUSED_TOO_OFTEN"],
  503: ["REDIS_UNAVAILABLE"],
};

/** Of a route that changes something. */
export const WRITE_REFUSALS: Refusals = {
  403: ["CROSS_SITE_REFUSED"],
  413: ["BAD_REQUEST"],
  415: ["BAD_REQUEST"],
  422: ["BODY_INVALID"],
};
