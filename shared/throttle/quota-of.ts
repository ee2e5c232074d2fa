/** What a caller is told of a throttle, from its count. Pure. */
import type { ThrottleTerms } from "../redis/throttle-store.ts";
import { afterTake, type Counted, counterOf, remainingOf, waitMsOf } from "./counted.ts";
import type { Quota } from "./quota.ts";

/** @param look its count before the take and what was taken, 0 for a refused request; `null`: it was not asked. */
export function quotaOf(
  { throttle, subject }: ThrottleTerms,
  look: { readonly counted: Counted; readonly cost: number } | null,
): Quota {
  const { name, limit: quota, windowMs } = throttle;
  const partition = partitionOf({ throttle, subject });
  const base = { name, unit: "jobs" as const, quota, windowMs, partition };
  if (look === null) return { ...base, remaining: null, resetMs: 0, violated: false };
  const { counted, cost } = look;
  const counter = counterOf(throttle);
  const wasTaken = counted.verdict === "passes" || counted.verdict === "delayed";
  const count = wasTaken ? afterTake(counter, counted, cost) : counted;
  const left = remainingOf(counter, count);
  const resetMs = waitMsOf(counter, count, { cost: left + 1 }) ?? 0;
  return { ...base, remaining: Math.min(left, quota), resetMs, violated: counted.verdict !== "passes" };
}

/** @param held requests that hold the cap, this one included if it does. */
export function cappedQuota(
  { throttle, subject }: Pick<ThrottleTerms, "throttle" | "subject">,
  { held, violated }: { readonly held: number; readonly violated: boolean },
): Quota {
  const { name, limit: quota } = throttle;
  return {
    name,
    unit: "concurrent-requests",
    quota,
    windowMs: null,
    partition: partitionOf({ throttle, subject }),
    remaining: Math.max(0, quota - held),
    resetMs: 0,
    violated,
  };
}

function partitionOf({ throttle, subject }: Pick<ThrottleTerms, "throttle" | "subject">): string | null {
  return throttle.value === "*" ? `${throttle.per}:${subject}` : null;
}
