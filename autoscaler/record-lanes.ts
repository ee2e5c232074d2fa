/** The lanes of a decision as a record keeps them: the needy ones one by one, the others in sum. Pure. */
import type { DecisionRecord, RecordedLane } from "./decision-record.ts";
import type { SizedLane as LaneSize } from "./scaling/decide-lane-slots.ts";
import { explainLaneTerms } from "./scaling/explain-lane-terms.ts";
import type { SizedLane } from "./scaling/planner-input.ts";
import type { LaneView } from "./snapshot.ts";

/** Jobs in the lane, as far as they were seen: what two lanes of one need are told apart by. */
export function jobsIn(view: LaneView | undefined): number {
  return view === undefined ? 0 : view.waiting + view.inFlight + view.dueSoon;
}

/** @param view `null` when the lane was not looked at. */
export function recordLane({ lane, slots, forecast: made }: SizedLane, view: LaneView | null): RecordedLane {
  const counted = {
    waiting: view?.waiting ?? null,
    inFlight: view?.inFlight ?? null,
    dueSoon: view?.dueSoon ?? null,
    oldestDueAgeMs: view?.oldestDueAgeMs ?? null,
    arrivalRatePerSec: view?.arrivalRatePerSec ?? null,
    serviceTimeMs: view?.serviceTimeMs ?? null,
  };
  const forecast = forecastTold(made);
  const named = { lane: lane.lane, generation: lane.generation, slots: slots.slots };
  if (slots.kind === "unknown") {
    const nothing = {
      ruledBy: null,
      terms: [],
      readySlots: null,
      assumed: [],
      reachable: null,
      wouldChange: null,
      forecast,
    };
    return { ...named, unknownBecause: slots.reason, ...counted, ...nothing };
  }
  return {
    ...named,
    ruledBy: slots.ruledBy,
    unknownBecause: null,
    terms: explainLaneTerms(slots.terms, slots.figures, made),
    ...counted,
    readySlots: slots.figures.readySlots,
    assumed: assumedOf(slots),
    reachable: slots.reachable,
    wouldChange: slots.wouldChange,
    forecast,
  };
}

function forecastTold(made: SizedLane["forecast"]): RecordedLane["forecast"] {
  if (made === null) return null;
  const { laneSlots: _law, ...told } = made;
  return told;
}

/** What the lanes have together that are not told one by one. */
export function summedUp(
  lanes: readonly SizedLane[],
  views: ReadonlyMap<string, LaneView>,
): NonNullable<DecisionRecord["inputs"]["otherLanes"]> {
  const sum = { lanes: lanes.length, slots: 0, unknown: 0, waiting: 0, inFlight: 0 };
  for (const { lane } of lanes) {
    sum.slots += lane.slots ?? 0;
    sum.unknown += lane.slots === null ? 1 : 0;
    sum.waiting += views.get(lane.lane)?.waiting ?? 0;
    sum.inFlight += views.get(lane.lane)?.inFlight ?? 0;
  }
  return sum;
}

function assumedOf({ serviceTimeAssumed, oldestAgeAssumed }: LaneSize): string[] {
  return [...(serviceTimeAssumed ? ["service-time"] : []), ...(oldestAgeAssumed ? ["oldest-age"] : [])];
}
