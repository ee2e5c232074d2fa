/**
 * What the registry becomes when a release is published or retired.
 *
 * Pure. A release that reads exactly what a generation holds shares that generation; one that brings
 * something older readers cannot read (a breaking version, a new type) or drops something opens the
 * next. At most two generations of a queue have live releases, so that every build reads its own lane
 * and the one before. Published versions are immutable, and what a new one means for the others is worked
 * out here once more, against every version that was ever published.
 *
 * The gate of a type starts at the newest version of the first release that brings it. An additive version
 * passes it by itself, because every reader of its lane reads it; a breaking one waits below it.
 */
import { decideVersion, knownBefore } from "../contracts/compatibility/decide-version.ts";
import { verdictProblems } from "../contracts/compatibility/verdict-problems.ts";
import { mergedTypes } from "./merge-release.ts";
import type {
  Change,
  DescribedType,
  PublishedType,
  RegisteredRelease,
  RegistryDocument,
  ReleaseDescriptor,
} from "./registry-document.ts";

export type PublishDecision =
  | { readonly kind: "unchanged" }
  | { readonly kind: "published"; readonly document: RegistryDocument }
  | { readonly kind: "refused"; readonly problems: readonly string[] };

/** Generations of one queue that may have live releases at once. */
const LIVE_GENERATIONS_MAX = 2;

export function decidePublish(
  document: RegistryDocument,
  descriptor: ReleaseDescriptor,
  change: Pick<Change, "at" | "by">,
): PublishDecision {
  const problems = [...typeProblems(document, descriptor), ...releaseProblems(document, descriptor)];
  if (problems.length > 0) return { kind: "refused", problems };

  const types = mergedTypes(document, descriptor, change);
  const placed = placeQueues(document, descriptor);
  const crowded = placed.flatMap((place) => crowdingProblems(document, descriptor.release, place));
  if (crowded.length > 0) return { kind: "refused", problems: crowded };

  const before = releaseOf(document, descriptor.release);
  const release = {
    app: descriptor.app,
    publishedAt: before?.publishedAt ?? change.at,
    order: before?.order ?? 1 + Math.max(0, ...Object.values(document.releases).map((it) => it.order)),
    state: "live" as const,
    queues: Object.fromEntries(
      placed.map(({ queue, generation, reads }) => [queue, { generation, reads: [...reads] }]),
    ),
  };
  const next: RegistryDocument = {
    revision: document.revision,
    types,
    queues: { ...document.queues, ...queuesWith(document, descriptor.app, placed) },
    releases: { ...document.releases, [descriptor.release]: release },
  };
  if (JSON.stringify(next) === JSON.stringify(document)) return { kind: "unchanged" };
  return { kind: "published", document: { ...next, revision: document.revision + 1 } };
}

/** Marks `release` retired; the document itself when it is not live. */
export function retire(document: RegistryDocument, release: string): RegistryDocument {
  const known = releaseOf(document, release);
  if (known === undefined || known.state === "retired") return document;
  const releases = { ...document.releases, [release]: { ...known, state: "retired" as const } };
  return { ...document, revision: document.revision + 1, releases };
}

/** Marks a lane retired; the document itself when it is, or when it is a live release's own. */
export function retireLane(
  document: RegistryDocument,
  { queue, generation, at, by }: LaneRetirement,
): RegistryDocument {
  const registered = Object.hasOwn(document.queues, queue) ? document.queues[queue] : undefined;
  const known = registered?.generations.find((it) => it.generation === generation);
  const owned = Object.values(document.releases).some(
    (release) => release.state === "live" && release.queues[queue]?.generation === generation,
  );
  if (registered === undefined || known === undefined || known.retired !== undefined || owned)
    return document;
  const generations = registered.generations.map((it) =>
    it === known ? { ...it, retired: { at, by } } : it,
  );
  const queues = { ...document.queues, [queue]: { ...registered, generations } };
  return { ...document, revision: document.revision + 1, queues };
}

export interface LaneRetirement {
  readonly queue: string;
  readonly generation: number;
  /** RFC 3339. */
  readonly at: string;
  readonly by: string;
}

/** The read group of a version, as readable sets name it. */
export function readGroup(type: string, minReaderVersion: number): string {
  return `${type}@${minReaderVersion}`;
}

/** Asks for an own name, because "constructor" is a release's name like any other. */
function releaseOf(document: RegistryDocument, release: string): RegisteredRelease | undefined {
  return Object.hasOwn(document.releases, release) ? document.releases[release] : undefined;
}

interface Place {
  readonly queue: string;
  readonly generation: number;
  readonly reads: readonly string[];
}

