/**
 * The memory of one pool's scaling between ticks: what was wanted lately, and so what may not be taken away yet;
 * what came, who is on the way, how much of the error budget is burnt.
 *
 * The judgement is in decide-*.ts; this only carries their state from one tick to the next. It has no clock and no
 * effects, so that the simulator runs the same code as the control loop: the plan depends on state and sighting alone.
 */
import type { PoolClamp } from "./decide-clamps.ts";
import { aloneMs } from "./decide-deadline-slots.ts";
import { isForecastTrusted } from "./decide-forecast.ts";
import { decideIdleRelease, type IdlePolicy, idleWindowMs, rememberIdle } from "./decide-idle-release.ts";
import type { PoolRelease } from "./decide-lane-owners.ts";
import { TICK_MS } from "./decide-lane-slots.ts";
import { decidePool, type PoolDecision } from "./decide-pool.ts";
import { decidePoolCeilings } from "./decide-pool-ceilings.ts";
import {
  holdEndsAtMs,
  holdRecentMaximum,
  holdWindowMs,
  rememberWanted,
  type WorkersByRelease,
  workersOf,
} from "./decide-recent-maximum.ts";
import { decideSafety, ERROR_BUDGET_DEFAULT, type Posture, type Safety } from "./decide-safety.ts";
import { type ArrivalPattern, followArrivals } from "./estimate-arrival-pattern.ts";
import { burntOf, estimateErrorBudget } from "./estimate-error-budget.ts";
import { type ForecastState, followForecast } from "./estimate-forecast.ts";
import { followStarts, type StartingWorkers } from "./estimate-starting-slots.ts";
import type { PlannedPolicy, PoolSighting, SizedLane } from "./planner-input.ts";
import { EMPTY_PLANNER_STATE, type PlannerState } from "./planner-state.ts";
import { sharingOf, sizeLane } from "./size-lane.ts";

/** How much lateness is allowed, how much there was, and what that makes of the law's dials. */
export interface ErrorBudget {
  /** Share of jobs that may be late. */
  readonly target: number;
  /** Share that was, over about the last thousand jobs. `null`: not measured. */
  readonly lateShare: number | null;
  /** Over the target: 1 is exactly on budget. */
  readonly burnt: number | null;
  /** The share of the promise that jobs in the system may use. */
  readonly phi: number;
  /** Headroom over the load, in its square roots. */
  readonly b: number;
  /** Standard deviations of safety. */
  readonly z: number;
  readonly posture: Posture;
  readonly sentence: string;
}

export interface PoolPlan {
  readonly decision: PoolDecision;
  readonly sized: readonly SizedLane[];
  readonly errorBudget: ErrorBudget;
}

export class PoolPlanner {
  readonly #policy: PlannedPolicy;
  #state: PlannerState;
  #last: { readonly starts: PlannerState["starts"]; readonly sighting: PoolSighting } | null = null;

  constructor(policy: PlannedPolicy, state: PlannerState = EMPTY_PLANNER_STATE) {
    this.#policy = policy;
    this.#state = state;
  }

  /** What the next plan depends on beside its sighting: plain JSON. See `readPlannerState`. */
  get state(): PlannerState {
    return this.#state;
  }

  /** Sizes the pool, and remembers what was wanted. */
  plan(sighting: PoolSighting): PoolPlan {
    const { nowMs, lanes, releases, startDelayMs, bounds } = sighting;
    const policy = { ...this.#policy, ...bounds };
    const tickMs = policy.tickMs ?? TICK_MS;
    const windowMs = holdWindowMs(policy.scaleInHoldMs, startDelayMs);
    const before = this.#state;
    const budget = this.#followBudget(sighting);
    const errorBudget = errorBudgetOf(policy, { startDelayMs, lateShare: budget?.lateShare ?? null });
    const arrivals = arrivalsAfter(before.arrivals, sighting, tickMs);
    const forecasts = forecastsAfter(before.forecasts, sighting, policy);
    const starts = startsAfter(before.starts, sighting);
    const facts = { startDelayMs, tickMs, slotsPerWorker: policy.slotsPerWorker };
    const idle = rememberIdle(
      before.idle,
      { atMs: nowMs, freeSlots: freeSlotsOf(releases) },
      idleWindowMs(facts),
    );

    const safety: Safety = {
      promiseShare: errorBudget.phi,
      headroomB: errorBudget.b,
      safetyZ: errorBudget.z,
    };
    const clamped: PoolClamp[] = [];
    const sharing = sharingOf(sighting, policy.slotsPerWorker);
    const memory = { sighting, policy, safety, tickMs, arrivals, forecasts, starts, sharing };
    const sized = lanes.map((seen) => {
      const lane = sizeLane(seen, memory);
      if (lane.clamp !== null) clamped.push({ by: "breakers-open", ...lane.clamp });
      return lane.sized;
    });
    const decided = decidePool(
      {
        observedAtMs: nowMs,
        lanes: sized.map(({ lane }) => lane),
        releases,
        recent: {
          ...holdRecentMaximum(before.history, nowMs, windowMs),
          ...endOf(holdEndsAtMs(before.history, nowMs, windowMs)),
        },
        ceilings: decidePoolCeilings({
          releases,
          slotsPerWorker: policy.slotsPerWorker,
          stepMax: policy.stepMax ?? null,
          downstreamSlotsMax: policy.downstreamSlotsMax ?? null,
          roomForWorkers: sighting.roomForWorkers ?? null,
        }),
        idle: isIdleOfUse(policy, facts) ? {} : decideIdleRelease(idle, nowMs, facts),
        memoryClosed: sighting.redisMemory === "closed",
      },
      policy,
    );
    const decision = { ...decided, clamps: [...clamped, ...decided.clamps] };
    this.#last = { starts, sighting };
    this.#state = {
      version: 1,
      history: rememberWanted(before.history, { atMs: nowMs, byRelease: decision.toRemember }, windowMs),
      idle,
      starts: withOrders(starts, decision.desired, sighting),
      arrivals,
      budget,
      forecasts,
    };
    return { decision, sized, errorBudget };
  }

