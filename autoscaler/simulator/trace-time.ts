/**
 * Times of a trace as milliseconds: texts with a date, moments of the Unix epoch, offsets, in whatever unit.
 *
 * Pure. A date without a zone is read as UTC: only distances matter.
 */

/** The length of one unit of a numeric time column in milliseconds. */
export type TimeUnitMs = number;

const DATE_TIME =
  /^(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2})?$/i;

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** The number that the text is, or `null`. */
export function numberOf(text: string): number | null {
  return NUMBER.test(text) ? Number(text) : null;
}

/** Milliseconds since the Unix epoch of a text such as `2014-04-01 00:05:00.25`, or `null` when it is none. */
export function dateTimeMs(text: string): number | null {
  const parts = DATE_TIME.exec(text);
  if (parts === null) return null;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts
    .slice(1, 7)
    .map((part) => Number(part ?? 0));
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 24 || minute > 59 || second > 60) return null;
  const seconds = daysSinceEpoch(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
  return (seconds + Number(`0.${parts[7] ?? 0}`)) * 1_000 - zoneMs(parts[8] ?? "Z");
}

/** Days from 1970-01-01 in the Gregorian calendar (Howard Hinnant, "chrono-compatible low-level date algorithms"). */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

function zoneMs(zone: string): number {
  const parts = /^([+-])(\d{2}):?(\d{2})$/.exec(zone);
  if (parts === null) return 0;
  return (parts[1] === "-" ? -1 : 1) * (Number(parts[2]) * 60 + Number(parts[3])) * 60_000;
}

/** Words at the end of a column's name, or the whole of it, that tell its unit. */
const UNITS: readonly (readonly [RegExp, TimeUnitMs])[] = [
  [/(^|_)(ns|nanos|nanoseconds?)$/, 1e-6],
  [/(^|_)(us|micros|microseconds?)$/, 1e-3],
  [/(^|_)(ms|msec|msecs|millis|milliseconds?)$/, 1],
  [/(^|_)(s|sec|secs|seconds?)$/, 1_000],
  [/(^|_)(m|min|mins|minutes?)$/, 60_000],
  [/(^|_)(h|hours?)$/, 3_600_000],
  [/(^|_)days?$/, 86_400_000],
];

/** The unit that a column's name tells, or `null`. The name as {@link plainName} gives it. */
export function unitInName(name: string): TimeUnitMs | null {
  return UNITS.find(([pattern]) => pattern.test(name))?.[1] ?? null;
}

/** Moments of this century in nanoseconds, microseconds, milliseconds and seconds are this large at least. */
const EPOCHS: readonly (readonly [number, TimeUnitMs])[] = [
  [1e17, 1e-6],
  [1e14, 1e-3],
  [1e11, 1],
  [1e8, 1_000],
];

/** The unit of epoch times by their size, or `null` for what can only be offsets. */
export function unitOfEpoch(smallest: number): TimeUnitMs | null {
  return EPOCHS.find(([least]) => smallest >= least)?.[1] ?? null;
}

/** Lower case, words parted by `_`, so that `ContextTokens`, `context tokens` and `context_tokens` are one name. */
export function plainName(header: string): string {
  return header
    .trim()
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^_+|_+$/g, "");
}
