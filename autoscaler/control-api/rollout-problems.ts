/** Refusals of the routes about rollouts: what is in the way, by name. */
import { type Problem, problemOf } from "#shared/http/problem";
import type { ActAnswer, StartAnswer } from "../rollout/rollout-desk.ts";

export const CHANGE_UNKNOWN = problemOf({
  status: 503,
  code: "ROLLOUT_CHANGE_UNKNOWN",
  title: "It is not known whether the rollout changed",
  detail: "Redis did not answer, so it is not known whether it was stored; look before trying again.",
});

export const NO_ROLLOUT = problemOf({
  status: 404,
  code: "ROLLOUT_NOT_FOUND",
  title: "No such rollout",
  detail: "This pool never had a rollout.",
});

export function startRefusal(answer: Exclude<StartAnswer, { kind: "started" }>): Problem {
  if (answer.kind === "unknown-pool") return unknownPool(answer.pools);
  const { blockers } = answer;
  return problemOf({
    status: 409,
    code: "ROLLOUT_BLOCKED",
    title: "The rollout may not begin",
    detail: blockers.map(({ what }) => what).join("; "),
    errors: blockers.map(({ code, what }) => ({ pointer: "", rule: code, message: what })),
  });
}

export function actRefusal(answer: Exclude<ActAnswer, { kind: "done" }>): Problem {
  switch (answer.kind) {
    case "unknown-pool":
      return unknownPool(answer.pools);
    case "no-rollout":
      return NO_ROLLOUT;
    case "refused":
      return refused(answer.code, answer.reason);
  }
}

function refused(code: Extract<ActAnswer, { kind: "refused" }>["code"], reason: string): Problem {
  const detail = `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`;
  switch (code) {
    case "stale-revision":
    case "stale-observation":
      return problemOf({
        status: 409,
        code: "ROLLOUT_CHANGED",
        title: "The rollout changed meanwhile",
        detail,
      });
    case "not-in-this-state":
    case "too-many-drainers":
      return problemOf({ status: 409, code: "ROLLOUT_STATE", title: "Not in this state", detail });
    case "who-missing":
    case "why-missing":
    case "expiry-wrong":
    case "release-wrong": {
      const issue = { pointer: FIELDS[code], rule: code, message: reason };
      const title = "The request is not valid";
      return problemOf({ status: 422, code: "BODY_INVALID", title, detail, errors: [issue] });
    }
  }
}

const FIELDS = {
  "who-missing": "/by",
  "why-missing": "/why",
  "expiry-wrong": "/expiresInMs",
  "release-wrong": "/to",
} as const;

function unknownPool(pools: readonly string[]): Problem {
  const named = pools.slice(0, 20).join(", ") || "none";
  const detail = `The configuration has no pool of that name; it has ${named}.`;
  return problemOf({ status: 404, code: "POOL_UNKNOWN", title: "No such pool", detail });
}
