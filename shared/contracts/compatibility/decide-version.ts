/**
 * What a new version is to the versions before it: additive, breaking, or not to be published.
 *
 * Pure, and fast enough for every start of a worker: it compares schemas and makes up no data. Additive
 * means proved in both directions against every version of the lane, not only the last, because what reads
 * its neighbour's data need not read its neighbour's neighbour's. A lane here is a read group: the versions
 * that share an M. Documents that show a finding are looked for in `explain-findings.ts`.
 */
import { closed, opened } from "../wire-schema.ts";
import { canRead } from "./can-read.ts";
import { openEnumChanges } from "./open-enum-changes.ts";
import { reusedNames, type VersionSchema } from "./tombstones.ts";
import { BEHAVIOURAL_CODES, findingSentence, type VersionFinding } from "./version-finding.ts";

export interface VersionCandidate extends VersionSchema {
  /** M as the author gave it; `undefined` leaves it to be computed. */
  readonly declared?: number | undefined;
  /** Whether a build brings a step to it from the version before. */
  readonly hasUpcast: boolean;
}

export interface KnownVersions {
  /** Every known version that shares its M with the version before the new one; empty when there is none. */
  readonly lane: readonly VersionSchema[];
  /** M of those. @default the lowest version in `lane`, which it is unless a build has dropped some */
  readonly laneMinReaderVersion?: number | undefined;
  /** Every earlier version of the type that is known, for the names it used. */
  readonly history: readonly VersionSchema[];
}

export type VerdictKind =
  /** Nothing is before it. */
  | "first"
  /** Readers of the whole lane read it, and its reader reads the whole lane. */
  | "additive"
  /** Older readers do not read it, or must not; its own reader reads the older data as it is. */
  | "breaking"
  /** The same, and older data goes through its step. */
  | "breaking-with-upcaster"
  | "rejected";

export interface Verdict {
  readonly version: number;
  readonly kind: VerdictKind;
  /** M that the version has, or, when it is rejected, would have without what it is rejected for. */
  readonly minReaderVersion: number;
  /** The schemas alone would make it additive. */
  readonly raisedByAuthor: boolean;
  /** What speaks against it being additive; of a rejected one, also what it is rejected for. */
  readonly findings: readonly VersionFinding[];
}

export function decideVersion(candidate: VersionCandidate, known: KnownVersions): Verdict {
  const reused = reuseFindings(candidate, known.history);
  const compared = known.lane.length === 0 ? first(candidate) : compare(candidate, known);
  const verdict = reused.length === 0 ? compared : reject(compared, reused);
  return known.lane.length === 0 ? verdict : withDeclared(verdict, candidate, laneM(known));
}

/** The part of `versions` that counts for one of them: what is known before it, and the lane it may join. */
export function knownBefore(
  versions: readonly (VersionSchema & { readonly minReaderVersion: number })[],
  version: number,
): KnownVersions {
  const history = versions.filter((it) => it.version < version).sort((a, b) => a.version - b.version);
  const laneMinReaderVersion = history.at(-1)?.minReaderVersion;
  const lane = history.filter((it) => it.minReaderVersion === laneMinReaderVersion);
  return { lane, laneMinReaderVersion, history };
}

function laneM({ laneMinReaderVersion, lane }: KnownVersions): number {
  return laneMinReaderVersion ?? Math.min(...lane.map((it) => it.version));
}

function first({ version, declared, schema }: VersionCandidate): Verdict {
  const verdict: Verdict = {
    version,
    kind: "first",
    minReaderVersion: declared ?? version,
    raisedByAuthor: false,
    findings: [],
  };
  const found = (code: "MIN_READER_INVALID" | "MIN_READER_MISSING", message: string) =>
    reject(verdict, [declaredFinding({ version, schema }, code, message)]);
  if (declared !== undefined && declared > version) {
    return found("MIN_READER_INVALID", `minReaderVersion ${declared} is above the version itself`);
  }
  if (version === 1 || declared !== undefined) return verdict;
  const message =
    "is the first version that this build has, so its minReaderVersion cannot be computed; " +
    "give it the one that it was published with";
  return found("MIN_READER_MISSING", message);
}

