/**
 * Writes a type's contract document: keeps every version that is in it and adds those that are not.
 *
 * New versions get their author's samples, and made-up ones up to the number that is wanted. The same
 * contract always gives the same document. Loads the generator of documents: not for a running worker.
 */
import { decideVersion, knownBefore } from "./compatibility/decide-version.ts";
import { generateSamples } from "./compatibility/generate-samples.ts";
import { verdictProblems } from "./compatibility/verdict-problems.ts";
import { type ContractDocument, type DocumentedVersion, SAMPLES_WANTED } from "./contract-document.ts";
import type { ResolvedContract, ResolvedVersion } from "./resolve-contract.ts";

export type DocumentExport =
  | { readonly kind: "exported"; readonly document: ContractDocument }
  /** What speaks against publishing a new version, one sentence each. Nothing is written then. */
  | { readonly kind: "refused"; readonly problems: readonly string[] };

/** @param existing the document as it is now; `null` when the type has none yet. */
export function exportDocument(
  contract: ResolvedContract,
  existing: ContractDocument | null,
): DocumentExport {
  const versions: DocumentedVersion[] = [...(existing?.versions ?? [])];
  const problems: string[] = [];
  for (const version of contract.versions) {
    if (versions.some((it) => it.version === version.version)) continue;
    const { version: v, jsonSchema, minReaderVersion, upcast } = version;
    const candidate = {
      version: v,
      schema: jsonSchema,
      declared: minReaderVersion,
      hasUpcast: upcast !== undefined,
    };
    const verdict = decideVersion(candidate, knownBefore(versions, v));
    problems.push(...verdictProblems(verdict).map((it) => `${contract.type} version ${v}: ${it}`));
    versions.push(documented(contract.type, version));
    versions.sort((a, b) => a.version - b.version);
  }
  if (problems.length > 0) return { kind: "refused", problems };
  return {
    kind: "exported",
    document: { type: contract.type, queue: existing?.queue ?? contract.queue, versions },
  };
}

function documented(type: string, version: ResolvedVersion): DocumentedVersion {
  const { version: v, minReaderVersion, jsonSchema, samples = [] } = version;
  return {
    version: v,
    minReaderVersion,
    schema: jsonSchema,
    samples: toppedUp(type, v, { jsonSchema, samples }),
  };
}

function toppedUp(
  type: string,
  version: number,
  { jsonSchema, samples }: Required<Pick<ResolvedVersion, "jsonSchema" | "samples">>,
): unknown[] {
  const texts = new Set(samples.map((it) => JSON.stringify(it)));
  if (texts.size < SAMPLES_WANTED) {
    // As many as there are in all: some may be the author's own.
    const made = generateSamples(jsonSchema, SAMPLES_WANTED + texts.size, seedOf(type, version));
    for (const sample of made) if (texts.size < SAMPLES_WANTED) texts.add(JSON.stringify(sample));
  }
  return [...texts].map((text): unknown => JSON.parse(text));
}

/** Always the same for a version, and another one for each: FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/). */
function seedOf(type: string, version: number): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(`${type}@${version}`)) {
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  return hash | 0;
}
