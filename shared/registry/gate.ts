/** What moving a gate and telling of it change in a published type; `decide-gate.ts` says whether it may. */
import type { PublishedType, VersionEvent } from "./registry-document.ts";

/** Events kept a type: the registry is read whole by every process. */
const EVENTS_KEPT_MAX = 50;

/** The type with its gate at `version`; every version that this passes is superseded. */
export function raiseGate(
  published: PublishedType,
  version: number,
  { since, sunset }: { readonly since: string; readonly sunset: string | null },
): PublishedType {
  const superseded = { ...published.superseded };
  for (const { version: passed } of published.versions) {
    if (passed >= version || passed < published.activeVersion) continue;
    superseded[passed] = { since, ...(sunset !== null && { sunset }) };
  }
  return { ...published, activeVersion: version, superseded };
}

export function withEvent(
  published: PublishedType,
  change: VersionEvent["change"],
  { at, by, why, version }: Omit<VersionEvent, "change">,
): PublishedType {
  const events = [...published.events, { at, by, change, version, why }].slice(-EVENTS_KEPT_MAX);
  return { ...published, events };
}
