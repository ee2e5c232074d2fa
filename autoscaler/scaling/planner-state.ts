/**
 * What a pool's planner remembers from one look to the next, as plain JSON: a new leader goes on from it.
 *
 * Bounded: the history by the hold window, arrivals and forecasts of a lane by estimate-arrival-pattern.ts and
 * estimate-forecast.ts, the rest by what is there. Times are those of the sightings; the control loop's are Redis' own, so
 * that they mean the same on every machine.
 */
import { z } from "zod";
import type { IdleAt } from "./decide-idle-release.ts";
import type { WantedAt } from "./decide-recent-maximum.ts";
import type { ArrivalPattern } from "./estimate-arrival-pattern.ts";
import type { ErrorBudgetEstimate } from "./estimate-error-budget.ts";
import { COMPARED_MAX, type ForecastState, HORIZON_MINUTES_MAX } from "./estimate-forecast.ts";
import type { StartingWorkers } from "./estimate-starting-slots.ts";

export interface PlannerState {
  readonly version: 1;
  readonly history: readonly WantedAt[];
  readonly idle: readonly IdleAt[];
  /** By release. */
  readonly starts: Readonly<Record<string, readonly StartingWorkers[]>>;
  /** By lane. */
  readonly arrivals: Readonly<Record<string, ArrivalPattern>>;
  readonly budget: ErrorBudgetEstimate | null;
  /** By lane. */
  readonly forecasts: Readonly<Record<string, ForecastState>>;
}

export const EMPTY_PLANNER_STATE: PlannerState = {
  version: 1,
  history: [],
  idle: [],
  starts: {},
  arrivals: {},
  budget: null,
  forecasts: {},
};

const amount = z.number().min(0);

const plannerState = z.object({
  version: z.literal(1),
  history: z.array(z.object({ atMs: z.number(), byRelease: z.record(z.string(), amount) })),
  idle: z.array(z.object({ atMs: z.number(), freeSlots: z.record(z.string(), amount) })),
  starts: z.record(z.string(), z.array(z.object({ upAtMs: z.number(), workers: amount }))),
  arrivals: z.record(
    z.string(),
    z.object({
      readAtMs: z.number(),
      arrivedTotal: amount,
      entries: z.array(z.tuple([z.number(), amount, amount])),
      dispersion: amount,
    }),
  ),
  budget: z.object({ lateShare: amount, startedTotal: amount, lateTotal: amount }).nullable(),
  forecasts: z.record(
    z.string(),
    z.object({
      minuteAtMs: z.number(),
      arrivedTotal: amount,
      minutes: amount,
      level: z.number(),
      trend: z.number(),
      pending: z.array(z.tuple([amount, amount, amount])).max(HORIZON_MINUTES_MAX),
      errors: z.array(z.tuple([amount, amount])).max(COMPARED_MAX),
      score: z.object({
        comparedMinutes: amount,
        error: amount.nullable(),
        persistenceError: amount.nullable(),
      }),
      trusted: z.boolean(),
    }),
  ),
});

/** The state that was stored, or an empty one where it is not of this version: the planner then holds what is there. */
export function readPlannerState(stored: unknown): PlannerState {
  const read = plannerState.safeParse(stored);
  return read.success ? read.data : EMPTY_PLANNER_STATE;
}

/** Of all lanes together: about 100 kB. */
const KEPT_ENTRIES_MAX = 4_096;

/** Lanes whose forecasts are handed on, about 1 kB each. */
const KEPT_FORECASTS_MAX = 100;

/**
 * What is worth handing on: of very many lanes the latest of each, and the forecasts of the busiest. Without the others a new
 * leader takes the ages in a backlog to be spread evenly, and forecasts anew.
 */
export function plannerStateToKeep(state: PlannerState): PlannerState {
  const patterns = Object.entries(state.arrivals);
  const each = Math.floor(KEPT_ENTRIES_MAX / Math.max(patterns.length, 1));
  const busiest = Object.entries(state.forecasts)
    .toSorted(([, a], [, b]) => b.level - a.level)
    .slice(0, KEPT_FORECASTS_MAX);
  return {
    ...state,
    arrivals: Object.fromEntries(
      patterns.map(([lane, it]) => [lane, { ...it, entries: each === 0 ? [] : it.entries.slice(-each) }]),
    ),
    forecasts: Object.fromEntries(busiest),
  };
}
