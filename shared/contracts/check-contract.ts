/**
 * Judges one type of an app against its document: may it be published, and what does it mean for the rest.
 *
 * Everything is asked that can be asked without a fleet: the lint, each new version against all versions
 * that were ever published, whether published versions are still what they were, upcasters on made-up data,
 * and golden samples with the build's own reader. Loads the generator of documents: not for a running
 * worker.
 */
import {
  type CheckFinding,
  type CheckVerdict,
  type TypeReport,
  type VersionReport,
  worstOf,
} from "./check-report.ts";
import { type CheckOptions, reportVersions } from "./check-versions.ts";
import { UPCAST_WARNINGS } from "./compatibility/upcast-proof.ts";
import { type Contract, contractProblems } from "./contract.ts";
import type { ContractDocument } from "./contract-document.ts";
import { lintSentence } from "./lint-finding.ts";
import { readRangeOf } from "./reader.ts";
import { unreadableSamples } from "./replay-samples.ts";
import { type ComparedVersions, compareVersions } from "./resolve-contract.ts";
import { lintSchema } from "./schema-lint.ts";

/** @param document `null` when the type has none. */
export function checkContract(
  contract: Contract,
  document: ContractDocument | null,
  options: CheckOptions,
): TypeReport {
  const base = {
    type: contract.type,
    queue: contract.queue,
    state: document === null ? "new" : "known",
  } as const;
  const malformed = formFindings(contract);
  if (malformed.length > 0) return { ...base, verdict: "rejected", findings: malformed, versions: [] };
  const compared = compareVersions(contract);
  const { versions, sampled } = reportVersions(compared, document, options);
  const findings = [
    ...(document === null ? [NEW_TYPE] : documentFindings(compared, document)),
    ...buildFindings(compared, versions),
    ...versions
      .filter(({ state }) => state === "changed")
      .map(({ version }) => rejected("PUBLISHED_VERSION_CHANGED", version, CHANGED)),
    ...unreadableSamples(compared.contract, sampled).map(({ version, index, message }) =>
      rejected("SAMPLE_UNREADABLE", version, `this build cannot read sample ${index + 1} of it: ${message}`),
    ),
  ];
  const verdicts = [
    ...findings.map(({ severity }): CheckVerdict => (severity === "hint" ? "allowed" : severity)),
    ...versions.map(({ kind }): CheckVerdict => {
      if (kind === "rejected") return "rejected";
      // What was never published has nobody to break.
      const isBreaking = kind === "breaking" || kind === "breaking-with-upcaster";
      return isBreaking && document !== null ? "breaking" : "allowed";
    }),
    ...versions.flatMap(({ upcast }) =>
      (upcast ?? []).map(({ code }) => verdictOf(UPCAST_WARNINGS.has(code))),
    ),
  ];
  return { ...base, verdict: worstOf(verdicts), findings, versions };
}

/** A type that only its document knows any more. */
export function removedType({ type, queue, versions }: ContractDocument): TypeReport {
  const message =
    "this build has no such type any more: jobs of it that still wait are run by older releases only, so keep " +
    "one until there are none; then delete the document, and never use the name for something else";
  return {
    type,
    queue,
    state: "removed",
    verdict: "breaking",
    findings: [{ code: "TYPE_REMOVED", severity: "breaking", version: null, path: null, message }],
    versions: versions.map(({ version, minReaderVersion }) => ({
      version,
      state: "not-in-build",
      minReaderVersion,
      kind: null,
      raisedByAuthor: false,
      findings: [],
      upcast: null,
      samplesRead: 0,
    })),
  };
}

function verdictOf(isWarning: boolean): CheckVerdict {
  return isWarning ? "allowed" : "rejected";
}

/** What is wrong with the parts of the contract; the lint's findings keep their codes and places. */
function formFindings(contract: Contract): CheckFinding[] {
  const problems = contractProblems(contract);
  if (problems.length === 0) return [];
  const told = new Set<string>();
  const versions = Array.isArray(contract.versions) ? contract.versions : [];
  const linted = versions.flatMap((it) =>
    lintSchema(it?.schema).map((finding): CheckFinding => {
      told.add(`${contract.type} version ${it.version}: ${lintSentence(finding)}`);
      const { code, path, message } = finding;
      return { code, severity: "rejected", version: it.version, path, message };
    }),
  );
  const others = problems.filter((it) => !told.has(it));
  return [...others.map((it) => rejected("CONTRACT_INVALID", null, it)), ...linted];
}

const CHANGED =
  "it is published with another schema or minReaderVersion; put it back as it was, and add a version instead";

const NEW_TYPE: CheckFinding = {
  code: "TYPE_NEW",
  severity: "hint",
  version: null,
  path: null,
  message:
    "no document has this type yet: write one; workers of older releases do not read it, so it opens a lane",
};

/** What the document says that the build does otherwise, or the other way round. */
function documentFindings({ contract }: ComparedVersions, document: ContractDocument): CheckFinding[] {
  const findings: CheckFinding[] = [];
  if (document.queue !== contract.queue) {
    const message = `it is published on queue ${document.queue}, and this build has it on ${contract.queue}; a type keeps its queue`;
    findings.push(rejected("QUEUE_CHANGED", null, message));
  }
  const { oldest } = readRangeOf(contract);
  for (const { version, minReaderVersion } of document.versions) {
    if (minReaderVersion >= oldest) continue;
    const message =
      "this build does not read it any more: keep a release that does until no such job is left, and stop sending it";
    findings.push({ code: "VERSION_DROPPED", severity: "breaking", version, path: null, message });
  }
  const missing = contract.versions.filter(
    (it) => !document.versions.some((known) => known.version === it.version),
  );
  if (missing.length > 0) {
    const message = `the document lacks version ${missing.map((it) => it.version).join(", ")}: write it again`;
    findings.push({ code: "DOCUMENT_STALE", severity: "hint", version: null, path: null, message });
  }
  return findings;
}

/** What keeps a worker of this build from starting, and what only looks odd. */
function buildFindings(
  { contract, problems, verdicts }: ComparedVersions,
  reports: readonly VersionReport[],
): CheckFinding[] {
  // What a version is rejected for is told by the findings of its own.
  const isTold = (version: number) => reports.some((it) => it.version === version && it.kind === "rejected");
  const invalid = problems
    .filter(({ version, about }) => about === "samples" || !isTold(version))
    .map(({ version, message }) => rejected("CONTRACT_INVALID", version, message));
  const unused = contract.versions
    .filter(({ upcast }, index) => upcast !== undefined && verdicts[index]?.kind === "additive")
    .map(({ version }): CheckFinding => {
      const message =
        "its upcaster is never called: it reads data of the version before as it is; leave it out";
      return { code: "UPCAST_UNUSED", severity: "hint", version, path: null, message };
    });
  return [...invalid, ...unused];
}

function rejected(code: CheckFinding["code"], version: number | null, message: string): CheckFinding {
  return { code, severity: "rejected", version, path: null, message };
}
