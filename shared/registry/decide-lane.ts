/**
 * Which lane a job goes to, which lanes a release reads, and where a queue's floor is.
 *
 * Pure. New jobs pass the gate first (`decideLane`); jobs that are accepted already only need a route
 * (`routeOf`). A job goes to the lowest generation that reads it, but never below the floor, never into a retired
 * lane and never where no live release would take it; the floor is the lowest generation that is still some
 * live release's own.
 */
import { readGroup } from "./decide-publish.ts";
import type { PublishedType, RegistryDocument, Superseded } from "./registry-document.ts";

export interface Route {
  readonly queue: string;
  readonly generation: number;
  readonly minReaderVersion: number;
}

export type LaneDecision =
  | (Route & {
      readonly kind: "lane";
      /** Since when a newer version is the active one; `null` when this one is. */
      readonly superseded: Superseded | null;
    })
  | { readonly kind: "unknown-type"; readonly knownTypes: readonly string[] }
  | { readonly kind: "unknown-version"; readonly acceptedVersions: readonly number[] }
  | { readonly kind: "not-active"; readonly activeVersion: number };

/** The lane for a new job of `type` written as `schemaVersion`. */
export function decideLane(document: RegistryDocument, type: string, schemaVersion: number): LaneDecision {
  const published = typeOf(document, type);
  const readable = readableVersions(document, type);
  if (published === undefined || readable.length === 0) {
    const knownTypes = Object.keys(document.types).filter((it) => readableVersions(document, it).length > 0);
    return { kind: "unknown-type", knownTypes };
  }
  const { activeVersion } = published;
  const route = routeOf(document, type, schemaVersion);
  if (route === null)
    return { kind: "unknown-version", acceptedVersions: readable.filter((it) => it <= activeVersion) };
  if (schemaVersion > activeVersion) return { kind: "not-active", activeVersion };
  return { kind: "lane", ...route, superseded: published.superseded[schemaVersion] ?? null };
}

/** Where a job goes whatever the gate says; `null` when no live release reads it. */
export function routeOf(document: RegistryDocument, type: string, schemaVersion: number): Route | null {
  const published = typeOf(document, type);
  const version = published?.versions.find((it) => it.version === schemaVersion);
  if (published === undefined || version === undefined) return null;
  const { minReaderVersion } = version;
  const generation = generationFor(document, { type, published, minReaderVersion });
  return generation === null ? null : { queue: published.queue, generation, minReaderVersion };
}

/** The versions of `type` that are accepted at the door now, ascending; empty for an unknown type. */
export function acceptedVersions(document: RegistryDocument, type: string): readonly number[] {
  const activeVersion = typeOf(document, type)?.activeVersion ?? 0;
  return readableVersions(document, type).filter((version) => version <= activeVersion);
}

/** The versions of `type` that some live release reads. */
function readableVersions(document: RegistryDocument, type: string): readonly number[] {
  const versions = typeOf(document, type)?.versions ?? [];
  return versions.map((it) => it.version).filter((version) => routeOf(document, type, version) !== null);
}

/** Asks for an own name: a type can be called like something every object has. */
function typeOf(document: RegistryDocument, type: string): PublishedType | undefined {
  return Object.hasOwn(document.types, type) ? document.types[type] : undefined;
}

/** The lowest generation with a live release of its own, or `null` when the queue has none. */
export function floorOf(document: RegistryDocument, queue: string): number | null {
  const live = liveGenerations(document, queue);
  return live.length === 0 ? null : Math.min(...live);
}

/**
 * The generations whose lanes `release` reads entirely: its own, every older one it dropped nothing of, and
 * every newer one that brought nothing it lacks. Usually that is its own and the one before; others count
 * while jobs are left in them, see `lanesWorthReading`.
 */
export function lanesReadBy(document: RegistryDocument, release: string, queue: string): readonly number[] {
  const own = document.releases[release]?.queues[queue];
  if (own === undefined) return [];
  const reads = new Set(own.reads);
  const generations = document.queues[queue]?.generations ?? [];
  return generations.filter((it) => it.reads.every((group) => reads.has(group))).map((it) => it.generation);
}

/**
 * Which of `generations` a worker should subscribe to: those that new jobs may still go to, and those
 * below the floor that hold jobs. An empty lane below the floor would only cost connections.
 */
export function lanesWorthReading(
  generations: readonly number[],
  floor: number | null,
  holdsJobs: (generation: number) => boolean,
): readonly number[] {
  return generations.filter((generation) => generation >= (floor ?? 0) || holdsJobs(generation));
}

function liveGenerations(document: RegistryDocument, queue: string): number[] {
  return Object.values(document.releases).flatMap((release) => {
    const generation = release.queues[queue]?.generation;
    return release.state === "live" && generation !== undefined ? [generation] : [];
  });
}

function generationFor(
  document: RegistryDocument,
  job: { readonly type: string; readonly published: PublishedType; readonly minReaderVersion: number },
): number | null {
  const { queue } = job.published;
  const floor = floorOf(document, queue);
  if (floor === null) return null;
  const live = liveGenerations(document, queue);
  const group = readGroup(job.type, job.minReaderVersion);
  const reading = document.queues[queue]?.generations.find(
    ({ generation, reads, retired }) =>
      generation >= floor &&
      retired === undefined &&
      reads.includes(group) &&
      (live.includes(generation) || isRead(document, queue, generation)),
  );
  return reading?.generation ?? null;
}

/** A generation that is nobody's own any more is read only by releases of others that lack nothing of it. */
function isRead(document: RegistryDocument, queue: string, generation: number): boolean {
  return Object.entries(document.releases).some(
    ([id, { state }]) => state === "live" && lanesReadBy(document, id, queue).includes(generation),
  );
}
