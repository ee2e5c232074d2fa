/**
 * What a check of an app's contracts answers: plain JSON, for a pipeline to decide by and a command to show.
 *
 * The codes are stable. Made in `check-contract.ts`.
 */
import type { VerdictKind } from "./compatibility/decide-version.ts";
import type { ExplainedFinding } from "./compatibility/explain-findings.ts";
import type { UpcastFinding } from "./compatibility/upcast-proof.ts";
import type { LintCode } from "./lint-finding.ts";

/**
 * `allowed`: can be published, and nothing has to be rolled out in a special way. `breaking`: can be
 * published, and opens a new lane or drops something. `rejected`: must not be published.
 */
export type CheckVerdict = "allowed" | "breaking" | "rejected";

export type CheckCode =
  | LintCode
  /** The contract is malformed in another way. */
  | "CONTRACT_INVALID"
  /** A version of the document has another schema or M in the build. */
  | "PUBLISHED_VERSION_CHANGED"
  /** A type of the documents is not in the app. */
  | "TYPE_REMOVED"
  /** A type of the app has no document. */
  | "TYPE_NEW"
  | "QUEUE_CHANGED"
  /** The build does not read versions that the document has. */
  | "VERSION_DROPPED"
  /** A golden sample cannot be read although the build says that it reads its version. */
  | "SAMPLE_UNREADABLE"
  /** A version has an upcaster that no data goes through. */
  | "UPCAST_UNUSED"
  /** The document lacks versions of the build: write it again. */
  | "DOCUMENT_STALE";

export interface CheckFinding {
  readonly code: CheckCode;
  /** `hint` changes no verdict. */
  readonly severity: "hint" | "breaking" | "rejected";
  /** `null` when it is about the type as a whole. */
  readonly version: number | null;
  /** Place in the zod schema, such as `data.total`; `null` when it is about something else. */
  readonly path: string | null;
  readonly message: string;
}

export interface VersionReport {
  readonly version: number;
  /** `new`: not in the document. `changed`: in it, as something else. */
  readonly state: "new" | "unchanged" | "changed" | "not-in-build";
  readonly minReaderVersion: number;
  /** `null` unless it is new: what is published has been judged. */
  readonly kind: VerdictKind | null;
  readonly raisedByAuthor: boolean;
  /** What speaks against it being additive, or being published. */
  readonly findings: readonly ExplainedFinding[];
  /** What is wrong with its upcaster; `null` when it has none, or the build has nothing to give it. */
  readonly upcast: readonly UpcastFinding[] | null;
  /** Golden samples of it that this build has read. */
  readonly samplesRead: number;
}

export interface TypeReport {
  readonly type: string;
  readonly queue: string;
  readonly state: "new" | "known" | "removed";
  readonly verdict: CheckVerdict;
  readonly findings: readonly CheckFinding[];
  /** Ascending; empty when the contract is malformed. */
  readonly versions: readonly VersionReport[];
}

export interface CheckReport {
  /** The worst of the types. */
  readonly verdict: CheckVerdict;
  readonly types: readonly TypeReport[];
}

const WORST_LAST: readonly CheckVerdict[] = ["allowed", "breaking", "rejected"];

export function worstOf(verdicts: readonly CheckVerdict[]): CheckVerdict {
  return WORST_LAST.findLast((it) => verdicts.includes(it)) ?? "allowed";
}
