/** Refusals that several operations of the job API share. */
import type { Refusals } from "#shared/http/operation";

/** Of any route: a request that is none, another host's name, a body of a length or type that is not taken. */
export const REFUSALS_EVERYWHERE: Refusals = {
  400: ["BAD_REQUEST", "BODY_TRUNCATED"],
  421: ["HOST_REFUSED"],
  500: ["INTERNAL"],
};

/** Of a route that asks for a key. */
export const REFUSALS_WITH_SCOPE: Refusals = {};

/** Of a route that asks Redis. */
export const READ_REFUSALS: Refusals = {
  503: ["REDIS_UNAVAILABLE"],
};
