/**
 * Where each version of a type is in its life: draft, published, active, superseded, retired.
 *
 * Read off the registry rather than stored, so that it can never disagree with what the door does: a
 * version above the gate is published, the one at it active, one below superseded, and one that no live
 * release reads and no lane can still hold is retired. A raised gate and a returning release move it back.
 */
import { readGroup } from "./decide-publish.ts";
import type { PublishedType, RegistryDocument } from "./registry-document.ts";

export type VersionLife = "draft" | "published" | "active" | "superseded" | "retired";

export interface VersionState {
  readonly version: number;
  readonly state: VersionLife;
  /** Since when it is superseded; else when it was drafted or published, or the gate moved to it. RFC 3339. */
  readonly since: string | null;
  /** Who drafted or published it, or moved the gate to it, whoever was last. */
  readonly by: string | null;
  /** When it stops being accepted, as announced; RFC 3339. */
  readonly sunset: string | null;
}

/** Every version of `type`, drafts included, ascending; empty for an unknown type. */
export function versionStates(document: RegistryDocument, type: string): readonly VersionState[] {
  const published = Object.hasOwn(document.types, type) ? document.types[type] : undefined;
  if (published === undefined) return [];
  const known = new Set(published.versions.map((it) => it.version));
  const drafts = published.drafts.filter((it) => !known.has(it.version)).map((it) => it.version);
  return [...known, ...drafts]
    .sort((a, b) => a - b)
    .map((version) => stateOf(document, { type, published, version }));
}

function stateOf(
  document: RegistryDocument,
  {
    type,
    published,
    version,
  }: { readonly type: string; readonly published: PublishedType; readonly version: number },
): VersionState {
  const event = published.events.findLast((it) => it.version === version);
  const superseded = published.superseded[version];
  return {
    version,
    state: lifeOf(document, { type, published, version }),
    since: superseded?.since ?? event?.at ?? null,
    by: event?.by ?? null,
    sunset: superseded?.sunset ?? null,
  };
}

function lifeOf(
  document: RegistryDocument,
  {
    type,
    published,
    version,
  }: { readonly type: string; readonly published: PublishedType; readonly version: number },
): VersionLife {
  const known = published.versions.find((it) => it.version === version);
  if (known === undefined) return "draft";
  if (isRetired(document, published.queue, readGroup(type, known.minReaderVersion))) return "retired";
  if (version > published.activeVersion) return "published";
  return version === published.activeVersion ? "active" : "superseded";
}

/** A live release's own lane is never retired, so a group that somebody reads is in one that is not. */
function isRetired(document: RegistryDocument, queue: string, group: string): boolean {
  const lanes = document.queues[queue]?.generations ?? [];
  return lanes.every((lane) => lane.retired !== undefined || !lane.reads.includes(group));
}
