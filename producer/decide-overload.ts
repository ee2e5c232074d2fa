/**
 * How many requests that hand jobs in are served at once, and which may wait for that.
 *
 * The limit follows what the process can bear: it falls by a fifth when requests take too long or the event loop is
 * late, and rises by a step when there was demand for more and both were well (additive increase,
 * multiplicative decrease). What is beyond it waits, and a queue that stands is refused at its end (the idea of CoDel,
 * RFC 8289: a burst makes a queue that goes away, too much load one that stays). Pure: the gate keeps the counts
 * and the time.
 */
import type { Priority } from "#shared/envelope";

/** Requests served at once; never fewer, so that a stall does not close the door for good. */
export const LIMIT_MIN = 80;
export const LIMIT_MAX = 4_000;
export const LIMIT_AT_START = 96;

const LIMIT_STEP = 16;
const LIMIT_CUT = 0.8;

/** A request that takes longer than this waits for others more than for Redis. */
const LATENCY_MS_MAX = 30;

/** An event loop that is this late answers nobody in time. */
const LOOP_DELAY_MS_MAX = 20;

/** The share of the limit that was needed for it to rise. */
const DEMAND_SHARE = 0.8;

export interface ProcessLoad {
  /** Mean time that the requests took which were answered since the last look; `null`: none was. */
  readonly latencyMs: number | null;
  /** Mean lateness of the event loop since then, in milliseconds. */
  readonly loopDelayMs: number;
  /** The most requests that were served at once since then. */
  readonly heldMax: number;
}

export function decideLimit(limit: number, { latencyMs, loopDelayMs, heldMax }: ProcessLoad): number {
  const isLate = (latencyMs ?? 0) > LATENCY_MS_MAX || loopDelayMs > LOOP_DELAY_MS_MAX;
  if (isLate) return Math.max(LIMIT_MIN, Math.floor(limit * LIMIT_CUT));
  return heldMax >= limit * DEMAND_SHARE ? Math.min(LIMIT_MAX, limit + LIMIT_STEP) : limit;
}

/** The share of the limit that requests of a priority may fill: what matters more finds a place beside what does not. */
const SHARES: Readonly<Record<Priority, number>> = { critical: 1, high: 0.95, normal: 0.85, low: 0.5 };

/** The share that one tenant may fill while others send, too: who comes in beside it waits for half as many. */
const TENANT_SHARE = 0.5;

export interface PlaceFacts {
  readonly limit: number;
  /** Requests that are served now. */
  readonly held: number;
  /** Those of them that are of the tenant. */
  readonly heldByTenant: number;
  /** Other tenants have sent lately. */
  readonly isShared: boolean;
  readonly priority: Priority;
}

/** Whether one more may be served. */
export function mayBegin({ limit, held, heldByTenant, isShared, priority }: PlaceFacts): boolean {
  if (isShared && heldByTenant >= limit * TENANT_SHARE) return false;
  return held < limit * SHARES[priority];
}

/**
 * Longest that a request may have lain unread, in milliseconds, where most of its tenant's are refused: the few places
 * that come free are as good for one that has just come, whose sender has not waited yet.
 */
const UNREAD_MS_MAX: Readonly<Record<Priority, number>> = {
  critical: Number.POSITIVE_INFINITY,
  high: Number.POSITIVE_INFINITY,
  normal: 10,
  low: 5,
};

/** The same while other tenants send, too: to read what is refused all the same is time taken from those. */
const UNREAD_SHARED_MS_MAX = 2;

/** @param isShared other tenants have sent lately. */
export function unreadMsMax(priority: Priority, isShared: boolean): number {
  const alone = UNREAD_MS_MAX[priority];
  return isShared && Number.isFinite(alone) ? UNREAD_SHARED_MS_MAX : alone;
}

/** Requests begun in one turn of the event loop: then others are read, and answers are sent. */
const BEGUN_A_TURN = 32;

/** The same while several tenants send: a short turn is what a quiet one waits for, and a call of fewer jobs what it costs. */
const BEGUN_A_TURN_SHARED = 8;

export function begunATurnMax(isShared: boolean): number {
  return isShared ? BEGUN_A_TURN_SHARED : BEGUN_A_TURN;
}

/** Refusals of a tenant in one look from which on they are more than chance. */
const REFUSED_ENOUGH = 20;

/** Whether most of what a tenant sent since the last look was refused, for whatever want of room. */
export function isMostlyRefused({ taken, refused }: { readonly taken: number; readonly refused: number }) {
  return refused >= REFUSED_ENOUGH && refused > taken;
}

/** Requests of one tenant that may come at once and all are served, however long the last of them waits. */
export const BURST_REQUESTS = 600;

/** Longest wait of one of a burst, in milliseconds. */
export const BURST_WAIT_MS_MAX = 1_000;

/**
 * Longest wait of one that comes when the burst is over, in milliseconds. What matters most outlasts a stall, of the disk
 * or the event loop, of some hundred milliseconds; it goes before all others, so it waits for long only then.
 */
export const WAIT_MS_MAX: Readonly<Record<Priority, number>> = {
  critical: 1_000,
  high: 500,
  normal: 15,
  low: 10,
};

/** Requests that wait: what they cost is memory. */
export const WAITING_MAX = 4_000;

export interface WaitFacts {
  readonly priority: Priority;
  /** It came on a connection on which another has no answer yet: its sender does not wait for answers. */
  readonly isPipelined: boolean;
  /** Requests that wait, the one that asks not counted. */
  readonly waiting: number;
  /** Those of them that are of its tenant. */
  readonly waitingOfTenant: number;
  /** Tenants of which any waits. */
  readonly tenants: number;
  /** Requests of its tenant that have come since none of it waited, itself not counted. */
  readonly arrived: number;
  /** How long the first of its tenant and priority has waited; 0: it is the first. */
  readonly firstWaitedMs: number;
}

export type WaitDecision =
  /** It may wait for at most so long. */
  | { readonly kind: "wait"; readonly waitMsMax: number }
  /** `share`: its tenant has its part of the places; `queue`: those before it wait for too long already. */
  | { readonly kind: "refused"; readonly reason: "share" | "queue" };

export function decideWait(facts: WaitFacts): WaitDecision {
  const { priority, isPipelined, waiting, waitingOfTenant, tenants, arrived, firstWaitedMs } = facts;
  // What others have left is not all of it: a tenant that comes last finds a place.
  if (waitingOfTenant >= WAITING_MAX / (tenants + 1) || waiting >= WAITING_MAX) {
    return { kind: "refused", reason: "share" };
  }
  if (arrived < BURST_REQUESTS && !isPipelined) return { kind: "wait", waitMsMax: BURST_WAIT_MS_MAX };
  const waitMsMax = WAIT_MS_MAX[priority];
  return firstWaitedMs > waitMsMax ? { kind: "refused", reason: "queue" } : { kind: "wait", waitMsMax };
}