function readsByQueue(types: readonly DescribedType[]): Map<string, string[]> {
  const reads = new Map<string, string[]>();
  for (const { type, queue, versions } of types) {
    const groups = new Set(versions.map((version) => readGroup(type, version.minReaderVersion)));
    reads.set(queue, [...(reads.get(queue) ?? []), ...groups]);
  }
  for (const groups of reads.values()) groups.sort();
  return reads;
}

function placeQueues(document: RegistryDocument, { types }: ReleaseDescriptor): Place[] {
  return [...readsByQueue(types)].map(([queue, reads]) => {
    const generations = document.queues[queue]?.generations ?? [];
    const equal = generations.findLast((it) => it.reads.join() === reads.join());
    const next = (generations.at(-1)?.generation ?? 0) + 1;
    return { queue, generation: equal?.generation ?? next, reads };
  });
}

function queuesWith(document: RegistryDocument, app: string, placed: readonly Place[]) {
  return Object.fromEntries(
    placed.map(({ queue, generation, reads }) => {
      const generations = document.queues[queue]?.generations ?? [];
      // A lane that was retired is in use again once a release of it is back.
      const others = generations.map((it) =>
        it.generation === generation ? { generation, reads: it.reads } : it,
      );
      const known = others.some((it) => it.generation === generation);
      const all = known ? others : [...others, { generation, reads: [...reads] }];
      return [queue, { app, generations: all }];
    }),
  );
}

function crowdingProblems(document: RegistryDocument, release: string, place: Place): string[] {
  const live = new Set([place.generation]);
  for (const [id, other] of Object.entries(document.releases)) {
    const generation = other.queues[place.queue]?.generation;
    if (id !== release && other.state === "live" && generation !== undefined) live.add(generation);
  }
  if (live.size <= LIVE_GENERATIONS_MAX) return [];
  const oldest = Math.min(...live);
  return [
    `queue ${place.queue} would have ${live.size} live reader generations (${[...live].sort((a, b) => a - b).join(", ")}); ` +
      `retire the releases of generation ${oldest} first, so that every build reads its own lane and the one before`,
  ];
}

function typeProblems(document: RegistryDocument, descriptor: ReleaseDescriptor): string[] {
  return descriptor.types.flatMap((described) => {
    const published = document.types[described.type];
    const owner = document.queues[described.queue]?.app;
    const problems: string[] = [];
    if (owner !== undefined && owner !== descriptor.app) {
      problems.push(`queue ${described.queue} belongs to the app ${owner}; choose another queue name`);
    }
    if (published !== undefined && published.versions.length > 0 && published.queue !== described.queue) {
      problems.push(`${described.type} is published on queue ${published.queue}; a type keeps its queue`);
    }
    const changed = changedVersions(described, published);
    if (changed.length > 0) return [...problems, ...changed];
    return [...problems, ...newVersionProblems(described, published)];
  });
}

/** The build has judged its versions by those that it has; here they are judged by all that ever were. */
function newVersionProblems(
  { type, versions }: DescribedType,
  published: PublishedType | undefined,
): string[] {
  const known = published?.versions ?? [];
  const added = versions.filter((it) => !known.some((other) => other.version === it.version));
  const all = [...known, ...added];
  return added.flatMap(({ version, schema, minReaderVersion, hasUpcast = false }) => {
    const candidate = { version, schema, declared: minReaderVersion, hasUpcast };
    const verdict = decideVersion(candidate, knownBefore(all, version));
    return verdictProblems(verdict).map((it) => `${type} version ${version}: ${it}`);
  });
}

function changedVersions(type: DescribedType, published: PublishedType | undefined): string[] {
  return type.versions.flatMap((version) => {
    const known = published?.versions.find((it) => it.version === version.version);
    const { hasUpcast: _unpublished, ...described } = version;
    if (known === undefined || canonical(known) === canonical(described)) return [];
    return [
      `${type.type} version ${version.version} is published with another schema or minReaderVersion; ` +
        "a published version never changes: add a version instead",
    ];
  });
}

function releaseProblems(document: RegistryDocument, descriptor: ReleaseDescriptor): string[] {
  const known = releaseOf(document, descriptor.release);
  if (known === undefined) return [];
  if (known.app !== descriptor.app) {
    return [`the release id ${descriptor.release} belongs to the app ${known.app}; choose another id`];
  }
  const reads = Object.fromEntries(readsByQueue(descriptor.types));
  const published = Object.fromEntries(Object.entries(known.queues).map(([queue, it]) => [queue, it.reads]));
  if (canonical(reads) === canonical(published)) return [];
  return [
    `the release id ${descriptor.release} was published by a build that reads other versions; ` +
      "give this build an id of its own",
  ];
}

/** JSON with sorted names, so that equal values give equal texts. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, part: unknown) =>
    part !== null && typeof part === "object" && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
