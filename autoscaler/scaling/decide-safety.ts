/**
 * How carefully a pool is sized: from its posture, its promise and the error budget.
 *
 * Pure. One dial moves by itself: z, the standard deviations of safety in the terms that look at deadlines. While less of
 * the budget is burnt than allowed it goes down, when more is burnt up; it depends only on the share measured over a
 * bounded window, so there is nothing in it that could wind up. What it may reach is bounded at both ends.
 */

/**
 * `economy`: fewest worker-hours the promise allows. `balanced`: the promise with its error budget.
 * `latency`: most jobs start at once.
 */
export type Posture = "economy" | "balanced" | "latency";

export const POSTURES = ["economy", "balanced", "latency"] as const;

/** Jobs that may be late, as a share of all. */
export const ERROR_BUDGET_DEFAULT = 0.01;

export interface SafetyFacts {
  readonly posture: Posture;
  readonly pickupPromiseMs: number;
  readonly startDelayMs: number;
  /** Measured share of late jobs over the allowed share: 1 is exactly on budget. `null`: not measured. */
  readonly burnt: number | null;
}

export interface Safety {
  /** phi: the share of the promise that jobs in the system may use. */
  readonly promiseShare: number;
  /** b: headroom over the load, in its square roots. */
  readonly headroomB: number;
  /** z: standard deviations of safety. */
  readonly safetyZ: number;
}

/** On budget, or not measured. About one burst in a hundred and sixty is larger (normal distribution). */
const Z_ON_BUDGET = 2.5;

/** Nothing burnt: one in six. */
const Z_NOTHING_BURNT = 1;

const Z_MAX = 5;

/** However short the promise, a queue of this share of it does no harm by itself; however long, the rest is for bursts. */
const PROMISE_SHARE_MIN = 0.5;
const PROMISE_SHARE_MAX = 0.75;

const POSTURE_TERMS: Readonly<Record<Posture, { z: number; share: number; b: number }>> = {
  economy: { z: -1, share: 0.1, b: -3 },
  // Three roots below the load hardly ever rule; the terms that look at the jobs do.
  balanced: { z: 0, share: 0, b: -3 },
  latency: { z: 1, share: -0.25, b: 1 },
};

/** What is left of the promise after one start is for a standing queue: phi = 1 - D / W. */
export function decideSafety(facts: SafetyFacts): Safety {
  const { posture, pickupPromiseMs, startDelayMs, burnt } = facts;
  const { z, share, b } = POSTURE_TERMS[posture];
  const left = 1 - startDelayMs / pickupPromiseMs;
  return {
    promiseShare: between(PROMISE_SHARE_MIN, left, PROMISE_SHARE_MAX) + share,
    headroomB: b,
    safetyZ: Math.max(0, zOf(burnt) + z),
  };
}

/** Rises by one for each time that the budget is burnt once more. */
function zOf(burnt: number | null): number {
  if (burnt === null) return Z_ON_BUDGET;
  const slope = burnt <= 1 ? Z_ON_BUDGET - Z_NOTHING_BURNT : 1;
  return between(Z_NOTHING_BURNT, Z_ON_BUDGET + (burnt - 1) * slope, Z_MAX);
}

function between(least: number, value: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
