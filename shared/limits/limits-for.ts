/** Which bounds hold for a queue, and which throttles a caller's job has to pass. Pure. */
import { DEFAULT_QUEUE_LIMITS, type LimitsBase, type QueueLimits, type Throttle } from "./limits-document.ts";

/** Who hands a job in, as far as throttles tell callers apart. */
export interface ThrottleSubject {
  readonly tenant: string;
  /** `null`: nobody was asked for a key, so no throttle per key applies. */
  readonly keyId: string | null;
  readonly type: string;
}

/** The bounds of a queue; the defaults of one that is not configured. */
export function limitsFor({ queues }: LimitsBase, { queue }: { readonly queue: string }): QueueLimits {
  // `constructor` is a queue's name as good as any.
  return (Object.hasOwn(queues, queue) ? queues[queue] : undefined) ?? DEFAULT_QUEUE_LIMITS;
}

const NONE: readonly Throttle[] = [];

/** Every throttle that a job of this caller and type has to pass, in the document's order. */
export function throttlesFor(limits: LimitsBase, who: ThrottleSubject): readonly Throttle[] {
  return isThrottled(limits, who) ? limits.throttles.filter((it) => isFor(it, who)) : NONE;
}

/** Whether there is one at all; asked for each job, so it makes nothing. */
export function isThrottled({ throttles }: LimitsBase, who: ThrottleSubject): boolean {
  for (const it of throttles) {
    if (isFor(it, who)) return true;
  }
  return false;
}

function isFor(it: Throttle, who: ThrottleSubject): boolean {
  const name = subjectOf(it, who);
  if (name === null) return false;
  return it.value === "*" ? it.except?.includes(name) !== true : it.value === name;
}

/** The tenant, key or type that a throttle counts this caller by; `null` when it has none. */
export function subjectOf({ per }: Throttle, who: ThrottleSubject): string | null {
  switch (per) {
    case "tenant":
      return who.tenant;
    case "key":
      return who.keyId;
    case "type":
      return who.type;
  }
}
