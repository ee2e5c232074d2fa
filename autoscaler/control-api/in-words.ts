/** Numbers and times as a person reads them. Words only; code reads the numbers themselves. */
import { fromRfc3339, toRfc3339 } from "#shared/system-clock";

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const threeDigits = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 3 });

export function amount(value: number): string {
  return whole.format(value);
}

/** "1 job", "3 jobs"; `plural` for nouns that do not take an s. */
export function counted(value: number, noun: string, plural = `${noun}s`): string {
  return `${amount(value)} ${value === 1 ? noun : plural}`;
}

/** "470 ms", "1.2 s", "47 s", "3 min 20 s", "2 h 5 min", "3 d 4 h". */
export function duration(lengthMs: number): string {
  if (lengthMs < 999.5) return `${Math.round(lengthMs)} ms`;
  if (lengthMs < 9_950) return `${Math.round(lengthMs / 100) / 10} s`;
  const seconds = Math.round(lengthMs / 1_000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return twoUnits(seconds, { per: 60, big: "min", small: "s" });
  const minutes = Math.round(seconds / 60);
  if (minutes < 48 * 60) return twoUnits(minutes, { per: 60, big: "h", small: "min" });
  return twoUnits(Math.round(minutes / 60), { per: 24, big: "d", small: "h" });
}

/** "0.25/s", "12.3/s". */
export function rate(perSec: number): string {
  return `${threeDigits.format(perSec)}/s`;
}

/** "2026-01-02 03:04:05 UTC"; a text that is no RFC 3339 timestamp stays as it is. */
export function moment(at: string): string {
  const atMs = fromRfc3339(at);
  return atMs === null ? at : `${toRfc3339(atMs).slice(0, 19).replace("T", " ")} UTC`;
}

/** "12 s ago" at the moment `now`, or `null` when one of the two is no timestamp. */
export function ago(at: string, now: string): string | null {
  const [atMs, nowMs] = [fromRfc3339(at), fromRfc3339(now)];
  return atMs === null || nowMs === null ? null : `${duration(Math.max(0, nowMs - atMs))} ago`;
}

/** "a, b, c and 4 more". */
export function listed(names: readonly string[], max = 5): string {
  const more = names.length - max;
  return more > 0 ? `${names.slice(0, max).join(", ")} and ${more} more` : names.join(", ");
}

function twoUnits(value: number, { per, big, small }: { per: number; big: string; small: string }): string {
  const rest = value % per;
  return `${Math.floor(value / per)} ${big}${rest === 0 ? "" : ` ${rest} ${small}`}`;
}
