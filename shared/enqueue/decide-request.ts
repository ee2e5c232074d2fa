/**
 * What is wrong with a request beside its form: bounds that its type's policy and the present time set.
 *
 * Pure: the caller tells the time.
 */
import type { Issue } from "../errors.ts";

/** A job may be scheduled this far ahead. */
const SCHEDULED_AHEAD_MS_MAX = 30 * 86_400_000;

export interface RequestPolicy {
  readonly attempts: number;
  readonly timeoutMs: number;
}

/** What a request asks for, with its times as milliseconds since the Unix epoch. */
export interface RequestBounds {
  readonly attempts?: number | undefined;
  readonly timeoutms?: number | undefined;
  /** `null`: at once. */
  readonly dueMs: number | null;
  /** `null`: never. */
  readonly expiresMs: number | null;
}

export interface RequestDecision {
  readonly issues: readonly Issue[];
  /** How long the job waits for its time; 0 when it has none, or it is past. */
  readonly delayMs: number;
}

export function decideRequest(
  { attempts, timeoutms, dueMs, expiresMs }: RequestBounds,
  policy: RequestPolicy,
  nowMs: number,
): RequestDecision {
  const issues = [
    ...above(attempts, policy.attempts, { pointer: "/attempts", what: "attempts" }),
    ...above(timeoutms, policy.timeoutMs, { pointer: "/timeoutms", what: "milliseconds" }),
    ...timeIssues(dueMs, expiresMs, nowMs),
  ];
  return { issues, delayMs: dueMs === null ? 0 : Math.max(0, dueMs - nowMs) };
}

function above(value: number | undefined, most: number, it: { pointer: string; what: string }): Issue[] {
  if (value === undefined || value <= most) return [];
  const message = `the type's policy allows at most ${most} ${it.what}; ask for less, or leave it out`;
  return [{ pointer: it.pointer, rule: "policy", message }];
}

function timeIssues(dueMs: number | null, expiresMs: number | null, nowMs: number): Issue[] {
  const issues: Issue[] = [];
  if (dueMs !== null && dueMs - nowMs > SCHEDULED_AHEAD_MS_MAX) {
    issues.push({ pointer: "/scheduledtime", rule: "too-far", message: "is more than 30 days ahead" });
  }
  if (expiresMs !== null && expiresMs <= nowMs) {
    issues.push({ pointer: "/expirytime", rule: "past", message: "is past: the job would never be run" });
  } else if (expiresMs !== null && dueMs !== null && expiresMs <= dueMs) {
    const message = "is not after scheduledtime: the job would never be run";
    issues.push({ pointer: "/expirytime", rule: "before-scheduledtime", message });
  }
  return issues;
}
