/** Compares two versions in both directions and looks for data that shows each difference. Takes seconds. */
import { canRead } from "#shared/contracts/compatibility/can-read";
import { type ExplainedFinding, explainFindings } from "#shared/contracts/compatibility/explain-findings";
import type { VersionFinding } from "#shared/contracts/compatibility/version-finding";
import { closed, opened } from "#shared/contracts/wire-schema";
import { type Pair, type PairSide, sameSchema } from "./decide-pairs.ts";

export interface Comparison {
  /** Both have the same schema. */
  readonly same: boolean;
  /** `backward`: b cannot read what a writes. `forward`: a cannot read what b writes. */
  readonly findings: readonly ExplainedFinding[];
}

/** As versions of a contract are compared: writers send what is declared, readers fill in their defaults. */
const READER = { readerAppliesDefaults: true, comparesDefaults: true } as const;

export function comparePair({ a, b }: Pair): Comparison {
  const backward = unreadable(b, a).map((it) => ({ ...it, direction: "backward" as const }));
  const forward = unreadable(a, b).map((it) => ({ ...it, direction: "forward" as const }));
  const findings: VersionFinding[] = [...backward, ...forward].map((it) => ({
    ...it,
    againstVersion: a.version,
  }));
  return {
    same: a.type === b.type && sameSchema(a, b),
    findings: explainFindings(findings, { candidate: b, known: [a] }),
  };
}

function unreadable(reader: PairSide, writer: PairSide) {
  return canRead(opened(reader.schema), closed(writer.schema), READER);
}
