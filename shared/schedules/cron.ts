/**
 * Cron expressions as timetables. The only file that knows the cron library.
 *
 * The library is asked about the wall clock only, where there is no summer time: what happens when the clock
 * is put forward or back is said here, and so does not depend on where a search begins. A time that the
 * clock jumps over happens at the jump, once. A time that the clock shows twice happens the first time, or
 * both times when the hour field takes every hour. Where a day of the month and a day of the week are
 * both named, either is enough, as in every cron.
 */
import { type CronExpression, CronExpressionParser } from "cron-parser";
import { TimeZone } from "./time-zone.ts";
import { countEach, type Timetable } from "./timetable.ts";

const EXPRESSION_CHARS_MAX = 128;

const FIELDS = /^[0-9A-Za-z*?,/#-]+( +[0-9A-Za-z*?,/#-]+){4,5}$/;

/** The library draws a number for it: every process would draw another. */
const DRAWN = /(?<![A-Za-z])H(?![A-Za-z])/i;

/** A change of the clock is never larger than this. */
const DAY_MS = 86_400_000;

/** A moment long after which the library gives up anyway. */
const NO_EARLIER = Number.NEGATIVE_INFINITY;

/** What is wrong with an expression, in words, or `null`. */
export function cronProblem(expression: string): string | null {
  if (expression.length > EXPRESSION_CHARS_MAX) return `must have at most ${EXPRESSION_CHARS_MAX} characters`;
  if (!FIELDS.test(expression)) {
    return 'must be five fields (minute, hour, day of month, month, day of week) or six with seconds first, such as "0 9 * * 1-5"';
  }
  if (DRAWN.test(expression)) return "must not use H: it is another time for every process";
  try {
    parse(expression, 0).next();
    return null;
  } catch {
    return "is not a cron expression, or names a time that never comes";
  }
}

/**
 * @param expression one that `cronProblem` finds nothing wrong with.
 * @throws {RangeError} for a time zone that is not known.
 */
export function cronTimetable(expression: string, timeZone: string): Timetable {
  const zone = new TimeZone(timeZone);
  const walls = new Walls(expression);
  const next = (afterMs: number) => nextOf({ zone, walls }, afterMs);
  return { next, count: (afterMs, untilMs) => countEach(next, afterMs, untilMs) };
}

function nextOf({ zone, walls }: { readonly zone: TimeZone; readonly walls: Walls }, afterMs: number) {
  let fromMs = afterMs;
  let scannedMs = afterMs;
  let offsetMs = zone.offsetMs(afterMs);
  // Walls up to this one have been shown before and are not shown again.
  let shown = walls.everyHour ? NO_EARLIER : shownAgain(zone, afterMs);
  for (;;) {
    const wall = walls.next(Math.max(fromMs + offsetMs, shown));
    if (wall === null) return null;
    const change = zone.changeBetween(scannedMs, wall - offsetMs);
    if (change === null) return wall - offsetMs;
    // Jumped over by a clock that is put forward.
    if (wall < change.atMs + change.offsetMs) return change.atMs;
    if (!walls.everyHour) shown = change.atMs + offsetMs - 1;
    fromMs = change.atMs - 1;
    scannedMs = change.atMs;
    offsetMs = change.offsetMs;
  }
}

/** The last wall that was shown before the clock was put back, when it still shows such walls again. */
function shownAgain(zone: TimeZone, atMs: number): number {
  const earlierMs = atMs - DAY_MS;
  const change = zone.changeBetween(earlierMs, atMs);
  return change === null ? NO_EARLIER : change.atMs + zone.offsetMs(earlierMs) - 1;
}

/** The walls that an expression names, in order; a search goes on where the one before it stopped. */
class Walls {
  readonly everyHour: boolean;
  readonly #expression: string;
  #search: { readonly steps: CronExpression; readonly after: number; readonly next: number } | null = null;

  constructor(expression: string) {
    this.#expression = expression;
    this.everyHour = parse(expression, 0).fields.hour.values.length === 24;
  }

  /** `null` when the library finds none. */
  next(after: number): number | null {
    const search = this.#search;
    if (search !== null && after >= search.after && after < search.next) return search.next;
    const steps = after === search?.next ? search.steps : parse(this.#expression, after);
    try {
      const next = steps.next().getTime();
      this.#search = { steps, after, next };
      return next;
    } catch {
      this.#search = null;
      return null;
    }
  }
}

function parse(expression: string, currentDate: number): CronExpression {
  return CronExpressionParser.parse(expression, { currentDate, tz: "UTC" });
}
