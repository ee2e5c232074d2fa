/**
 * What a pool's planner remembers from one look to the next, as plain JSON: a new leader goes on from it.
 *
 * Bounded: the history by the hold window, the arrivals of a lane by estimate-arrival-pattern.ts, the rest by what is there.
 */
import { z } from "zod";
import type { IdleAt } from "./decide-idle-release.ts";
import type { WantedAt } from "./decide-recent-maximum.ts";
import type { ArrivalPattern } from "./estimate-arrival-pattern.ts";
import type { ErrorBudgetEstimate } from "./estimate-error-budget.ts";
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
}

export const EMPTY_PLANNER_STATE: PlannerState = {
  version: 1,
  history: [],
  idle: [],
  starts: {},
  arrivals: {},
  budget: null,
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
});

/** The state that was stored, or an empty one where it is not of this version: the planner then holds what is there. */
export function readPlannerState(stored: unknown): PlannerState {
  const read = plannerState.safeParse(stored);
  return read.success ? read.data : EMPTY_PLANNER_STATE;
}
