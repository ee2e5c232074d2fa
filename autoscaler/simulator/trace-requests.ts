/** Reads the rows of a trace of requests: when each came and, where the trace says, how long it took. */

import { amountsOf, orderOf, timesOf } from "./trace-cells.ts";
import type { ServiceColumns, TraceColumns } from "./trace-columns.ts";
import { TraceInvalidError } from "./trace-error.ts";
import type { RequestTrace, TraceTable } from "./trace-model.ts";
import type { TimeUnitMs } from "./trace-time.ts";

/** What a language model takes for a token that it reads, and for one that it writes. */
const CONTEXT_TOKEN_MS = 0.2;
const GENERATED_TOKEN_MS = 30;

const WHOLE_MS_MAX = 7 * 86_400_000;
const PART_MS = 86_400_000;

/** Nothing runs for no time at all. */
const SERVICE_MS_MIN = 1;

/** @throws {TraceInvalidError} naming line and column. */
export function readRequests(table: TraceTable, { time, service }: TraceColumns): RequestTrace {
  const told = timesOf(table, time, offsetUnit);
  const durations = service === null ? null : durationsOf(table, service);
  const came =
    time.isEnd && durations !== null ? told.map((ms, row) => ms - (durations[row] as number)) : told;
  const order = busiestPart(came, orderOf(came));
  const firstMs = came[order[0] ?? 0] as number;
  return {
    kind: "requests",
    arrivalsMs: Float64Array.from(order, (row) => (came[row] as number) - firstMs),
    serviceMs: durations === null ? null : Float64Array.from(order, (row) => durations[row] as number),
  };
}

/** All of them, but of weeks the busiest 24 hours: a month has too many looks to play them all. */
function busiestPart(came: Float64Array, order: Uint32Array): Uint32Array {
  const atMs = (place: number) => came[order[place] as number] as number;
  if (order.length === 0 || atMs(order.length - 1) - atMs(0) <= WHOLE_MS_MAX) return order;
  let [first, best, bestFirst] = [0, 0, 0];
  for (let last = 0; last < order.length; last += 1) {
    while (atMs(last) - atMs(first) >= PART_MS) first += 1;
    if (last - first + 1 > best) [best, bestFirst] = [last - first + 1, first];
  }
  return order.slice(bestFirst, bestFirst + best);
}

/** Offsets are milliseconds, but fractions of them are seconds. */
function offsetUnit(numbers: Float64Array): TimeUnitMs {
  return numbers.every(Number.isInteger) ? 1 : 1_000;
}

function durationsOf(table: TraceTable, service: ServiceColumns): Float64Array {
  switch (service.kind) {
    case "duration": {
      const numbers = amountsOf(table, service.at);
      const unitMs = service.unitMs ?? durationUnit(numbers);
      return filled(
        table,
        numbers.map((number) => number * unitMs),
      );
    }
    case "tokens":
      return filled(table, tokenTimes(table, service.context, service.generated));
    case "end": {
      const ends = timesOf(table, service.end, offsetUnit);
      const starts = timesOf(table, service.start, offsetUnit);
      return filled(
        table,
        ends.map((endMs, row) => Math.max(0, endMs - (starts[row] as number))),
      );
    }
  }
}

function tokenTimes(table: TraceTable, context: number | null, generated: number | null): Float64Array {
  const none = () => new Float64Array(table.rows.length);
  const read = context === null ? none() : amountsOf(table, context);
  const written = generated === null ? none() : amountsOf(table, generated);
  return read.map((tokens, row) => tokens * CONTEXT_TOKEN_MS + (written[row] as number) * GENERATED_TOKEN_MS);
}

/** Durations without a unit: seconds, unless they are whole numbers that would be many minutes. */
function durationUnit(numbers: Float64Array): TimeUnitMs {
  const known = numbers.filter((number) => !Number.isNaN(number)).sort();
  const middle = known[Math.floor(known.length / 2)] ?? 0;
  return middle >= 1_000 ? 1 : 1_000;
}

/** Where a row does not say, the mean of the others. */
function filled(table: TraceTable, durationsMs: Float64Array): Float64Array {
  const known = durationsMs.filter((ms) => !Number.isNaN(ms));
  if (known.length === 0) {
    throw new TraceInvalidError(table.file, { line: null, problem: "its column of durations is empty." });
  }
  const meanMs = known.reduce((sum, ms) => sum + ms, 0) / known.length;
  return durationsMs.map((ms) => Math.max(Number.isNaN(ms) ? meanMs : ms, SERVICE_MS_MIN));
}
