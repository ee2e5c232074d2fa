/**
 * Tells the writer of a superseded version that there is a newer one, and until when the old one is taken:
 * `Deprecation` (RFC 9745, a structured-field date) and `Sunset` (RFC 8594, an HTTP date).
 */
import type { Superseded } from "#shared/registry/registry-document";
import { fromRfc3339, toHttpDate } from "#shared/system-clock";

/** Asked for every job of a superseded version; there are few of these versions. */
const known = new WeakMap<Superseded, Readonly<Record<string, string>>>();

export function deprecationHeaders(superseded: Superseded): Readonly<Record<string, string>> {
  const made = known.get(superseded);
  if (made !== undefined) return made;
  const sinceMs = fromRfc3339(superseded.since);
  const sunsetMs = superseded.sunset === undefined ? null : fromRfc3339(superseded.sunset);
  const headers = {
    ...(sinceMs !== null && { deprecation: `@${Math.floor(sinceMs / 1_000)}` }),
    ...(sunsetMs !== null && { sunset: toHttpDate(sunsetMs) }),
    link: '</v1/types>; rel="deprecation"',
  };
  known.set(superseded, headers);
  return headers;
}
