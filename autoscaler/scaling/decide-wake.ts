/**
 * Whether a peek at a queue is reason to size its pool before the next tick.
 *
 * Pure. It asks the question of the law's first term: can the slots that are there or on their way run what is in the
 * queue within half the promise? If they cannot, or much more waits than at the last look, the loop is woken. Each
 * early round in a row makes the next one wait longer, so that a load that is merely steady is looked at tick by
 * tick.
 */

/** Service time while none is known, as the law takes it. */
const SERVICE_TIME_MS_DEFAULT = 1_000;

/** Shortest time from one early round to the next; doubles with each that follows another. */
const EARLY_MS_MIN = 500;

export interface WakeObservation {
  /** Jobs due and not taken, now. */
  readonly waiting: number;
  /** Jobs in flight at the last look. */
  readonly inFlight: number;
  /** Jobs that waited at the last look. */
  readonly waitingBefore: number;
  /** Slots of workers that take jobs or are asked for already. */
  readonly slots: number;
  /** Whether the pool is as large as it may be. */
  readonly isFull: boolean;
  readonly serviceTimeMs: number | null;
  /** Since the last round of any kind, in milliseconds. */
  readonly sinceRoundMs: number;
  /** Early rounds since the last that came by the tick. */
  readonly earlyRounds: number;
}

export interface WakePolicy {
  readonly pickupPromiseMs: number;
}

export type WakeDecision =
  | { readonly kind: "wake"; readonly reason: "nobody" | "too-few-slots" | "much-more" }
  | { readonly kind: "wait"; readonly reason: "nothing-waits" | "full" | "enough" | "just-looked" };

export function decideWake(seen: WakeObservation, { pickupPromiseMs }: WakePolicy): WakeDecision {
  if (seen.waiting === 0) return { kind: "wait", reason: "nothing-waits" };
  if (seen.slots === 0) return { kind: "wake", reason: "nobody" };
  if (seen.isFull) return { kind: "wait", reason: "full" };
  const reason = reasonToWake(seen, pickupPromiseMs);
  if (reason === null) return { kind: "wait", reason: "enough" };
  if (seen.sinceRoundMs < earlyRestMs(seen.earlyRounds)) return { kind: "wait", reason: "just-looked" };
  return { kind: "wake", reason };
}

/** How long after a round an early one may follow, in milliseconds. @param earlyRounds since the last by the tick. */
export function earlyRestMs(earlyRounds: number): number {
  return EARLY_MS_MIN * 2 ** Math.min(earlyRounds, 10);
}

function reasonToWake(seen: WakeObservation, pickupPromiseMs: number): "too-few-slots" | "much-more" | null {
  const { waiting, waitingBefore, inFlight, slots } = seen;
  const serviceTimeMs = Math.max(1, seen.serviceTimeMs ?? SERVICE_TIME_MS_DEFAULT);
  const needed = (waiting + inFlight) / (1 + (0.5 * pickupPromiseMs) / serviceTimeMs);
  if (needed > slots) return "too-few-slots";
  return waiting > 2 * waitingBefore + 2 * slots ? "much-more" : null;
}
