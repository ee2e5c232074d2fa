/**
 * The terms of the scaling law for one lane as a person checks them: each formula with its numbers filled in.
 *
 * Words only: the numbers are those of `decideLaneSlots`, and nothing is worked out again here. Made for a record,
 * not for each look. A term that the law gets needs its line here.
 */
import type { LaneForecast } from "./decide-forecast.ts";
import type { LaneFigures, LaneSlotTerms } from "./decide-lane-change.ts";

export interface ExplainedTerm {
  readonly term: string;
  /** `null`: not known. */
  readonly slots: number | null;
  readonly formula: string;
}

/** In the order of the law; a forecast that is applied is the last of them. */
export function explainLaneTerms(
  terms: LaneSlotTerms,
  figures: LaneFigures,
  forecast: LaneForecast | null = null,
): readonly ExplainedTerm[] {
  const applied = forecast?.mode === "applied" ? [forecast] : [];
  return [
    { term: "in-system", slots: terms.fromInSystem, formula: inSystem(figures) },
    { term: "deadline", slots: terms.fromDeadline, formula: deadline(figures) },
    { term: "bursts", slots: terms.fromBursts, formula: bursts(figures, terms.fromBursts) },
    { term: "arrivals", slots: terms.fromArrivals, formula: arrivals(figures) },
    ...applied.map((it) => ({ term: "forecast", slots: it.slots, formula: forecastOf(it, figures) })),
  ];
}

function inSystem({ jobsInSystem, promiseShare, jobsPerSlot, ...it }: LaneFigures): string {
  const [w, s] = [seconds(it.pickupPromiseMs), seconds(it.serviceTimeMs)];
  const filled = `${whole(jobsInSystem)} / (1 + ${short(promiseShare)} x ${w} / ${s})`;
  return `X / (1 + phi W / s) = ${filled} = ${short(jobsInSystem / jobsPerSlot)}`;
}

function deadline({ backlog, oldestAgeMs, readySlots, safetyZ, ...it }: LaneFigures): string {
  const [w, s, d] = [seconds(it.pickupPromiseMs), seconds(it.serviceTimeMs), seconds(it.startDelayMs)];
  if (backlog === 0) return "nothing waits";
  const oldest = `the oldest for ${seconds(oldestAgeMs)} of ${w}`;
  return `q = ${whole(backlog)} wait, ${oldest}; ${whole(readySlots)} ready slots at ${s} a job, new ones after ${d}, ${deviations(safetyZ)}`;
}

function arrivals({ loadSlots, headroomB }: LaneFigures): string {
  if (loadSlots === null) return "R + b sqrt(R): the arrival rate is not known yet";
  const load = short(loadSlots);
  const sum = loadSlots + headroomB * Math.sqrt(Math.max(loadSlots, 0));
  return `R + b sqrt(R) = ${load} + ${short(headroomB)} x sqrt(${load}) = ${short(sum)}`;
}

function bursts({ startDelayMs, pickupPromiseMs, safetyZ }: LaneFigures, slots: number | null): string {
  if (slots === null) return "for what comes before an order could help: the arrivals are not known yet";
  const [d, w] = [seconds(startDelayMs), seconds(pickupPromiseMs)];
  return `for what comes before an order could help: start delay ${d}, promise ${w}, ${deviations(safetyZ)}`;
}

function forecastOf({ perMinute }: LaneForecast, { headroomB, serviceTimeMs }: LaneFigures): string {
  const load = `${short(perMinute)} a minute x ${seconds(serviceTimeMs)}`;
  return `R + b sqrt(R) for what is forecast: R = ${load}, b = ${short(headroomB)}`;
}

function deviations(safetyZ: number): string {
  return `z = ${short(safetyZ)} deviations of safety`;
}

function seconds(lengthMs: number): string {
  return lengthMs < 1_000 ? `${Math.round(lengthMs)} ms` : `${short(lengthMs / 1_000)} s`;
}

function whole(value: number): string {
  return String(Math.round(value));
}

/** Three digits at most where there is a fraction: 0.25, 3.14, 42.5, 1234. */
function short(value: number): string {
  const rounded = Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
  return String(rounded === 0 ? 0 : rounded);
}
