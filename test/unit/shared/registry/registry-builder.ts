/** Boring releases of a small shop, for the tests of the registry's decisions. */
import { decidePublish, retire } from "#shared/registry/decide-publish";
import {
  type DescribedType,
  EMPTY_REGISTRY,
  type RegistryDocument,
  type ReleaseDescriptor,
} from "#shared/registry/registry-document";

export const PUBLISHED_AT = "2026-01-31T12:00:00.000Z";

const policy = {
  attempts: 5,
  timeoutMs: 60_000,
  backoff: { baseMs: 1_000, maxMs: 60_000 },
  excess: "reject",
} as const;

/** A type with these pairs of V and M; the schema tells the version apart. */
export function typeOf(
  type: string,
  pairs: readonly (readonly [number, number])[],
  queue = "shop",
): DescribedType {
  const versions = pairs.map(([version, minReaderVersion]) => ({
    version,
    minReaderVersion,
    schema: { type: "object", properties: { [`v${version}`]: { type: "string" } } },
  }));
  return { type, queue, policy, versions };
}

export function releaseOf(release: string, ...types: readonly DescribedType[]): ReleaseDescriptor {
  return { release, app: "shop", types };
}

/** The registry after publishing these in order; every one must be taken. */
export function published(...descriptors: readonly ReleaseDescriptor[]): RegistryDocument {
  return descriptors.reduce(publishedOn, EMPTY_REGISTRY);
}

export function publishedOn(document: RegistryDocument, descriptor: ReleaseDescriptor): RegistryDocument {
  const decision = decidePublish(document, descriptor, PUBLISHED_AT);
  if (decision.kind === "refused") throw new Error(decision.problems.join("; "));
  return decision.kind === "published" ? decision.document : document;
}

export function without(document: RegistryDocument, ...releases: readonly string[]): RegistryDocument {
  return releases.reduce(retire, document);
}

export function problemsOf(document: RegistryDocument, descriptor: ReleaseDescriptor): readonly string[] {
  const decision = decidePublish(document, descriptor, PUBLISHED_AT);
  if (decision.kind !== "refused") throw new Error("the release was not refused");
  return decision.problems;
}

/** Own generation of a release on the queue, `undefined` when it has none. */
export function generationOn(
  document: RegistryDocument,
  release: string,
  queue = "shop",
): number | undefined {
  return document.releases[release]?.queues[queue]?.generation;
}
