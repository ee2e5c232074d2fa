/** Reads the rows of a trace of counts: bins in order, the missing ones empty, cut to the busiest 24 hours. */

import { amountsOf, timesOf } from "./trace-cells.ts";
import type { TimeColumn } from "./trace-columns.ts";
import { TraceInvalidError } from "./trace-error.ts";
import type { CountTrace, TraceTable } from "./trace-model.ts";
import type { TimeUnitMs } from "./trace-time.ts";

const WINDOW_MS = 24 * 3_600_000;
const BINS_MAX = 10_000_000;

/** @throws {TraceInvalidError} naming line and column. */
export function readCounts(table: TraceTable, time: TimeColumn, count: number): CountTrace {
  const times = timesOf(table, time, binOffsetUnit);
  const amounts = amountsOf(table, count);
  const binMs = usualGap(times);
  const firstMs = times.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const lastMs = times.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const bins = Math.round((lastMs - firstMs) / binMs) + 1;
  if (!(bins <= BINS_MAX)) {
    const problem = `its times span ${bins} bins of ${binMs} ms; at most ${BINS_MAX} can be read.`;
    throw new TraceInvalidError(table.file, { line: null, problem });
  }
  const counts = new Float64Array(bins);
  for (const [row, atMs] of times.entries()) {
    const bin = Math.round((atMs - firstMs) / binMs);
    const amount = amounts[row] as number;
    if (!Number.isNaN(amount)) counts[bin] = (counts[bin] as number) + amount;
  }
  const busiest = busiestWindow(counts, Math.max(1, Math.round(WINDOW_MS / binMs)));
  if (busiest.every((it) => it === 0)) {
    throw new TraceInvalidError(table.file, { line: null, problem: "all of its counts are 0." });
  }
  return { kind: "counts", binMs, counts: busiest };
}

/** Bins are whole seconds: a distance of thousands is told in milliseconds, 60 or 3,600 in seconds. */
function binOffsetUnit(numbers: Float64Array): TimeUnitMs {
  return usualGap(numbers) % 1_000 === 0 ? 1 : 1_000;
}

/** The distance between neighbours that is met most often; an hour for a single bin. */
function usualGap(times: Float64Array): number {
  const sorted = Float64Array.from(times).sort();
  const met = new Map<number, number>();
  for (let at = 1; at < sorted.length; at += 1) {
    const gap = (sorted[at] as number) - (sorted[at - 1] as number);
    if (gap > 0) met.set(gap, (met.get(gap) ?? 0) + 1);
  }
  const [usual] = [...met].toSorted((a, b) => b[1] - a[1] || a[0] - b[0]);
  return usual?.[0] ?? 3_600_000;
}

function busiestWindow(counts: Float64Array, bins: number): Float64Array {
  if (counts.length <= bins) return counts;
  let sum = 0;
  let best = { sum: Number.NEGATIVE_INFINITY, start: 0 };
  for (const [bin, count] of counts.entries()) {
    sum += count - (counts[bin - bins] ?? 0);
    // Fractions leave dust behind; without it the earliest of equal windows is taken.
    if (bin >= bins - 1 && sum > best.sum * (1 + 1e-12)) best = { sum, start: bin - bins + 1 };
  }
  return counts.slice(best.start, best.start + bins);
}
