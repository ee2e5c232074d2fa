/** The result as text for people: a table for each cell, the ratios, the verdicts. */

import type { Interval } from "#autoscaler/simulator/interval";
import { aligned } from "../report.ts";
import type { CellResult, CellStanding } from "./cells.ts";
import { REGIMES } from "./cells.ts";
import { type RatioCell, ratiosOf, type Verdict, verdictsOf } from "./verdicts.ts";

const METHOD = [
  "Mean of the seeds +- half of the 95 % confidence interval (Student). One configuration of Sluice for all cells.",
  "Counts: busiest 24 h, scaled to 20 slots, Poisson within a bin, durations lognormal, mean 30 s, SCV 1. Requests: as they are.",
  "Every policy begins with the fleet that the first minute needs; `beginning with no worker` shows Sluice without it.",
  "late: taken later than promised. hours: from each start to each exit, draining included. killed: by scaling in.",
  "theta, tau: how far, and for which share of the time, supply was under / over the demand (least workers by the minute).",
  "KEDA tuned: cheapest of its settings on this trace that misses no more than Sluice; `at the bar`: than the bar allows.",
] as const;

export function renderReport(cells: readonly CellResult[], tookMs: number): string {
  return [
    ...METHOD.map((line) => `- ${line}`),
    ...cells.flatMap((cell) => ["", ...renderCell(cell)]),
    "",
    ...renderRatios(ratiosOf(cells)),
    "",
    ...verdictsOf(cells, REGIMES).map(verdictLine),
    "",
    `${cells.length} cells in ${(tookMs / 1_000).toFixed(0)} s`,
  ].join("\n");
}

function renderCell(cell: CellResult): readonly string[] {
  const { regime, loadSlots, workHours, hours, impossible } = cell;
  const rows = cell.standings.map(rowOf);
  return [
    `## ${cell.trace}, ${regime.name} (${cell.kind}, ${cell.seeds} seeds)`,
    `${hours.toFixed(1)} h, load ${loadSlots.toFixed(1)} slots; the work itself ${workHours.toFixed(1)} worker-hours`,
    ...aligned([HEADINGS, ...rows]),
    ...impossible.map((name) => `${name}: no setting keeps to that.`),
  ];
}

const HEADINGS = [
  "policy",
  "late %",
  "hours",
  "p50 s",
  "p95 s",
  "p99 s",
  "killed",
  "twice",
  "wasted h",
  "flips/h",
  "peak",
  "theta U/O %",
  "tau U/O %",
  "instab %",
] as const;

function rowOf({ name, policy, metrics: it }: CellStanding): readonly string[] {
  const seconds = ({ mean }: Interval) => (mean / 1_000).toFixed(1);
  const pair = (under: Interval, over: Interval) => `${under.mean.toFixed(1)}/${over.mean.toFixed(1)}`;
  return [
    name === "keda-tuned-at-bar" ? `${policy} (at the bar)` : policy,
    shown(it.missesPercent, 3),
    shown(it.workerHours, 2),
    seconds(it.pickupP50Ms),
    seconds(it.pickupP95Ms),
    seconds(it.pickupP99Ms),
    it.jobsKilled.mean.toFixed(1),
    it.jobsRunTwice.mean.toFixed(1),
    it.wastedHours.mean.toFixed(2),
    it.flipsPerHour.mean.toFixed(1),
    it.workersPeak.mean.toFixed(0),
    pair(it.thetaUnderPercent, it.thetaOverPercent),
    pair(it.tauUnderPercent, it.tauOverPercent),
    it.instabilityPercent.mean.toFixed(0),
  ];
}

function shown({ mean, ci95 }: Interval, digits: number): string {
  return ci95 === null ? mean.toFixed(digits) : `${mean.toFixed(digits)} +-${ci95.toFixed(digits)}`;
}

function renderRatios(ratios: readonly RatioCell[]): readonly string[] {
  const text = (ratio: number | null) => (ratio === null ? "none keeps it" : ratio.toFixed(3));
  return aligned([
    ["worker-hours of Sluice over those of", "tuned KEDA", "tuned at the bar", "the work itself", "won"],
    ...ratios.map(({ trace, regime, ratio, ratioAtBar, ratioToWork }) => [
      `${trace}, ${regime.name}`,
      text(ratio),
      text(ratioAtBar),
      ratioToWork.toFixed(3),
      ratio === null || ratio <= 1 ? "yes" : "no",
    ]),
  ]);
}

function verdictLine({ bar, met, found }: Verdict): string {
  return `${met ? "MET   " : "MISSED"}  ${bar}: ${found}`;
}
