/**
 * Each version of a type, of its document and of the build together: what it is to the others.
 *
 * Loads the generator of documents: not for a running worker.
 */
import { isDeepStrictEqual } from "node:util";
import type { VersionReport } from "./check-report.ts";
import { decideVersion, knownBefore, type Verdict } from "./compatibility/decide-version.ts";
import { type ExplainedFinding, explainFindings } from "./compatibility/explain-findings.ts";
import { type UpcastFinding, upcastFindings } from "./compatibility/upcast-proof.ts";
import type { ContractDocument, DocumentedVersion } from "./contract-document.ts";
import { readableOf, type SampledVersion, unreadableSamples } from "./replay-samples.ts";
import type { ComparedVersions, ResolvedVersion } from "./resolve-contract.ts";

export interface CheckOptions {
  /** The same seed makes up the same data. @default 1 */
  readonly seed?: number;
  /** Documents tried for each finding and each upcaster. @default enough for each */
  readonly runs?: number;
}

export interface ReportedVersions {
  /** Ascending. */
  readonly versions: readonly VersionReport[];
  /** Every golden sample there is, the document's and the author's. */
  readonly sampled: readonly SampledVersion[];
}

export function reportVersions(
  compared: ComparedVersions,
  document: ContractDocument | null,
  options: CheckOptions,
): ReportedVersions {
  const published = document?.versions ?? [];
  const judged = judgeNew(compared, published, options);
  const sampled = [...published, ...judged.map((it) => it.wire)]
    .map((it) => withAuthorsSamples(it, builtAs(compared, it.version)))
    .sort((a, b) => a.version - b.version);
  const versions = sampled.map((wire): VersionReport => {
    const { version, minReaderVersion } = wire;
    const judgement = judged.find((it) => it.verdict.version === version);
    const known = published.find((it) => it.version === version);
    return {
      version,
      state: stateOf(builtAs(compared, version), known),
      minReaderVersion,
      kind: judgement?.verdict.kind ?? null,
      raisedByAuthor: judgement?.verdict.raisedByAuthor ?? false,
      findings: judgement?.findings ?? [],
      upcast: provenUpcast(version, { compared, sampled, options }),
      samplesRead: samplesRead(compared, wire),
    };
  });
  return { versions, sampled };
}

interface Judgement {
  readonly verdict: Verdict;
  readonly findings: readonly ExplainedFinding[];
  /** The version as it would be published. */
  readonly wire: DocumentedVersion;
}

/** Each version of the build that is not published, against all that come before it. */
function judgeNew(
  { contract, verdicts }: ComparedVersions,
  published: readonly DocumentedVersion[],
  options: CheckOptions,
): readonly Judgement[] {
  const judged: Judgement[] = [];
  for (const [index, built] of contract.versions.entries()) {
    const { version, jsonSchema: schema, samples = [], upcast } = built;
    if (published.some((it) => it.version === version)) continue;
    const known = [...published, ...judged.map((it) => it.wire)];
    // What the build itself works out counts as said: it is what it would publish.
    const isUnknown = verdicts[index]?.findings.some(({ code }) => code === "MIN_READER_MISSING");
    const declared = isUnknown === true ? undefined : built.minReaderVersion;
    const candidate = { version, schema, declared, hasUpcast: upcast !== undefined, samples };
    const verdict = decideVersion(candidate, knownBefore(known, version));
    const findings = explainFindings(verdict.findings, { candidate, known }, options);
    const wire = { version, schema, minReaderVersion: verdict.minReaderVersion, samples: [...samples] };
    judged.push({ verdict, findings, wire });
  }
  return judged;
}

function builtAs({ contract }: ComparedVersions, version: number): ResolvedVersion | undefined {
  return contract.versions.find((it) => it.version === version);
}

function withAuthorsSamples(wire: DocumentedVersion, built: ResolvedVersion | undefined): DocumentedVersion {
  const others = (built?.samples ?? []).filter(
    (sample) => !wire.samples.some((known) => isDeepStrictEqual(known, sample)),
  );
  return { ...wire, samples: [...wire.samples, ...others] };
}

function stateOf(
  built: ResolvedVersion | undefined,
  known: DocumentedVersion | undefined,
): VersionReport["state"] {
  if (built === undefined) return "not-in-build";
  if (known === undefined) return "new";
  const isSame =
    known.minReaderVersion === built.minReaderVersion && isDeepStrictEqual(known.schema, built.jsonSchema);
  return isSame ? "unchanged" : "changed";
}

/** Only a step that opens a read group is ever called, with data of the whole group before it. */
function provenUpcast(
  version: number,
  {
    compared,
    sampled,
    options,
  }: {
    readonly compared: ComparedVersions;
    readonly sampled: readonly DocumentedVersion[];
    readonly options: CheckOptions;
  },
): readonly UpcastFinding[] | null {
  const { contract } = compared;
  const built = builtAs(compared, version);
  const before = contract.versions.findLast((it) => it.version < version);
  if (built?.upcast === undefined || before === undefined || built.minReaderVersion !== version) return null;
  const writers = sampled.filter((it) => it.minReaderVersion === before.minReaderVersion);
  return upcastFindings(contract, version, { ...options, writers });
}

function samplesRead({ contract }: ComparedVersions, wire: DocumentedVersion): number {
  const readable = readableOf(contract, [wire]).flatMap((it) => it.samples);
  return readable.length - unreadableSamples(contract, [wire]).length;
}
