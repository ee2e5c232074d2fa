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

const publishedType = z.object({
  queue: z.string(),
  policy,
  /** Every version any release has published, ascending. */
  versions: z.array(publishedVersion),
});

/** Read groups by type: what a release reads of one queue, as sorted `type@M` texts. */
const readableSet = z.array(z.string());

const generation = z.object({
  /** k of the lane `<queue>.r<k>`. */
  generation: z.int(),
  /** What may be put into the lane: every build subscribed to it reads all of it. */
  reads: readableSet,
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
export type RegisteredRelease = z.output<typeof registeredRelease>;

export const EMPTY_REGISTRY: RegistryDocument = { revision: 0, types: {}, queues: {}, releases: {} };

/** What one build tells the registry about itself. */
export interface ReleaseDescriptor {
  readonly release: string;
  readonly app: string;
  readonly types: readonly DescribedType[];
}

export interface DescribedType extends PublishedType {
  readonly type: string;
}
