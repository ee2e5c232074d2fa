/**
 * What the registry holds: one document, changed by compare-and-set on its revision.
 *
 * It is data, not code: a producer validates and routes by it alone, for types it has no code for.
 * Published versions never change. (Written by `decide-publish.ts`, stored by `shared/redis/registry-store.ts`.)
 */
import { z } from "zod";

const jsonSchema = z.record(z.string(), z.unknown());

const policy = z.object({
  attempts: z.int(),
  timeoutMs: z.int(),
  backoff: z.object({ baseMs: z.int(), maxMs: z.int() }),
  excess: z.enum(["reject", "delay", "degrade"]),
});

const publishedVersion = z.object({
  version: z.int(),
  minReaderVersion: z.int(),
  /** The version's JSON Schema as a reader has it: open. The door closes it. */
  schema: jsonSchema,
});

const draftVersion = z.object({
  version: z.int(),
  schema: jsonSchema,
  draftedAt: z.string(),
  draftedBy: z.string(),
});

/** What happened to a version, by whom and why; the newest are kept. */
const versionEvent = z.object({
  /** RFC 3339. */
  at: z.string(),
  /** Who says to have done it; not checked. */
  by: z.string(),
  change: z.enum(["drafted", "published", "gate-raised", "gate-lowered"]),
  version: z.int(),
  why: z.string(),
});

/** Since when a version is superseded; RFC 3339 both. */
const superseded = z.object({
  since: z.string(),
  /** From when on it may no longer be accepted, as announced to its writers. */
  sunset: z.string().optional(),
});

const publishedType = z.object({
  queue: z.string(),
  policy,
  /** Every version any release has published, ascending. */
  versions: z.array(publishedVersion),
  /** The emission gate: the newest version that jobs may be written as. */
  activeVersion: z.int(),
  /** Versions shown before any release publishes them; a draft may still change. */
  drafts: z.array(draftVersion),
  /** By version: every published one below the gate. */
  superseded: z.record(z.string(), superseded),
  /** Oldest first. */
  events: z.array(versionEvent),
});

/** Read groups by type: what a release reads of one queue, as sorted `type@M` texts. */
const readableSet = z.array(z.string());

const generation = z.object({
  /** k of the lane `<queue>.r<k>`. */
  generation: z.int(),
  /** What may be put into the lane: every build subscribed to it reads all of it. */
  reads: readableSet,
  /** Present when the lane was found empty for good; gone again when a release of it comes back. */
  retired: z.object({ at: z.string(), by: z.string() }).optional(),
});

const registeredQueue = z.object({
  /** The one app whose jobs the queue carries. */
  app: z.string(),
  /** Ascending; the last is the newest. */
  generations: z.array(generation),
});

const registeredRelease = z.object({
  app: z.string(),
  publishedAt: z.string(),
  /** Rises with every publish: a larger number is a newer release. */
  order: z.int(),
  state: z.enum(["live", "retired"]),
  /** Own generation and readable set, by queue. */
  queues: z.record(z.string(), z.object({ generation: z.int(), reads: readableSet })),
});

export const registryDocument = z.object({
  revision: z.int(),
  types: z.record(z.string(), publishedType),
  queues: z.record(z.string(), registeredQueue),
  releases: z.record(z.string(), registeredRelease),
});

export type RegistryDocument = z.output<typeof registryDocument>;
export type PublishedType = z.output<typeof publishedType>;
export type PublishedVersion = z.output<typeof publishedVersion>;
export type VersionEvent = z.output<typeof versionEvent>;
export type Superseded = z.output<typeof superseded>;
export type RegisteredRelease = z.output<typeof registeredRelease>;

export const EMPTY_REGISTRY: RegistryDocument = { revision: 0, types: {}, queues: {}, releases: {} };

/** Who changes the registry, when (RFC 3339) and why. */
export interface Change {
  readonly at: string;
  readonly by: string;
  readonly why: string;
}

/** What one build tells the registry about itself. */
export interface ReleaseDescriptor {
  readonly release: string;
  readonly app: string;
  readonly types: readonly DescribedType[];
}

export interface DescribedType extends Pick<PublishedType, "queue" | "policy"> {
  readonly type: string;
  readonly versions: readonly DescribedVersion[];
}

export interface DescribedVersion extends PublishedVersion {
  /** The build brings a step to it from the version before. */
  readonly hasUpcast?: boolean;
}
