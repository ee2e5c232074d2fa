/**
 * Whether a forecast of what will come is believed, and how many slots it asks for.
 *
 * Pure. A forecast may only raise: taking away what will perhaps not be needed is how promises are broken. It runs in shadow, where it is told
 * and changes nothing, until it has been better for long enough, and again as soon as it is worse. The forecasts and
 * their errors are estimate-forecast.ts's.
 */
import { DUST } from "./decide-lane-change.ts";
import type { ForecastScore } from "./estimate-forecast.ts";

/** `off`: none is made. `shadow`: made, judged and told, never applied. `auto`: applied while it has proven better. */
export type ForecastPolicy = "off" | "shadow" | "auto";

/** Half an hour: fewer comparisons are won by luck. */
export const COMPARED_MIN = 30;

/** Share by which the mean error has to be below the opponent's. */
const BETTER_BY = 0.1;

/** A lane that would keep less than this of a slot busy needs nobody to wait for it. */
const IDLE_LOAD_SLOTS = 0.5;

export interface ForecastFacts extends ForecastScore {
  readonly policy: ForecastPolicy;
  /** Jobs a minute. `null`: none could be made yet. */
  readonly perMinute: number | null;
  readonly trusted: boolean;
  /** Mean time a job holds a slot, in milliseconds. `null`: not known. */
  readonly serviceTimeMs: number | null;
  /** b of the law. */
  readonly headroomB: number;
  /** What the law asks for without the forecast. `null`: not known. */
  readonly slots: number | null;
}

export interface LaneForecast extends ForecastScore {
  readonly mode: "shadow" | "applied";
  /** Jobs a minute that should come by the time that a worker ordered now is up. */
  readonly perMinute: number;
  /** R + b sqrt(R) of that. `null`: the service time is not known. */
  readonly slots: number | null;
  /** Slots for the lane: the law's, or the forecast's where it is applied and more. `null`: the law's are not known. */
  readonly laneSlots: number | null;
}

/** Trusted by being better by a tenth; distrusted by being no better at all. In between it stays as it was. */
export function isForecastTrusted(
  was: boolean,
  { comparedMinutes, error, persistenceError }: ForecastScore,
): boolean {
  if (comparedMinutes < COMPARED_MIN || error === null || persistenceError === null) return false;
  if (persistenceError <= 0) return false;
  return error < persistenceError * (was ? 1 : 1 - BETTER_BY);
}

/** `null`: there is no forecast to tell of. */
export function decideForecast(facts: ForecastFacts): LaneForecast | null {
  const { policy, perMinute, trusted, serviceTimeMs, headroomB } = facts;
  const { comparedMinutes, error, persistenceError } = facts;
  if (policy === "off" || perMinute === null) return null;
  const slots = serviceTimeMs === null ? null : slotsFor((perMinute * serviceTimeMs) / 60_000, headroomB);
  const mode = policy === "auto" && trusted ? "applied" : "shadow";
  const raised = mode === "applied" && slots !== null && facts.slots !== null;
  return {
    mode,
    perMinute,
    slots,
    comparedMinutes,
    error,
    persistenceError,
    laneSlots: raised ? Math.max(facts.slots, slots) : facts.slots,
  };
}

function slotsFor(loadSlots: number, headroomB: number): number {
  if (loadSlots < IDLE_LOAD_SLOTS) return 0;
  return Math.max(0, Math.ceil(loadSlots + headroomB * Math.sqrt(loadSlots) - DUST));
}
