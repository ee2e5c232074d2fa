/** How long keys live, as people type it: `30m`, `24h`, `90d`. */

const UNIT_MS = new Map([
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);

const LIFETIME_MS_MAX = 3_650 * 86_400_000;

export const LIFETIME_RULE =
  "must be a number of minutes, hours or days, such as 30m, 24h or 90d, at most 3650d";

/** In milliseconds; `null` when the text is none of that. */
export function parseLifetimeMs(text: string): number | null {
  const [, count = "", unit = ""] = /^(\d{1,7})([mhd])$/.exec(text) ?? [];
  const lifetimeMs = Number(count) * (UNIT_MS.get(unit) ?? Number.NaN);
  return lifetimeMs >= 0 && lifetimeMs <= LIFETIME_MS_MAX ? lifetimeMs : null;
}
