/**
 * What the registry becomes when a build's new versions are shown as drafts.
 *
 * Pure. A draft is there for others to read before it is published: it is not accepted, holds no promise,
 * not even of its queue, and may change with every draft. Publishing the version ends it.
 */
import { withEvent } from "./gate.ts";
import { NEVER_PUBLISHED } from "./merge-release.ts";
import type {
  Change,
  DescribedType,
  PublishedType,
  RegistryDocument,
  ReleaseDescriptor,
} from "./registry-document.ts";

/** The document itself when all versions are published, or are shown as drafts like this already. */
export function decideDraft(
  document: RegistryDocument,
  { types: described }: ReleaseDescriptor,
  change: Change,
): RegistryDocument {
  const types = { ...document.types };
  for (const it of described) {
    const drafted = withDrafts(types[it.type], it, change);
    if (drafted !== undefined) types[it.type] = drafted;
  }
  const changed = described.some(({ type }) => types[type] !== document.types[type]);
  return changed ? { ...document, revision: document.revision + 1, types } : document;
}

function withDrafts(
  known: PublishedType | undefined,
  { queue, policy, versions }: DescribedType,
  change: Change,
): PublishedType | undefined {
  const published = new Set(known?.versions.map((it) => it.version));
  const shown = new Map(known?.drafts.map((it) => [it.version, JSON.stringify(it.schema)]));
  const added = versions.filter(
    ({ version, schema }) => !published.has(version) && shown.get(version) !== JSON.stringify(schema),
  );
  if (added.length === 0) return known;
  let drafted: PublishedType =
    known === undefined || published.size === 0 ? { ...(known ?? NEVER_PUBLISHED), queue, policy } : known;
  for (const { version, schema } of added) {
    const draft = { version, schema, draftedAt: change.at, draftedBy: change.by };
    const others = drafted.drafts.filter((it) => it.version !== version);
    drafted = withEvent({ ...drafted, drafts: [...others, draft] }, "drafted", { ...change, version });
  }
  return drafted;
}
