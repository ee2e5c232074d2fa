/** Holds a request against the bounds of `decide-request.ts`; nearly every request asks for nothing that is bounded. */
import type { JobRequest } from "../envelope.ts";
import { fromRfc3339 } from "../system-clock.ts";
import { decideRequest, type RequestDecision, type RequestPolicy } from "./decide-request.ts";

const UNBOUNDED: RequestDecision = { issues: [], delayMs: 0 };

type Bounded = Pick<JobRequest, "scheduledtime" | "expirytime" | "attempts" | "timeoutms">;

export function withinBounds(request: Bounded, policy: RequestPolicy, nowMs: number): RequestDecision {
  const { scheduledtime, expirytime, attempts, timeoutms } = request;
  const isBounded = (scheduledtime ?? expirytime ?? attempts ?? timeoutms) !== undefined;
  if (!isBounded) return UNBOUNDED;
  const dueMs = scheduledtime === undefined ? null : fromRfc3339(scheduledtime);
  const expiresMs = expirytime === undefined ? null : fromRfc3339(expirytime);
  return decideRequest({ attempts, timeoutms, dueMs, expiresMs }, policy, nowMs);
}
