/**
 * What a release adds to the published types: its new versions, its policy, and where the gates then stand.
 *
 * Whether the release may be published at all is decided before, in `decide-publish.ts`.
 */
import { raiseGate, withEvent } from "./gate.ts";
import type {
  Change,
  PublishedType,
  PublishedVersion,
  RegistryDocument,
  ReleaseDescriptor,
} from "./registry-document.ts";

/** The published types with this release's versions added and its policy in force. */
export function mergedTypes(
  document: RegistryDocument,
  { release, types: described }: ReleaseDescriptor,
  { at, by }: Pick<Change, "at" | "by">,
): RegistryDocument["types"] {
  const types = { ...document.types };
  for (const { type, queue, policy, versions } of described) {
    const known = { ...(types[type] ?? { ...NEVER_PUBLISHED, queue }), policy };
    const added = versions
      .filter((it) => !known.versions.some((other) => other.version === it.version))
      .map(({ version, minReaderVersion, schema }) => ({ version, minReaderVersion, schema }));
    const change = { at, by, why: `release ${release}` };
    // A draft has promised no queue.
    const placed = known.versions.length === 0 ? { ...known, queue } : known;
    types[type] = added.length === 0 ? placed : withVersions(placed, added, change);
  }
  return types;
}

/** A type that no release has published yet. */
export const NEVER_PUBLISHED = { versions: [], activeVersion: 0, drafts: [], superseded: {}, events: [] };

function withVersions(
  known: PublishedType,
  added: readonly PublishedVersion[],
  change: Change,
): PublishedType {
  const numbers = new Set(added.map((it) => it.version));
  const versions = [...known.versions, ...added].sort((a, b) => a.version - b.version);
  const drafts = known.drafts.filter((it) => !numbers.has(it.version));
  // A build may bring versions that were passed before they were published.
  const late = added.filter((it) => it.version < known.activeVersion);
  const superseded = {
    ...known.superseded,
    ...Object.fromEntries(late.map((it) => [it.version, { since: change.at }])),
  };
  let merged: PublishedType = { ...known, versions, drafts, superseded };
  for (const version of numbers) merged = withEvent(merged, "published", { ...change, version });
  const active = gateAfterPublish(known, versions);
  if (active === known.activeVersion) return merged;
  const raised = raiseGate(merged, active, { since: change.at, sunset: null });
  const why = known.versions.length === 0 ? "the first release of the type" : "additive";
  return withEvent(raised, "gate-raised", { ...change, version: active, why });
}

/** Additive versions follow a gate that was at the newest version; one that was lowered stays where it is. */
function gateAfterPublish(known: PublishedType, versions: readonly PublishedVersion[]): number {
  const newest = versions.at(-1)?.version ?? 0;
  if (known.versions.length === 0) return newest;
  const active = known.versions.at(-1);
  if (active === undefined || active.version !== known.activeVersion) return known.activeVersion;
  const group = versions.filter((it) => it.minReaderVersion === active.minReaderVersion);
  return group.at(-1)?.version ?? known.activeVersion;
}
