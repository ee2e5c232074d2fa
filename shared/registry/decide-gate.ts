/**
 * Whether the emission gate of a type may move, and what the registry is then.
 *
 * Pure. `activeversion` is the newest version that jobs may be written as. It goes down at any time: that
 * is the first step of every rollback. It goes up by one read group at a time, and only when the workers
 * that read the version's lane and do not drain have slots for the load that the type has now. What is
 * not known is not zero: a load that was not measured yet refuses.
 */
import { routeOf } from "./decide-lane.ts";
import { raiseGate, withEvent } from "./gate.ts";
import type { Change, PublishedType, RegistryDocument } from "./registry-document.ts";

export interface GateRequest {
  readonly type: string;
  /** Where the gate shall stand: a published version. */
  readonly version: number;
  /** Where the caller saw it; another place now refuses. `null` moves it from wherever it is. */
  readonly expected: number | null;
  /** Raise without the slots. The caller says why. */
  readonly force: boolean;
  /** When versions that are superseded by this stop being accepted, RFC 3339 in UTC; `null`: not announced. */
  readonly sunset: string | null;
}

/** What the fleet can do for the version, measured. */
export interface GateReadiness {
  /** Slots of workers that take from the version's lane and do not drain. */
  readonly readerSlots: number;
  /** Slots that the type's jobs keep busy now: arrivals a second times slot seconds; `null` while not known. */
  readonly loadSlots: number | null;
}

export const GATE_REFUSALS = [
  "type-unknown",
  "version-unknown",
  "gate-moved",
  "sunset-wrong",
  "no-reader",
  "more-than-one-step",
  "load-unknown",
  "slots-missing",
] as const;

export type GateRefusal = (typeof GATE_REFUSALS)[number];

export type GateDecision =
  | { readonly kind: "unchanged"; readonly activeVersion: number }
  | { readonly kind: "moved"; readonly from: number; readonly document: RegistryDocument }
  | { readonly kind: "refused"; readonly code: GateRefusal; readonly reason: string };

export function decideGate(
  document: RegistryDocument,
  request: GateRequest,
  { readiness, change }: { readonly readiness: GateReadiness; readonly change: Change },
): GateDecision {
  const { type, version, expected } = request;
  const published = Object.hasOwn(document.types, type) ? document.types[type] : undefined;
  // A type may be there with nothing but drafts.
  if (published === undefined || published.versions.length === 0)
    return refused("type-unknown", `no release has published the type ${type}`);
  const { activeVersion } = published;
  if (expected !== null && expected !== activeVersion) {
    return refused(
      "gate-moved",
      `the gate of ${type} is at ${activeVersion}, not at ${expected}; look again`,
    );
  }
  if (!published.versions.some((it) => it.version === version)) {
    const known = published.versions.map((it) => it.version).join(", ");
    return refused("version-unknown", `version ${version} of ${type} is not published; published: ${known}`);
  }
  if (version === activeVersion) return { kind: "unchanged", activeVersion };
  const refusal =
    sunsetRefusal(request, activeVersion, change) ??
    (version > activeVersion ? raiseRefusal(document, request, readiness) : null);
  if (refusal !== null) return refusal;
  const moved =
    version > activeVersion ? raised(published, request, change) : lowered(published, version, change);
  const types = { ...document.types, [type]: moved };
  return {
    kind: "moved",
    from: activeVersion,
    document: { ...document, revision: document.revision + 1, types },
  };
}

/** Both times are in UTC with milliseconds, so their texts compare as they do. */
function sunsetRefusal(
  { sunset, version }: GateRequest,
  activeVersion: number,
  { at }: Change,
): GateDecision | null {
  if (sunset === null) return null;
  if (version < activeVersion)
    return refused("sunset-wrong", "a gate that is lowered supersedes nothing; leave out the sunset");
  if (sunset > at) return null;
  return refused("sunset-wrong", `the sunset ${sunset} has passed already; announce a later one`);
}

function raiseRefusal(
  document: RegistryDocument,
  { type, version, force }: GateRequest,
  { readerSlots, loadSlots }: GateReadiness,
): GateDecision | null {
  const route = routeOf(document, type, version);
  if (route === null) {
    return refused("no-reader", `no live release reads version ${version} of ${type}; deploy one first`);
  }
  const steps = stepsTo(document, type, version);
  if (steps.length > 1) {
    const reason = `version ${version} of ${type} is ${steps.length} read groups above the gate; raise to ${steps[0]} first`;
    return refused("more-than-one-step", reason);
  }
  if (force) return null;
  if (loadSlots === null) {
    return refused("load-unknown", `the load of ${type} is not measured yet; try again in ten seconds`);
  }
  // Not for the dust that binary fractions leave behind.
  const needed = Math.ceil(loadSlots - 1e-9);
  if (readerSlots >= needed) return null;
  return refused(
    "slots-missing",
    `${type} keeps ${needed} slots busy, and the workers that read version ${version} and do not drain have ` +
      `${readerSlots}; start more of them first`,
  );
}

/**
 * The first version of each read group that a raise to `version` would open, ascending. A group that no live
 * release reads is no step: nothing could ever be raised to it, and a gate once lowered below would stay there.
 */
function stepsTo(document: RegistryDocument, type: string, version: number): readonly number[] {
  const { versions = [], activeVersion = 0 } = document.types[type] ?? {};
  const opened = versions
    .filter((it) => it.version > activeVersion && it.version <= version)
    .filter((it) => it.minReaderVersion > activeVersion && routeOf(document, type, it.version) !== null);
  const groups = new Set(opened.map((it) => it.minReaderVersion));
  return [...groups].flatMap((group) => opened.find((it) => it.minReaderVersion === group)?.version ?? []);
}

function raised(published: PublishedType, { version, sunset }: GateRequest, change: Change): PublishedType {
  return withEvent(raiseGate(published, version, { since: change.at, sunset }), "gate-raised", {
    ...change,
    version,
  });
}

function lowered(published: PublishedType, version: number, change: Change): PublishedType {
  const kept = Object.entries(published.superseded).filter(([it]) => Number(it) < version);
  const moved = { ...published, activeVersion: version, superseded: Object.fromEntries(kept) };
  return withEvent(moved, "gate-lowered", { ...change, version });
}

function refused(code: GateRefusal, reason: string): GateDecision {
  return { kind: "refused", code, reason };
}
