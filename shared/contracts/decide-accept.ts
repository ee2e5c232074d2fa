/**
 * May this build run this job? Answered from the envelope alone, before `data` is parsed.
 *
 * Pure. Everything but `accept` hands the job back: it never throws, never counts an attempt and
 * never fails the job, because another build in the fleet may read it. Lanes are what keeps such
 * jobs away; this is the backstop.
 */

export type AcceptDecision =
  | { readonly kind: "accept" }
  /** M > H: written for newer readers than this build. */
  | { readonly kind: "too-new" }
  /** M < L: older than what this build still reads. */
  | { readonly kind: "too-old" }
  /** `crit` names an attribute that this build does not implement. */
  | { readonly kind: "unknown-crit"; readonly attribute: string }
  /** Unknown type, or an envelope of another major. */
  | { readonly kind: "foreign" };

/** What the accept test looks at. */
export interface AcceptFacts {
  readonly specversion: string;
  readonly type: string;
  /** M, stamped by the server. */
  readonly minReaderVersion: number;
  readonly criticalNames: readonly string[];
}

/** What one build reads of one type. */
export interface ReadRange {
  /** H: the build's own version. */
  readonly native: number;
  /** L: the oldest read group (an M) the build still reads. */
  readonly oldest: number;
}

/** `ranges` holds every type the build has a handler for. */
export function decideAccept(
  facts: AcceptFacts,
  ranges: ReadonlyMap<string, ReadRange>,
  understood: ReadonlySet<string>,
): AcceptDecision {
  const range = ranges.get(facts.type);
  if (facts.specversion !== "1.0" || range === undefined) return { kind: "foreign" };
  if (facts.minReaderVersion > range.native) return { kind: "too-new" };
  if (facts.minReaderVersion < range.oldest) return { kind: "too-old" };
  const attribute = facts.criticalNames.find((name) => !understood.has(name));
  return attribute === undefined ? { kind: "accept" } : { kind: "unknown-crit", attribute };
}