  /** Something else than the last plan is carried out, as in a freeze: what it would have ordered is not on its way. */
  carriedOut(desired: WorkersByRelease): void {
    if (this.#last === null) return;
    const { starts, sighting } = this.#last;
    this.#state = { ...this.#state, starts: withOrders(starts, desired, sighting) };
  }

  #followBudget({ startedTotal = null, lateTotal = null }: PoolSighting): PlannerState["budget"] {
    const target = this.#policy.errorBudget ?? ERROR_BUDGET_DEFAULT;
    return estimateErrorBudget(this.#state.budget, { startedTotal, lateTotal, target });
  }
}

/** Jobs may come for whom only those that are there are in time. */
function isIdleOfUse(
  { pickupPromiseMs, posture }: PlannedPolicy,
  facts: Pick<IdlePolicy, "startDelayMs" | "tickMs">,
) {
  return posture === "latency" || aloneMs({ ...facts, pickupPromiseMs }) > 0;
}

function freeSlotsOf(releases: readonly PoolRelease[]): Record<string, number> {
  const known = releases.flatMap(({ release, freeSlots }) =>
    freeSlots === undefined ? [] : [[release, freeSlots] as const],
  );
  return Object.fromEntries(known);
}

function endOf(untilMs: number | null): { readonly untilMs?: number } {
  return untilMs === null ? {} : { untilMs };
}

function errorBudgetOf(
  policy: PlannedPolicy,
  facts: { readonly startDelayMs: number; readonly lateShare: number | null },
): ErrorBudget {
  const { posture = "balanced", errorBudget: target = ERROR_BUDGET_DEFAULT, pickupPromiseMs } = policy;
  const { startDelayMs, lateShare } = facts;
  const burnt = burntOf(lateShare, target);
  const safety = decideSafety({ posture, pickupPromiseMs, startDelayMs, burnt });
  const { promiseShare: phi, headroomB: b, safetyZ: z } = safety;
  const late = lateShare === null ? "not measured yet" : `${percent(lateShare)} late of the last jobs`;
  const sentence = `${late}, ${percent(target)} allowed; posture ${posture}: ${z.toFixed(1)} standard deviations of safety`;
  return { target, lateShare, burnt, phi, b, z, posture, sentence };
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(2))} %`;
}

function arrivalsAfter(
  before: PlannerState["arrivals"],
  { nowMs, lanes }: PoolSighting,
  tickMs: number,
): Record<string, ArrivalPattern> {
  const after: Record<string, ArrivalPattern> = {};
  for (const { lane, measured } of lanes) {
    const { arrivedTotal = null, arrivalRatePerSec: ratePerSec } = measured;
    const pattern = followArrivals(before[lane] ?? null, { nowMs, arrivedTotal, ratePerSec, tickMs });
    if (pattern !== null) after[lane] = pattern;
  }
  return after;
}

/** Level, trend and errors change once a minute; whether they are trusted follows from the errors. */
function forecastsAfter(
  before: PlannerState["forecasts"],
  { nowMs, lanes, startDelayMs }: PoolSighting,
  { forecast = "shadow", tickMs = TICK_MS }: PlannedPolicy,
): Record<string, ForecastState> {
  const after: Record<string, ForecastState> = {};
  if (forecast === "off") return after;
  const horizonMs = startDelayMs + tickMs;
  for (const { lane, measured } of lanes) {
    const { arrivedTotal = null, arrivalRatePerSec: ratePerSec } = measured;
    const was = before[lane] ?? null;
    const state = followForecast(was, { nowMs, arrivedTotal, ratePerSec, horizonMs });
    if (state === null) continue;
    const trusted = state === was ? was.trusted : isForecastTrusted(state.trusted, state.score);
    after[lane] = state === was ? was : { ...state, trusted };
  }
  return after;
}

function startsAfter(before: PlannerState["starts"], { nowMs, releases, startDelayMs }: PoolSighting) {
  const after: Record<string, readonly StartingWorkers[]> = {};
  for (const { release, starting } of releases) {
    if (starting === undefined) continue;
    after[release] = followStarts(before[release] ?? [], { nowMs, starting, startDelayMs });
  }
  return after;
}

/** What is ordered now will be up one start delay from now. Workers that drain are taken back before any is started. */
function withOrders(
  starts: PlannerState["starts"],
  desired: WorkersByRelease,
  { nowMs, releases, startDelayMs }: PoolSighting,
): PlannerState["starts"] {
  const after = { ...starts };
  for (const { release, workers, draining, starting } of releases) {
    const ordered = workersOf(desired, release) - workers - draining;
    if (starting === undefined || ordered <= 0) continue;
    after[release] = [...(starts[release] ?? []), { upAtMs: nowMs + startDelayMs, workers: ordered }];
  }
  return after;
}
