/**
 * What the cells say of the bars: promise, harm, price. Pure.
 *
 * The price is that of Sluice over that of the tuned KEDA, which misses no more than Sluice did. Where no setting of
 * KEDA does that there is no ratio; it is told, and counts for neither.
 */

import { geometricMean } from "#autoscaler/simulator/interval";
import { type CellResult, type Regime, standingOf } from "./cells.ts";

/** Dearer than the tuned opponent by no more than this on any trace. */
const RATIO_MAX = 1.1;

export interface Verdict {
  readonly bar: string;
  readonly met: boolean;
  readonly found: string;
}

export interface RatioCell {
  readonly trace: string;
  readonly regime: Regime;
  /** Hours of Sluice over those of the tuned KEDA; `null`: no setting of it misses as little. */
  readonly ratio: number | null;
  /** The same against KEDA tuned to the bar and no further; that one may miss more than Sluice. */
  readonly ratioAtBar: number | null;
  /** Over the work itself. */
  readonly ratioToWork: number;
}

export function ratiosOf(cells: readonly CellResult[]): readonly RatioCell[] {
  return cells.map((cell) => {
    const own = hoursOf(cell, "sluice") ?? Number.NaN;
    const over = (hours: number | null) => (hours === null ? null : own / hours);
    return {
      trace: cell.trace,
      regime: cell.regime,
      ratio: over(hoursOf(cell, "keda-tuned")),
      ratioAtBar: over(hoursOf(cell, "keda-tuned-at-bar")),
      ratioToWork: own / cell.workHours,
    };
  });
}

export function verdictsOf(cells: readonly CellResult[], regimes: readonly Regime[]): readonly Verdict[] {
  const ratios = ratiosOf(cells);
  const perRegime = regimes.flatMap((regime) => [
    promiseVerdict(
      regime,
      cells.filter((cell) => cell.regime.name === regime.name),
    ),
    ...priceVerdicts(
      regime.name,
      ratios.filter((cell) => cell.regime.name === regime.name),
    ),
  ]);
  return [...perRegime, ...priceVerdicts("both regimes", ratios), killVerdict(cells)];
}

function promiseVerdict(regime: Regime, cells: readonly CellResult[]): Verdict {
  const missed = cells.map((cell) => ({
    trace: cell.trace,
    percent: standingOf(cell, "sluice")?.metrics.missesPercent.mean ?? Number.NaN,
  }));
  const worst = missed.toSorted((a, b) => b.percent - a.percent)[0];
  const over = missed.filter(({ percent }) => !(percent <= regime.missesPercentMax));
  return {
    bar: `${regime.name}: at most ${regime.missesPercentMax} % of the jobs late on every trace`,
    met: over.length === 0,
    found:
      worst === undefined
        ? "no trace"
        : `worst ${worst.percent.toFixed(3)} % on ${worst.trace}; over the bar: ${over.length} of ${missed.length}`,
  };
}

function priceVerdicts(where: string, ratios: readonly RatioCell[]): readonly Verdict[] {
  const known = ratios.flatMap(({ trace, ratio }) => (ratio === null ? [] : [{ trace, ratio }]));
  if (known.length === 0) return [];
  const mean = geometricMean(known.map(({ ratio }) => ratio));
  const worst = known.reduce((a, b) => (b.ratio > a.ratio ? b : a));
  const won = known.filter(({ ratio }) => ratio <= 1).length;
  const without = ratios.length - known.length;
  const alone = without === 0 ? "" : `; no setting of KEDA misses as little in ${without}`;
  return [
    {
      bar: `${where}: worker-hours at most those of the tuned KEDA, geometric mean`,
      met: mean <= 1,
      found: `${mean.toFixed(3)}; cheaper or equal in ${won}, dearer in ${known.length - won}${alone}`,
    },
    {
      bar: `${where}: at most ${Math.round((RATIO_MAX - 1) * 100)} % dearer on any trace`,
      met: worst.ratio <= RATIO_MAX,
      found: `worst ${worst.ratio.toFixed(3)} on ${worst.trace}`,
    },
  ];
}

function killVerdict(cells: readonly CellResult[]): Verdict {
  const killed = cells.reduce(
    (sum, cell) => sum + (standingOf(cell, "sluice")?.metrics.jobsKilled.mean ?? 0),
    0,
  );
  return { bar: "no job killed", met: killed === 0, found: `${killed} killed` };
}

function hoursOf(cell: CellResult, name: "sluice" | "keda-tuned" | "keda-tuned-at-bar"): number | null {
  return standingOf(cell, name)?.metrics.workerHours.mean ?? null;
}
