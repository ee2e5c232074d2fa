/**
 * When a schedule's occurrences are: the arithmetic, and nothing of what is done at them.
 *
 * A timetable is a set of moments that follows from the schedule alone, so the same question has the same
 * answer in every process and after every restart. Moments are in milliseconds since the Unix epoch.
 */

export interface Timetable {
  /** The first occurrence after `afterMs`; `null` when none comes any more. */
  next(afterMs: number): number | null;
  /** How many are after `afterMs` and not after `untilMs`; a timetable may stop counting at 1,000. */
  count(afterMs: number, untilMs: number): number;
}

/** Beyond this a timetable that has to look at each occurrence counts no further. */
const COUNTED_MAX = 1_000;

/** Counts one by one, to 1,000. */
export function countEach(next: Timetable["next"], afterMs: number, untilMs: number): number {
  let count = 0;
  let at = next(afterMs);
  while (at !== null && at <= untilMs && count < COUNTED_MAX) {
    count += 1;
    at = next(at);
  }
  return count;
}

/** Every `intervalMs` (>= 1), so that `anchorMs` is one of the moments; it has neither beginning nor end. */
export function intervalTimetable(intervalMs: number, anchorMs: number): Timetable {
  const numberOf = (atMs: number) => Math.floor((atMs - anchorMs) / intervalMs);
  return {
    next: (afterMs) => anchorMs + (numberOf(afterMs) + 1) * intervalMs,
    count: (afterMs, untilMs) => Math.max(0, numberOf(untilMs) - numberOf(afterMs)),
  };
}

/** The part of a timetable from `startMs` to `endMs`, both included; `null` for no such bound. */
export function boundedTimetable(
  whole: Timetable,
  { startMs, endMs }: { readonly startMs: number | null; readonly endMs: number | null },
): Timetable {
  const first = (afterMs: number) => (startMs === null ? afterMs : Math.max(afterMs, startMs - 1));
  const last = (untilMs: number) => (endMs === null ? untilMs : Math.min(untilMs, endMs));
  return {
    next: (afterMs) => {
      const at = whole.next(first(afterMs));
      return at === null || last(at) < at ? null : at;
    },
    count: (afterMs, untilMs) => whole.count(first(afterMs), Math.max(first(afterMs), last(untilMs))),
  };
}
