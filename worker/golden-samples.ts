/**
 * Golden samples: a build must read those of every version that it says it reads, at publication and in its probe, and
 * brings those of the versions that it is the first to publish.
 *
 * Made-up ones top up an author's. What makes them up is loaded only at publication: no worker that runs
 * jobs ever has it in memory.
 */
import { readableOf, unreadableSamples } from "#shared/contracts/replay-samples";
import type { ResolvedContract } from "#shared/contracts/resolve-contract";
import { PublishRefusedError } from "#shared/errors";
import { type Samples, sampleName } from "#shared/redis/sample-store";
import type { RegistryDocument } from "#shared/registry/registry-document";
import type { ResolvedApp } from "./app.ts";

/** @throws {PublishRefusedError} naming every published sample that this build cannot read. */
export function requireReadable(
  { release, app }: { readonly release: string; readonly app: ResolvedApp },
  document: RegistryDocument,
  samples: Samples,
): void {
  const { problems } = readSamples(app, document, samples);
  if (problems.length > 0) throw new PublishRefusedError(release, problems);
}

/** Reads every published sample of a version that this build says it reads; `read`: how many there are. */
export function readSamples(
  app: ResolvedApp,
  document: RegistryDocument,
  samples: Samples,
): { readonly read: number; readonly problems: readonly string[] } {
  let read = 0;
  const problems = app.jobs.flatMap(({ contract }) => {
    const published = (document.types[contract.type]?.versions ?? []).map(
      ({ version, minReaderVersion }) => ({
        version,
        minReaderVersion,
        samples: samples.get(sampleName(contract.type, version)) ?? [],
      }),
    );
    for (const version of readableOf(contract, published)) read += version.samples.length;
    return unreadableSamples(contract, published).map(
      ({ version, index, message }) =>
        `golden sample ${index + 1} of ${contract.type} version ${version} cannot be read by this build: ${message}`,
    );
  });
  return { read, problems };
}

/** Samples of those versions of the app that have none yet. */
export async function missingSamples(app: ResolvedApp, known: Samples): Promise<Samples> {
  const contracts = app.jobs.map((it) => it.contract).filter((it) => lacksSamples(it, known));
  if (contracts.length === 0) return new Map();
  const { exportDocument } = await import("#shared/contracts/export-document");
  const made = new Map<string, readonly unknown[]>();
  for (const contract of contracts) {
    const exported = exportDocument(contract, null);
    if (exported.kind === "refused") continue;
    for (const { version, samples } of exported.document.versions) {
      const name = sampleName(contract.type, version);
      if (!known.has(name)) made.set(name, samples);
    }
  }
  return made;
}

function lacksSamples({ type, versions }: ResolvedContract, known: Samples): boolean {
  return versions.some(({ version }) => !known.has(sampleName(type, version)));
}
