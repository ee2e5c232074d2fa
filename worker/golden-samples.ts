/**
 * Golden samples at publication: a build must read those of every version that it says it reads, and
 * brings those of the versions that it is the first to publish.
 *
 * Made-up ones top up an author's. What makes them up is loaded here and only now: no worker that runs
 * jobs ever has it in memory.
 */
import { unreadableSamples } from "#shared/contracts/replay-samples";
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
  const problems = app.jobs.flatMap(({ contract }) => {
    const published = (document.types[contract.type]?.versions ?? []).map(
      ({ version, minReaderVersion }) => ({
        version,
        minReaderVersion,
        samples: samples.get(sampleName(contract.type, version)) ?? [],
      }),
    );
    return unreadableSamples(contract, published).map(
      ({ version, index, message }) =>
        `golden sample ${index + 1} of ${contract.type} version ${version} cannot be read by this build: ${message}`,
    );
  });
  if (problems.length > 0) throw new PublishRefusedError(release, problems);
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
