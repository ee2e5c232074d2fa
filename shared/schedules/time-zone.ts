/**
 * What a clock on the wall shows in a time zone, and when it is put forward or back.
 *
 * The rules are those of the Intl data that Node.js brings; a newer Node.js may know newer ones. "Wall" is a
 * moment as the zone's clock shows it, written as milliseconds as if that clock showed UTC.
 */

/** The clock is put forward or back: from `atMs` on it is `offsetMs` ahead of UTC. */
export interface ClockChange {
  readonly atMs: number;
  readonly offsetMs: number;
}

/** Two changes of one zone are further apart than this: Morocco's around Ramadan are, by weeks. */
const LOOK_MS = 7 * 86_400_000;

/** Whether `name` is a zone of the IANA database that this Node.js knows. */
export function isTimeZone(name: string): boolean {
  try {
    formatterOf(name);
    // Offsets such as +02:00 are no zones; later engines take them here.
    return /^[A-Za-z]/.test(name);
  } catch {
    return false;
  }
}

export class TimeZone {
  readonly #formatter: Intl.DateTimeFormat;

  /** @throws {RangeError} for a zone that is not known. */
  constructor(name: string) {
    this.#formatter = formatterOf(name);
  }

  /** How far the zone's clock is ahead of UTC, in milliseconds. */
  offsetMs(atMs: number): number {
    const shown = this.#formatter.formatToParts(atMs).find(({ type }) => type === "timeZoneName");
    const [, sign, hours, minutes, seconds = "0"] =
      /^GMT([+-])(\d\d):(\d\d)(?::(\d\d))?$/.exec(shown?.value ?? "") ?? [];
    if (sign === undefined) return 0;
    const ms = (Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds)) * 1_000;
    return sign === "-" ? -ms : ms;
  }

  /** The first change after `afterMs` and not after `untilMs`, or `null`. */
  changeBetween(afterMs: number, untilMs: number): ClockChange | null {
    const before = this.offsetMs(afterMs);
    for (let low = afterMs; low < untilMs; low += LOOK_MS) {
      const high = Math.min(low + LOOK_MS, untilMs);
      if (this.offsetMs(high) !== before) return this.#changeIn(low, high, before);
    }
    return null;
  }

  /** Halves the time between a moment before the change and one after it. */
  #changeIn(lowMs: number, highMs: number, before: number): ClockChange {
    let low = lowMs;
    let high = highMs;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.offsetMs(middle) === before) low = middle;
      else high = middle;
    }
    return { atMs: high, offsetMs: this.offsetMs(high) };
  }
}

function formatterOf(timeZone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat("en-US", { timeZone, timeZoneName: "longOffset" });
}
