/** Lengths of time as people type them: `500ms`, `30s`, `2m`, `1h`; a bare number is seconds. */

const UNIT_MS = new Map([
  ["ms", 1],
  ["s", 1_000],
  ["", 1_000],
  ["m", 60_000],
  ["h", 3_600_000],
]);

/** A day: whatever waits longer should not wait on a terminal. */
const DURATION_MS_MAX = 86_400_000;

export const DURATION_RULE = "must be a length of time such as 500ms, 30s, 2m or 1h, at most 24h";

/** In whole milliseconds, 1 to 86,400,000; `null` when the text is none of that. */
export function parseDurationMs(text: string): number | null {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|)$/.exec(text);
  const unitMs = UNIT_MS.get(match?.[2] ?? "none");
  if (match === null || unitMs === undefined) return null;
  const durationMs = Math.round(Number(match[1]) * unitMs);
  return durationMs >= 1 && durationMs <= DURATION_MS_MAX ? durationMs : null;
}
