/**
 * Which columns of a trace mean what, told by the header, and by the rows where the header does not say.
 *
 * Pure. A file with a duration or with tokens, or with one row for each arrival, is a trace of requests; one
 * with a number for each bin of time is a trace of counts.
 */
import { dateTimeMs, numberOf, plainName, type TimeUnitMs, unitInName } from "./trace-time.ts";

export interface TimeColumn {
  readonly at: number;
  /** By the name, `null` when it does not say or the column holds dates. */
  readonly unitMs: TimeUnitMs | null;
  /** The column tells ends: a row came its duration earlier. */
  readonly isEnd: boolean;
}

export type ServiceColumns =
  | { readonly kind: "duration"; readonly at: number; readonly unitMs: TimeUnitMs | null }
  | { readonly kind: "end"; readonly end: TimeColumn; readonly start: TimeColumn }
  | { readonly kind: "tokens"; readonly context: number | null; readonly generated: number | null };

export interface TraceColumns {
  readonly time: TimeColumn;
  /** Jobs in the bin that the time begins. Then the rows are counts. */
  readonly count: number | null;
  readonly service: ServiceColumns | null;
}

const ARRIVAL =
  /(^|_)(submit|submitted|submission|arrival|arrived|create|created|creation|enqueue|enqueued|queued|due)(_|$)/;
const START = /(^|_)(start|started|begin)(_|$)/;
const END = /(^|_)(end|ended|finish|finished|complete|completed|completion|stop)(_|$)/;
const TIME =
  /(^|_)(time|timestamp|ts|date|datetime|period|minute|second|hour|day|bin|bucket|interval|offset|at|epoch)(_|$)/;
/** A number in a column of such a name is a time, without more words. */
const TIME_ALONE = /^(arrival|arrived|submitted|created|start|started|begin|end|ended|finish|finished)$/;
const DURATION =
  /(^|_)(duration|service|service_time|run_?time|exec_?time|execution_time|processing_time|elapsed|job_time|latency|response_time|took)(_|$)/;
const PER = /(^|_)per(_|$)/;
const CONTEXT = /(^|_)(context|input|prompt|request|prefill)(_|$)/;
const GENERATED = /(^|_)(generated|generation|output|completion|response|decode)(_|$)/;
const TOKENS = /(^|_)(tokens?|len|length)(_|$)/;
const COUNT =
  /^((n|num|number)(_of)?_)?(count|counts|value|values|requests?|invocations?|arrivals?|jobs?|hits?|calls?|events?|messages?|rate|volume|total|n|num|passengers?|load)$|(^|_)(count|counts|total)$|(^|_)per_(second|sec|minute|min|hour|day|bin)$/;
const NAME =
  /(^|_)(id|uuid|name|user|session|hash|key|type|model|app|func|function|owner|host|status)s?(_|$)/;

/** @returns the columns, or in words why they cannot be told. */
export function findColumns(
  header: readonly string[],
  sample: readonly (readonly string[])[],
): TraceColumns | string {
  const names = header.map(plainName);
  const used = new Set<number>();
  const take = (test: (name: string, at: number) => boolean) => {
    const at = names.findIndex((name, index) => !used.has(index) && test(name, index));
    if (at >= 0) used.add(at);
    return at < 0 ? null : at;
  };
  const duration = take((name, at) => DURATION.test(name) && isNumeric(sample, at));
  const context = take((name) => CONTEXT.test(name) && TOKENS.test(name));
  const generated = take((name) => GENERATED.test(name) && TOKENS.test(name));
  const times = names.map((name, at) => (!used.has(at) && isTime(name, at, sample) ? at : -1));
  const time = timeColumn(
    names,
    times.filter((at) => at >= 0),
  );
  if (time === null) return noTime(header);
  for (const at of times) if (at === time.at || !COUNT.test(names[at] ?? "")) used.add(at);

  const service = serviceColumns({ names, duration, context, generated, times, time });
  const isBins = isRegular(sample, time.at);
  const named =
    service === null || isBins ? take((name, at) => COUNT.test(name) && isNumeric(sample, at)) : null;
  if (named !== null) return { time, count: named, service: null };
  if (service !== null) return { time, count: null, service };
  const isNumber = (name: string, at: number) => !NAME.test(name) && name !== "" && isNumeric(sample, at);
  return { time, count: isBins ? take(isNumber) : null, service: null };
}

