/** Boring releases of a small shop, for the tests of the registry's decisions. */
import {
  decideGate,
  type GateDecision,
  type GateReadiness,
  type GateRequest,
} from "#shared/registry/decide-gate";
import { decidePublish, retire } from "#shared/registry/decide-publish";
import {
  type Change,
  type DescribedType,
  EMPTY_REGISTRY,
  type PublishedType,
  type RegistryDocument,
  type ReleaseDescriptor,
} from "#shared/registry/registry-document";

export const PUBLISHED_AT = "2026-01-31T12:00:00.000Z";

/** When and by whom the builder's releases are published. */
export const PUBLICATION = { at: PUBLISHED_AT, by: "ana@ops1" };

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
  const decision = decidePublish(document, descriptor, PUBLICATION);
  if (decision.kind === "refused") throw new Error(decision.problems.join("; "));
  return decision.kind === "published" ? decision.document : document;
}

export function without(document: RegistryDocument, ...releases: readonly string[]): RegistryDocument {
  return releases.reduce(retire, document);
}

export function problemsOf(document: RegistryDocument, descriptor: ReleaseDescriptor): readonly string[] {
  const decision = decidePublish(document, descriptor, PUBLICATION);
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

/** What is published of a type; it must be there. */
export function publishedType(document: RegistryDocument, type = "receipt.render"): PublishedType {
  const known = document.types[type];
  if (known === undefined) throw new Error(`${type} is not in the registry`);
  return known;
}

export const MOVED_AT = "2026-02-01T08:30:00.000Z";

export interface Asked extends Partial<GateRequest>, Partial<GateReadiness>, Partial<Change> {
  readonly version: number;
}

/** Asks for a move of the gate of receipts; nobody is busy and nobody there unless told. */
export function askGate(document: RegistryDocument, asked: Asked): GateDecision {
  const {
    readerSlots = 0,
    loadSlots = 0,
    at = MOVED_AT,
    by = "ben@ops2",
    why = "as planned",
    ...rest
  } = asked;
  const request = { type: "receipt.render", expected: null, force: false, sunset: null, ...rest };
  return decideGate(document, request, { readiness: { readerSlots, loadSlots }, change: { at, by, why } });
}

/** The registry after the move, which must be made. */
export function movedTo(document: RegistryDocument, asked: number | Asked): RegistryDocument {
  const decision = askGate(document, typeof asked === "number" ? { version: asked, force: true } : asked);
  if (decision.kind !== "moved") throw new Error(`the gate did not move: ${JSON.stringify(decision)}`);
  return decision.document;
}
