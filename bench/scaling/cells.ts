/**
 * One cell of the benchmark: a trace under a regime. What is asked of a process, and what it answers.
 */

import type { PolicyName } from "#autoscaler/simulator/contest";
import type { MetricIntervals } from "#autoscaler/simulator/summary";

/** A promise and a start delay, and the misses that Sluice may have under them. */
export interface Regime {
  readonly name: string;
  readonly pickupPromiseMs: number;
  readonly startDelayMs: number;
  readonly missesPercentMax: number;
}

export const REGIMES: readonly Regime[] = [
  { name: "W = 60 s, D = 15 s", pickupPromiseMs: 60_000, startDelayMs: 15_000, missesPercentMax: 1 },
  { name: "W = D = 30 s", pickupPromiseMs: 30_000, startDelayMs: 30_000, missesPercentMax: 2 },
];

export interface CellTask {
  readonly file: string;
  /** The file's name below the directory of traces. */
  readonly trace: string;
  readonly regime: Regime;
  readonly seeds: number;
  readonly policies: readonly PolicyName[];
}

export interface CellStanding {
  /** `sluice-cold`: Sluice, beginning without a fleet. */
  readonly name: PolicyName | "sluice-cold";
  /** With its settings. */
  readonly policy: string;
  readonly metrics: MetricIntervals;
}

export interface CellResult {
  readonly trace: string;
  readonly kind: "counts" | "requests";
  readonly regime: Regime;
  readonly seeds: number;
  readonly loadSlots: number;
  readonly hours: number;
  /** The work itself. */
  readonly workHours: number;
  readonly standings: readonly CellStanding[];
  readonly impossible: readonly PolicyName[];
  readonly tookMs: number;
}

export function standingOf(cell: CellResult, name: CellStanding["name"]): CellStanding | null {
  return cell.standings.find((it) => it.name === name) ?? null;
}
