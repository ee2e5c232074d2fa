/**
 * A contract with everything that follows from its schemas: each version's JSON Schema and M.
 *
 * Nobody types M: it is worked out from the versions that the build has, and what an author writes can only
 * raise it. The registry works it out once more, from every version that was ever published. Nothing is made
 * up and nothing is loaded for it, because every worker asks at its start.
 */
import { AppInvalidError } from "../errors.ts";
import { pointerTo } from "../json-pointer.ts";
import { findForbidden } from "../json-walk.ts";
import { decideVersion, knownBefore, type Verdict } from "./compatibility/decide-version.ts";
import { verdictProblems } from "./compatibility/verdict-problems.ts";
import { type Contract, type ContractVersion, contractProblems, type ReadableVersion } from "./contract.ts";
import { toJsonSchema } from "./json-schema.ts";
import { compileStrictCheck, type JsonSchema } from "./strict-check.ts";

export interface ResolvedVersion extends ReadableVersion {
  /** As it is published: open. */
  readonly jsonSchema: JsonSchema;
}

export interface ResolvedContract extends Contract {
  readonly versions: readonly ResolvedVersion[];
}

export type Resolution =
  | {
      readonly kind: "resolved";
      readonly contract: ResolvedContract;
      /** One a version, in order. */
      readonly verdicts: readonly Verdict[];
    }
  /** Everything that is wrong, one sentence each. Versions are only compared once each is right by itself. */
  | { readonly kind: "invalid"; readonly problems: readonly string[] };

/** Worked out once for each contract: what it is made of does not change. */
export function resolveContract(contract: Contract): Resolution {
  const resolution = resolutions.get(contract) ?? resolve(contract);
  resolutions.set(contract, resolution);
  if (resolution.kind === "resolved") resolutions.set(resolution.contract, resolution);
  return resolution;
}

const resolutions = new WeakMap<Contract, Resolution>();

function resolve(contract: Contract): Resolution {
  const malformed = contractProblems(contract);
  if (malformed.length > 0) return { kind: "invalid", problems: malformed };
  const compared = compareVersions(contract);
  if (compared.problems.length > 0) {
    const problems = compared.problems.map(
      ({ version, message }) => `${contract.type} version ${version}: ${message}`,
    );
    return { kind: "invalid", problems };
  }
  return { kind: "resolved", contract: compared.contract, verdicts: compared.verdicts };
}

export interface ComparedVersions {
  /** With the M of each version as far as it follows; not to be run while there are problems. */
  readonly contract: ResolvedContract;
  readonly verdicts: readonly Verdict[];
  readonly problems: readonly VersionProblem[];
}

export interface VersionProblem {
  readonly version: number;
  /** What it follows from: the versions before it, or its samples. */
  readonly about: "versions" | "samples";
  /** A sentence about the version. */
  readonly message: string;
}

/** The versions of a contract whose parts are right, each judged by those before it. */
export function compareVersions(contract: Contract): ComparedVersions {
  const versions: ResolvedVersion[] = [];
  const verdicts: Verdict[] = [];
  const problems: VersionProblem[] = [];
  for (const version of contract.versions) {
    const jsonSchema = toJsonSchema(version.schema);
    const verdict = verdictOf(version, jsonSchema, versions);
    versions.push({ ...version, jsonSchema, minReaderVersion: verdict.minReaderVersion });
    verdicts.push(verdict);
    const note = (about: VersionProblem["about"], messages: readonly string[]) =>
      problems.push(...messages.map((message) => ({ version: version.version, about, message })));
    note("versions", verdictProblems(verdict));
    note("samples", sampleProblems(version, jsonSchema));
  }
  return { contract: { ...contract, versions }, verdicts, problems };
}

/**
 * The same for a contract that is known to be right.
 *
 * @throws {AppInvalidError} with the problems of one that is not.
 */
export function resolved(contract: Contract): ResolvedContract {
  const resolution = resolveContract(contract);
  if (resolution.kind === "resolved") return resolution.contract;
  throw new AppInvalidError(contract.type, resolution.problems);
}

function verdictOf(
  { version, minReaderVersion, upcast }: ContractVersion,
  schema: JsonSchema,
  before: readonly ResolvedVersion[],
): Verdict {
  const published = before.map((it) => ({ ...it, schema: it.jsonSchema }));
  return decideVersion(
    { version, schema, declared: minReaderVersion, hasUpcast: upcast !== undefined },
    knownBefore(published, version),
  );
}

/** A sample must be something that the door lets in and the version's own reader takes. */
function sampleProblems({ samples = [], schema }: ContractVersion, jsonSchema: JsonSchema): string[] {
  if (samples.length === 0) return [];
  const check = compileStrictCheck(jsonSchema, "");
  return samples.flatMap((sample, index) => {
    const forbidden = findForbidden(sample);
    const issuesAtDoor = forbidden === null ? check(sample) : [forbidden];
    const refused = issuesAtDoor.map((issue) => `${issue.pointer || "it"} ${issue.message}`);
    const issues = schema.safeParse(sample).error?.issues ?? [];
    const unread = issues.map((issue) => `${pointerTo(issue.path) || "it"} ${issue.message}`);
    const problems = refused.length > 0 ? refused : unread;
    return problems.map((it) => `sample ${index + 1} is not valid: ${it}`);
  });
}
