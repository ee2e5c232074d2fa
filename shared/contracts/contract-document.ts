/**
 * The versions of one type as a document: what a team keeps beside its code, under version control, and
 * every later build is judged against.
 *
 * Plain JSON, so that it can be read and compared without the code that made it. What a document holds is
 * published and never changes; writing it again only adds to it (see `export-document.ts`).
 */
import { z } from "zod";
import { TYPE_PATTERN } from "../envelope.ts";
import { QUEUE_NAME_PATTERN } from "../lane.ts";

/** Golden samples a version has, where its schema allows as many different ones. */
export const SAMPLES_WANTED = 3;

const documentedVersion = z.object({
  version: z.int().min(1),
  minReaderVersion: z.int().min(1),
  /** JSON Schema as it is published: open. */
  schema: z.record(z.string(), z.unknown()),
  /** Data that every build which reads the version must be able to read. */
  samples: z.array(z.unknown()).min(1),
});

export const contractDocument = z
  .object({
    type: z.string().regex(TYPE_PATTERN),
    queue: z.string().regex(QUEUE_NAME_PATTERN),
    /** Ascending. */
    versions: z.array(documentedVersion).min(1),
  })
  .refine(
    ({ versions }) => versions.every((it, index) => it.version > (versions[index - 1]?.version ?? 0)),
    "versions must rise",
  );

/** One a type. */
export const contractDocuments = z
  .array(contractDocument)
  .refine((all) => new Set(all.map((it) => it.type)).size === all.length, "hold a type twice");

export type ContractDocument = z.output<typeof contractDocument>;
export type DocumentedVersion = z.output<typeof documentedVersion>;
