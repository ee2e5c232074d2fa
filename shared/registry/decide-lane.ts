/**
 * Which lane a job goes to, which lanes a release reads, and where a queue's floor is.
 *
 * Pure. A job goes to the lowest generation that reads it, but never below the floor and never where no
 * live release would take it; the floor is the lowest generation that is still some live release's own.
 */
import { readGroup } from "./decide-publish.ts";
import type { PublishedType, RegistryDocument } from "./registry-document.ts";

export type LaneDecision =
  | {
      readonly kind: "lane";
      readonly queue: string;
      readonly generation: number;
      readonly minReaderVersion: number;
    }
  | { readonly kind: "unknown-type"; readonly knownTypes: readonly string[] }
  | { readonly kind: "unknown-version"; readonly acceptedVersions: readonly number[] };

/** The lane for a job of `type` written as `schemaVersion`. */
export function decideLane(document: RegistryDocument, type: string, schemaVersion: number): LaneDecision {
  const published = document.types[type];
  const accepted = acceptedVersions(document, type);
  if (published === undefined || accepted.length === 0) {
    const knownTypes = Object.keys(document.types).filter((it) => acceptedVersions(document, it).length > 0);
    return { kind: "unknown-type", knownTypes };
  }
  const version = published.versions.find((it) => it.version === schemaVersion);
  const generation = version === undefined ? null : generationFor(document, { type, published, ...version });
  if (version === undefined || generation === null)
    return { kind: "unknown-version", acceptedVersions: accepted };
  return { kind: "lane", queue: published.queue, generation, minReaderVersion: version.minReaderVersion };
}

/** The versions of `type` that some live release reads; empty for an unknown type. */
export function acceptedVersions(document: RegistryDocument, type: string): readonly number[] {
  const published = document.types[type];
  if (published === undefined) return [];
  return published.versions
    .filter((version) => generationFor(document, { type, published, ...version }) !== null)
    .map((version) => version.version);
}

/** The lowest generation with a live release of its own, or `null` when the queue has none. */
export function floorOf(document: RegistryDocument, queue: string): number | null {
  const live = liveGenerations(document, queue);
  return live.length === 0 ? null : Math.min(...live);
}

/**
 * The generations whose lanes `release` reads entirely: its own and every older one it dropped nothing of.
 * Usually that is the one before; older ones count while jobs are left in them, see `lanesWorthReading`.
 */
export function lanesReadBy(document: RegistryDocument, release: string, queue: string): readonly number[] {
  const own = document.releases[release]?.queues[queue];
  if (own === undefined) return [];
  const reads = new Set(own.reads);
  const generations = document.queues[queue]?.generations ?? [];
  return generations
    .filter((it) => it.generation <= own.generation)
    .filter((it) => it.reads.every((group) => reads.has(group)))
    .map((it) => it.generation);
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
    ({ generation, reads }) =>
      generation >= floor &&
      reads.includes(group) &&
      (live.includes(generation) || isRead(document, queue, generation)),
  );
  return reading?.generation ?? null;
}

/** A generation that is nobody's own any more is read only by releases of the next that dropped nothing of it. */
function isRead(document: RegistryDocument, queue: string, generation: number): boolean {
  return Object.entries(document.releases).some(
    ([id, { state }]) => state === "live" && lanesReadBy(document, id, queue).includes(generation),
  );
}
