/**
 * One lane of a pool as the law sees it: what was measured, put together with what the planner remembers.
 *
 * It gathers and decides nothing. Slots that read several lanes are shared out between them by what is in each, so that
 * no slot is counted on twice.
 */

import type { StartingSlots } from "./decide-deadline-slots.ts";
import { decideForecast, type LaneForecast } from "./decide-forecast.ts";
import { laneChange } from "./decide-lane-change.ts";
import type { PoolRelease } from "./decide-lane-owners.ts";
import { decideLaneSlots, type LaneSlotsDecision } from "./decide-lane-slots.ts";
import type { Safety } from "./decide-safety.ts";
import { type BreakerClamp, decideUsefulSlots } from "./decide-useful-slots.ts";
import { type ArrivalPattern, occasionsOf, recentArrivals, surgeOf } from "./estimate-arrival-pattern.ts";
import { type ForecastState, forecastPerMinute } from "./estimate-forecast.ts";
import { startingSlots } from "./estimate-starting-slots.ts";
import type { PlannedPolicy, PoolSighting, SeenLane, SizedLane } from "./planner-input.ts";
import type { PlannerState } from "./planner-state.ts";

export interface LaneMemory {
  readonly sighting: PoolSighting;
  readonly policy: PlannedPolicy;
  readonly safety: Safety;
  readonly tickMs: number;
  readonly arrivals: Readonly<Record<string, ArrivalPattern>>;
  readonly forecasts: Readonly<Record<string, ForecastState>>;
  readonly starts: PlannerState["starts"];
  readonly sharing: Sharing;
}

export function sizeLane(
  seen: SeenLane,
  memory: LaneMemory,
): { readonly sized: SizedLane; readonly clamp: BreakerClamp | null } {
  const { lane, generation } = seen;
  const law = decided(seen, memory);
  const forecast = forecastOf(seen, law, memory);
  const slots = raised(law, forecast);
  const { releases, breakersOpen = [] } = memory.sighting;
  const needed = { lane, generation, slots: slots.slots, hasWork: slots.hasWork, terms: slots.terms };
  const starting = slots.kind === "sized" ? slots.figures.startingSlots : 0;
  const presentSlots = seen.measured.readySlots + starting;
  const clamp = decideUsefulSlots({ lane: needed, releases, presentSlots, breakersOpen });
  return {
    sized: { slots, forecast, lane: clamp === null ? needed : { ...needed, slots: clamp.to } },
    clamp,
  };
}

function decided(seen: SeenLane, memory: LaneMemory): LaneSlotsDecision {
  const { sighting, policy, safety, tickMs, arrivals } = memory;
  const { nowMs, startDelayMs } = sighting;
  const { measured } = seen;
  const pattern = arrivals[seen.lane] ?? null;
  const share = shareOf(seen, memory.sharing);
  const { readySlots, arrivalRatePerSec } = measured;
  const freeSlots = measured.freeSlots ?? Math.max(0, readySlots - (measured.active ?? 0));
  return decideLaneSlots(
    {
      observedAtMs: nowMs,
      waiting: measured.waiting,
      active: measured.active,
      dueSoon: measured.dueSoon,
      oldestDueAgeMs: measured.oldestDueAgeMs,
      arrivalRatePerSec,
      serviceTimeMs: measured.serviceTimeMs,
      readySlots: readySlots * share,
      freeSlots: freeSlots * share,
      startDelayMs,
      startingSlots: slotsComing(seen, memory, share),
      recentArrivals: recentArrivals(pattern, nowMs, (measured.waiting ?? 0) + (measured.dueSoon ?? 0)),
      surgePerSec: surgeOf(pattern, arrivalRatePerSec ?? 0, tickMs),
      dispersion: pattern?.dispersion ?? 1,
      // Told when it matters: whether anybody stays for an empty lane.
      occasionsPerSec: pattern === null || jobsIn(measured) > 0 ? null : occasionsOf(pattern, nowMs),
    },
    { pickupPromiseMs: policy.pickupPromiseMs, tickMs, ...safety },
  );
}

function forecastOf(
  { lane, measured }: SeenLane,
  { slots }: LaneSlotsDecision,
  { forecasts, policy, safety, sighting, tickMs }: LaneMemory,
): LaneForecast | null {
  const state = forecasts[lane];
  if (state === undefined) return null;
  const { comparedMinutes, error, persistenceError } = state.score;
  // Named one by one: with a spread before them, the others cost several microseconds a lane.
  return decideForecast({
    comparedMinutes,
    error,
    persistenceError,
    policy: policy.forecast ?? "shadow",
    perMinute: forecastPerMinute(state, sighting.startDelayMs + tickMs),
    trusted: state.trusted,
    serviceTimeMs: measured.serviceTimeMs,
    headroomB: safety.headroomB,
    slots,
  });
}

/** A lane whose need is not known stays so: its forecast is no measurement. */
function raised(law: LaneSlotsDecision, forecast: LaneForecast | null): LaneSlotsDecision {
  const slots = forecast?.laneSlots ?? null;
  if (law.kind === "unknown" || slots === null || slots <= law.slots) return law;
  return { ...law, slots, ruledBy: "forecast", wouldChange: laneChange(slots, "forecast", law.figures) };
}

/** Of live releases that read the lane: its share of what they will bring. */
function slotsComing(
  seen: SeenLane,
  { sighting, policy, starts }: LaneMemory,
  share: number,
): StartingSlots[] {
  const { nowMs, releases } = sighting;
  const coming: StartingSlots[] = [];
  for (const release of releases) {
    if (!release.live || !reads(release, seen)) continue;
    const own = startingSlots(starts[release.release] ?? [], {
      nowMs,
      slotsPerWorker: policy.slotsPerWorker,
    });
    for (const { readyInMs, slots } of own) coming.push({ readyInMs, slots: slots * share });
  }
  return coming;
}

/** How the slots of a pool are shared out to its lanes. */
export interface Sharing {
  /** Some slots read more than one lane. */
  readonly shared: boolean;
  /** What is in all the lanes, and what comes to them. */
  readonly weight: number;
}

export function sharingOf({ lanes, releases }: PoolSighting, slotsPerWorker: number): Sharing {
  const counted = lanes.reduce((sum, { measured }) => sum + measured.readySlots, 0);
  const up = releases.reduce((sum, { workers, starting = 0 }) => sum + workers - starting, 0);
  const weight = lanes.reduce((sum, it) => sum + weightOf(it), 0);
  return { shared: lanes.length > 1 && counted > up * slotsPerWorker, weight };
}

/** The share of the slots that read the lane which it may count on: all, unless slots read several lanes. */
function shareOf(seen: SeenLane, { shared, weight }: Sharing): number {
  return shared && weight > 0 ? weightOf(seen) / weight : 1;
}

/** Jobs in the system, and the slots that the arrivals keep busy. */
function weightOf({ measured }: SeenLane): number {
  const { arrivalRatePerSec, serviceTimeMs } = measured;
  return jobsIn(measured) + ((arrivalRatePerSec ?? 0) * (serviceTimeMs ?? 0)) / 1_000;
}

/** As far as they are known. */
function jobsIn({ waiting, active, dueSoon }: SeenLane["measured"]): number {
  return (waiting ?? 0) + (active ?? 0) + (dueSoon ?? 0);
}

function reads(release: PoolRelease, { generation }: SeenLane): boolean {
  return release.generation === generation || release.readsGenerations.includes(generation);
}
