/** Turns columns of a trace's table into numbers, and complains with the place of the cell. */

import { isEmpty, type TimeColumn } from "./trace-columns.ts";
import { TraceInvalidError } from "./trace-error.ts";
import type { TraceTable } from "./trace-model.ts";
import { dateTimeMs, numberOf, type TimeUnitMs, unitOfEpoch } from "./trace-time.ts";

/** The header is line 1. Lines left out before it, empty or remarks, are not counted. */
const FIRST_ROW_LINE = 2;

/**
 * The column as milliseconds of any origin. Numbers without a unit are epoch times where they are large enough,
 * else offsets in `offsetUnitMs(numbers)`.
 *
 * @throws {TraceInvalidError} naming line and column of the first cell that is no time.
 */
export function timesOf(
  table: TraceTable,
  { at, unitMs }: TimeColumn,
  offsetUnitMs: (numbers: Float64Array) => TimeUnitMs,
): Float64Array {
  const first = table.rows[0]?.[at] ?? "";
  if (numberOf(first) === null) {
    return eachCell(
      table,
      at,
      (cell) => dateTimeMs(cell) ?? "a date such as 2024-05-01 12:30:00, or a number",
    );
  }
  const numbers = eachCell(table, at, (cell) => numberOf(cell) ?? "a number, as in the first row");
  const smallest = numbers.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const unit = unitOfEpoch(smallest) ?? unitMs ?? offsetUnitMs(numbers);
  return numbers.map((number) => number * unit);
}

/**
 * The column as numbers >= 0; `NaN` where a cell is empty.
 *
 * @throws {TraceInvalidError} naming line and column of the first cell that is neither.
 */
export function amountsOf(table: TraceTable, at: number): Float64Array {
  return eachCell(table, at, (cell) => {
    if (isEmpty(cell)) return Number.NaN;
    const amount = numberOf(cell);
    return amount === null || amount < 0 ? "a number of at least 0, or empty" : amount;
  });
}

/** The place of each row once the rows are in the order of these times. Equal times stay in their order. */
export function orderOf(times: Float64Array): Uint32Array {
  const order = Uint32Array.from(times, (_, row) => row);
  return order.sort((a, b) => (times[a] as number) - (times[b] as number) || a - b);
}

function eachCell(table: TraceTable, at: number, read: (cell: string) => number | string): Float64Array {
  return Float64Array.from(table.rows, (row, index) => {
    const cell = row[at] ?? "";
    const value = read(cell);
    if (typeof value === "number") return value;
    const column = JSON.stringify((table.header[at] ?? "").slice(0, 40));
    const shown = JSON.stringify(cell.slice(0, 40));
    throw new TraceInvalidError(table.file, {
      line: FIRST_ROW_LINE + index,
      problem: `the column ${column} must be ${value}, and is ${shown}.`,
    });
  });
}
