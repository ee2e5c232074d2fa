/** What can speak against a new version being additive, or being published at all. */
import type { Incompatibility, IncompatibilityCode } from "./can-read.ts";

export type VersionFindingCode =
  | IncompatibilityCode
  /** A field or value that an earlier version had and gave up is used again. */
  | "NAME_REUSED"
  /** An open enum no longer knows a value that stored jobs may hold. */
  | "VALUE_REMOVED"
  /** Readers of the two versions do different things with a value that neither knows. */
  | "FALLBACK_CHANGED"
  /** The author's M promises readers that cannot read the version. */
  | "MIN_READER_LOWERED"
  /** The author's M is neither the computed one nor the version itself. */
  | "MIN_READER_INVALID"
  /** M cannot be computed, because the build no longer has what it follows from. */
  | "MIN_READER_MISSING";

export type VersionIncompatibility = Omit<Incompatibility, "code"> & { readonly code: VersionFindingCode };

export interface VersionFinding extends VersionIncompatibility {
  /**
   * `backward`: the new reader and data of an older version. `forward`: an older reader and data of the new
   * version. `history`: the names of all versions. `declared`: what the author wrote.
   */
  readonly direction: "backward" | "forward" | "history" | "declared";
  /** The older version; the new one itself where the finding is about it alone. */
  readonly againstVersion: number;
}

/**
 * Both readers take the same data and do different things with it, so there is no document that one refuses.
 * Between read groups these are harmless: older data is first read by the newest of its own group, which
 * fills in its own default and knows its own values.
 */
export const BEHAVIOURAL_CODES: ReadonlySet<VersionFindingCode> = new Set([
  "DEFAULT_CHANGED",
  "FALLBACK_CHANGED",
]);

/** A finding as one sentence about `version`. */
export function findingSentence({ direction, againstVersion, path, code, message }: VersionFinding): string {
  const at = `${path === "" ? "the data" : path} (${code})`;
  switch (direction) {
    case "backward":
      return `cannot stand in for version ${againstVersion}: ${at}: ${message}`;
    case "forward":
      return `cannot be read as version ${againstVersion}: ${at}: ${message}`;
    case "history":
      return `${at}: ${message}`;
    case "declared":
      return message;
  }
}
