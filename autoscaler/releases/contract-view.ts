/**
 * What the registry says of a takeover: lanes that would lose their last reader, and gates that have to go up for it.
 *
 * Pure; it judges nothing, the rollout does. A release's newest version of a type is the newest that it reads: a
 * version within a read group that is open already needs no gate.
 */
import { acceptedVersions, lanesReadBy, routeOf } from "#shared/registry/decide-lane";
import { readGroup, retire } from "#shared/registry/decide-publish";
import type { PublishedType, RegistryDocument } from "#shared/registry/registry-document";
import { unfinishedIn } from "../retirement/decide-lane-retirement.ts";
import type { Rollout } from "../rollout/rollout-document.ts";
import type { ContractView } from "../rollout/rollout-observation.ts";
import type { QueueView } from "../snapshot.ts";

export interface Takeover {
  readonly pool: string;
  readonly from: string;
  readonly to: string;
}

/** `queue`: as it was looked at; `undefined` when the registry does not have it. */
export function contractView(
  document: RegistryDocument,
  { pool, from, to }: Takeover,
  queue: QueueView | undefined,
): ContractView {
  const read = new Set(lanesReadBy(document, to, pool));
  const leaving = new Set(lanesReadBy(document, from, pool));
  const written = new Set([
    ...writtenGenerations(document, pool),
    ...writtenGenerations(retire(document, from), pool),
  ]);
  const lanes = (queue?.lanes ?? [])
    .filter((lane) => !read.has(lane.generation))
    // What nobody reads as it is gets no worse.
    .filter((lane) => leaving.has(lane.generation))
    .filter((lane) => unfinishedIn(lane) > 0 || written.has(lane.generation));
  const steps = typesOf(document, pool).map(([type, published]) => groupsUp(type, published, document, to));
  return {
    lanesWithoutReader: lanes.map((it) => it.lane),
    readGroupsUp: Math.max(0, ...steps.map((it) => it.size)),
  };
}

/** The gates of the types that `to` brings a version of that old readers do not read. */
export function gatesOf(document: RegistryDocument, pool: string, to: string): Rollout["gates"] {
  return typesOf(document, pool).flatMap(([type, published]) => {
    const groups = groupsUp(type, published, document, to);
    if (groups.size === 0) return [];
    const wanted = newestRead(type, published, document.releases[to]?.queues[pool]?.reads ?? []);
    return wanted === null ? [] : [{ type, before: published.activeVersion, wanted }];
  });
}

/** Read groups above the gate up to the newest version that `to` reads. */
function groupsUp(
  type: string,
  published: PublishedType,
  document: RegistryDocument,
  to: string,
): ReadonlySet<number> {
  const { activeVersion, versions, queue } = published;
  const newest = newestRead(type, published, document.releases[to]?.queues[queue]?.reads ?? []);
  const above = versions.filter((it) => it.version > activeVersion && it.version <= (newest ?? 0));
  const groups = above.map((it) => it.minReaderVersion).filter((group) => group > activeVersion);
  return new Set(groups.filter((group) => isRouted(document, type, published, group)));
}

/** A group that no live release reads is no step, as `decide-gate.ts` has it. */
function isRouted(document: RegistryDocument, type: string, { versions }: PublishedType, group: number) {
  return versions.some((it) => it.minReaderVersion === group && routeOf(document, type, it.version) !== null);
}

function newestRead(type: string, { versions }: PublishedType, reads: readonly string[]): number | null {
  const known = versions.filter((it) => reads.includes(readGroup(type, it.minReaderVersion)));
  return known.at(-1)?.version ?? null;
}

/** Generations that new jobs are written to. */
function writtenGenerations(document: RegistryDocument, pool: string): readonly number[] {
  return typesOf(document, pool).flatMap(([type]) =>
    acceptedVersions(document, type).flatMap((version) => routeOf(document, type, version)?.generation ?? []),
  );
}

function typesOf(document: RegistryDocument, pool: string): readonly [string, PublishedType][] {
  return Object.entries(document.types).filter(([, it]) => it.queue === pool);
}
