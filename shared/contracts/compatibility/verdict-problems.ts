/** Why a version is rejected, in sentences that say what would be right. Pure. */
import type { Verdict } from "./decide-version.ts";
import { BEHAVIOURAL_CODES, findingSentence } from "./version-finding.ts";

/** Empty unless the version is rejected. Each is a sentence about the version. */
export function verdictProblems({ kind, findings }: Verdict): readonly string[] {
  if (kind !== "rejected") return [];
  const own = findings.filter((it) => it.direction === "history" || it.direction === "declared");
  if (own.length > 0) return [...new Set(own.map(findingSentence))];
  const unreadable = findings.filter((it) => it.direction === "backward" && !BEHAVIOURAL_CODES.has(it.code));
  return unreadable.map(
    (it) => `${findingSentence(it)}; give the version an upcast from the one before, or add a field instead`,
  );
}