function compare(candidate: VersionCandidate, known: KnownVersions): Verdict {
  const { version, hasUpcast } = candidate;
  const backward = known.lane.flatMap((older) => backwardFindings(candidate, older));
  const forward = known.lane.flatMap((older) => forwardFindings(candidate, older));
  const findings = [...backward, ...forward];
  const base = { version, findings, raisedByAuthor: false };
  if (findings.length === 0) return { ...base, kind: "additive", minReaderVersion: laneM(known) };
  if (hasUpcast) return { ...base, kind: "breaking-with-upcaster", minReaderVersion: version };
  const isReadable = backward.every((it) => BEHAVIOURAL_CODES.has(it.code));
  return { ...base, kind: isReadable ? "breaking" : "rejected", minReaderVersion: version };
}

/** As zod reads, and as the door and zod test multiples. */
const READER = { readerAppliesDefaults: true, comparesDefaults: true, decimalMultiples: true } as const;

function backwardFindings(newer: VersionSchema, older: VersionSchema): VersionFinding[] {
  const found = [
    ...canRead(opened(newer.schema), closed(older.schema), READER),
    ...openEnumChanges(newer.schema, older.schema),
  ];
  return found.map((it) => ({ direction: "backward", againstVersion: older.version, ...it }));
}

function forwardFindings(newer: VersionSchema, older: VersionSchema): VersionFinding[] {
  const found = canRead(opened(older.schema), closed(newer.schema), READER);
  return found.map((it) => ({ direction: "forward", againstVersion: older.version, ...it }));
}

function reuseFindings(candidate: VersionSchema, history: readonly VersionSchema[]): VersionFinding[] {
  return reusedNames(candidate, history).map(({ place, value, lastVersion, older, newer }) => ({
    direction: "history",
    againstVersion: lastVersion,
    path: place,
    code: "NAME_REUSED",
    message:
      `${value === null ? "the field" : `the value ${value}`} was given up after version ${lastVersion}, and ` +
      "stored jobs and older producers still mean the old thing by it; choose another name",
    writer: older,
    reader: newer,
  }));
}

/** Checks what the author says against what follows from the schemas. */
function withDeclared(verdict: Verdict, candidate: VersionCandidate, lane: number): Verdict {
  const { declared, schema, hasUpcast } = candidate;
  const { version, minReaderVersion, findings } = verdict;
  if (declared === undefined || declared === minReaderVersion) return verdict;
  const found = (code: "MIN_READER_INVALID" | "MIN_READER_LOWERED", message: string) =>
    reject(verdict, [declaredFinding({ version, schema }, code, message)]);
  if (declared > version) {
    return found("MIN_READER_INVALID", `minReaderVersion ${declared} is above the version itself`);
  }
  if (declared !== version && declared !== lane) {
    const message = `minReaderVersion ${declared} must be ${lane} (older readers can read it) or ${version} (they cannot)`;
    return found("MIN_READER_INVALID", message);
  }
  if (declared === version) return raised(verdict, hasUpcast);
  const [cause] = findings;
  const because = cause === undefined ? "older readers cannot read it" : `it ${findingSentence(cause)}`;
  return found(
    "MIN_READER_LOWERED",
    `minReaderVersion ${declared} is too low, because ${because}; it must be ${minReaderVersion}`,
  );
}

/** A change of meaning that no schema shows: older readers must not have it. */
function raised(verdict: Verdict, hasUpcast: boolean): Verdict {
  if (verdict.kind !== "additive") return verdict;
  const kind = hasUpcast ? "breaking-with-upcaster" : "breaking";
  return { ...verdict, kind, minReaderVersion: verdict.version, raisedByAuthor: true };
}

function reject(verdict: Verdict, findings: readonly VersionFinding[]): Verdict {
  return { ...verdict, kind: "rejected", findings: [...verdict.findings, ...findings] };
}

function declaredFinding(
  { version, schema }: VersionSchema,
  code: VersionFinding["code"],
  message: string,
): VersionFinding {
  const side = { pointer: "", fragment: schema };
  return {
    direction: "declared",
    againstVersion: version,
    path: "",
    code,
    message,
    writer: side,
    reader: side,
  };
}