function timeColumn(names: readonly string[], times: readonly number[]): TimeColumn | null {
  const rank = (at: number) => {
    const name = names[at] ?? "";
    if (ARRIVAL.test(name)) return 0;
    if (END.test(name)) return 3;
    return START.test(name) ? 2 : 1;
  };
  const [best] = times.toSorted((a, b) => rank(a) - rank(b) || a - b);
  return best === undefined ? null : asTimeColumn(names, best);
}

function asTimeColumn(names: readonly string[], at: number): TimeColumn {
  const name = names[at] ?? "";
  return { at, unitMs: unitInName(name), isEnd: END.test(name) };
}

interface FoundColumns {
  readonly names: readonly string[];
  readonly duration: number | null;
  readonly context: number | null;
  readonly generated: number | null;
  readonly times: readonly number[];
  readonly time: TimeColumn;
}

function serviceColumns(found: FoundColumns): ServiceColumns | null {
  const { names, duration, context, generated, times, time } = found;
  if (duration !== null) return { kind: "duration", at: duration, unitMs: unitInName(names[duration] ?? "") };
  if (context !== null || generated !== null) return { kind: "tokens", context, generated };
  const end = times.find((at) => at >= 0 && END.test(names[at] ?? ""));
  if (end === undefined || end === time.at) return null;
  const start = times.find((at) => at >= 0 && START.test(names[at] ?? "")) ?? time.at;
  return { kind: "end", end: asTimeColumn(names, end), start: asTimeColumn(names, start) };
}

function isTime(name: string, at: number, sample: readonly (readonly string[])[]): boolean {
  const cells = sample.map((row) => row[at] ?? "").filter((cell) => cell !== "");
  if (cells.length === 0 || PER.test(name)) return false;
  if (cells.every(isDate)) return true;
  const isNamed = TIME.test(name) || TIME_ALONE.test(name) || unitInName(name) !== null;
  return isNamed && cells.every((cell) => isDate(cell) || numberOf(cell) !== null);
}

function isDate(cell: string | undefined): boolean {
  return cell !== undefined && dateTimeMs(cell) !== null;
}

/** Mostly: a cell that is wrong is complained about when it is read. */
function isNumeric(sample: readonly (readonly string[])[], at: number): boolean {
  const cells = sample.map((row) => row[at] ?? "").filter((cell) => !isEmpty(cell));
  const numbers = cells.filter((cell) => numberOf(cell) !== null).length;
  return numbers > 0 && 2 * numbers >= cells.length;
}

/** What tables write where there is no number. */
export function isEmpty(cell: string): boolean {
  return /^(|nan|null|none|na|n\/a|-)$/i.test(cell);
}

/** The rows are bins: almost every distance is the same, and no time comes twice. */
function isRegular(sample: readonly (readonly string[])[], at: number): boolean {
  const times = sample.flatMap((row) => dateTimeMs(row[at] ?? "") ?? numberOf(row[at] ?? "") ?? []);
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  const usual = gaps.toSorted((a, b) => a - b)[Math.floor(gaps.length / 2)] ?? 0;
  return usual > 0 && gaps.filter((gap) => Math.abs(gap - usual) < usual / 100).length > gaps.length * 0.8;
}

function noTime(header: readonly string[]): string {
  const names = header.map((name) => JSON.stringify(name.slice(0, 40))).join(", ");
  return (
    `none of the columns ${names} is a time. The first line must name the columns, one of them ` +
    "`timestamp` (a date, or a number in seconds or milliseconds; `timestamp_ms` says which)."
  );
}
