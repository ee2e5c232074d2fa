/** Moments as `sluice scale` reads and shows them: always UTC, as in every record. */
import { fromRfc3339, toRfc3339 } from "#shared/system-clock";
import { usageError } from "../../cli-error.ts";
import { parseDurationMs } from "../../parse-duration.ts";

const DAY_MS = 86_400_000;

/** "03:12:04" of an RFC 3339 timestamp; a text that is none stays as it is. */
export function clockTime(at: string): string {
  const atMs = fromRfc3339(at);
  return atMs === null ? at : toRfc3339(atMs).slice(11, 19);
}

/**
 * The moment that somebody types, in RFC 3339: `2026-01-31T03:12:00Z`, `03:12` (UTC, the last time that the clocks
 * showed it), or `15m` (so long ago).
 *
 * @throws {CliError}
 */
export function readMoment(typed: string, nowMs: number): string {
  const agoMs = parseDurationMs(typed);
  if (agoMs !== null && /[smh]$/.test(typed)) return toRfc3339(nowMs - agoMs);
  if (/^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$/.test(typed)) {
    const midnightMs = Math.floor(nowMs / DAY_MS) * DAY_MS;
    const [hours = 0, minutes = 0, seconds = 0] = typed.split(":").map(Number);
    const atMs = midnightMs + ((hours * 60 + minutes) * 60 + seconds) * 1_000;
    return toRfc3339(atMs <= nowMs ? atMs : atMs - DAY_MS);
  }
  const atMs = /^\d{4}-\d\d-\d\dT/.test(typed) ? fromRfc3339(typed) : null;
  if (atMs !== null) return toRfc3339(atMs);
  throw usageError("--at must be a time such as 03:12 (UTC), 2026-01-31T03:12:00Z, or 15m for so long ago.");
}
