/**
 * What the API says to the writer of a superseded version: since when there is a newer one, and until when
 * this one is taken. `Deprecation` is a structured-field date (RFC 9745), `Sunset` an HTTP date (RFC 8594).
 */
import { fromRfc3339, toRfc3339 } from "#shared/system-clock";
import { neutraliseLine } from "../terminal/neutralise.ts";

export interface Deprecation {
  /** RFC 3339; `null` when the server does not say. */
  readonly since: string | null;
  /** RFC 3339; `null` when no end is announced. */
  readonly sunset: string | null;
}

/** `null` when the version is not superseded. */
export function deprecationOf(headers: Headers): Deprecation | null {
  const [deprecation, sunset] = [headers.get("deprecation"), headers.get("sunset")];
  if (deprecation === null && sunset === null) return null;
  const seconds = /^@(\d{1,11})$/.exec(deprecation ?? "")?.[1];
  const sunsetMs = sunset === null ? null : fromRfc3339(sunset);
  return {
    since: seconds === undefined ? null : toRfc3339(Number(seconds) * 1_000),
    sunset: sunsetMs === null ? null : toRfc3339(sunsetMs),
  };
}

export function showDeprecation(type: string, version: number, { since, sunset }: Deprecation): string {
  const when = since === null ? "" : ` since ${since}`;
  const until = sunset === null ? "" : `, and is taken until ${sunset}`;
  return neutraliseLine(
    `warning: version ${version} of ${type} is superseded${when}${until}; write a newer one.`,
  );
}
