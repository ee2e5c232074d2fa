/**
 * Refusals as RFC 9457 problem details.
 *
 * `code` is stable and safe to match on; `type` is its page in the error reference. `outcome` says
 * whether the job is stored: only a 2xx ever means that it is.
 */
import type { Issue } from "../errors.ts";
import type { JobState } from "../job-state.ts";

export const PROBLEM_CONTENT_TYPE = "application/problem+json; charset=utf-8";

/** What became of the job of a request that was not accepted. */
export type Outcome = "not_enqueued" | "unknown";

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly outcome?: Outcome;
  /** One entry a wrong field, with a JSON pointer into the request body. */
  readonly errors?: readonly Issue[];
  /** Seconds after which trying again makes sense; also the Retry-After header. */
  readonly retryAfterSeconds?: number;
  /** The same exactly, where it is known. */
  readonly retryAfterMs?: number;
  /** Names of the throttles that refused. */
  readonly "violated-policies"?: readonly string[];
  /** The most jobs that one request can ever hand in, where it asked for more. */
  readonly costMax?: number;
  /** How the job is that is in the way of the request. */
  readonly state?: JobState;
}

export interface ProblemFacts {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly outcome?: Outcome;
  readonly errors?: readonly Issue[];
  readonly retryAfterSeconds?: number;
  readonly retryAfterMs?: number;
  readonly "violated-policies"?: readonly string[];
  readonly costMax?: number;
  readonly state?: JobState;
}

export function problemOf(facts: ProblemFacts): Problem {
  // Not one literal with a spread in it: V8 makes a hidden class of its own for each, which only a full collection frees.
  return Object.assign({ type: problemTypeOf(facts.code) }, facts);
}

/** The URI by which a problem of the code is told from others. */
export function problemTypeOf(code: string): string {
  return `urn:sluice:problem:${code.toLowerCase().replaceAll("_", "-")}`;
}
