/**
 * Adds to the findings of a verdict what a person wants to see: a document that shows them.
 *
 * One is looked for once for each pair of versions, and shown with every finding of the pair. Where none is
 * found the finding may be one that no data can show, because the comparison only calls compatible what it
 * can prove. Takes time and loads the generator of documents: not for a running worker.
 */
import { closed, type JsonSchema, opened } from "../wire-schema.ts";
import { type Counterexample, findCounterexample } from "./find-counterexample.ts";
import { BEHAVIOURAL_CODES, type VersionFinding } from "./version-finding.ts";

export interface ExplainedFinding extends VersionFinding {
  /** Both readers take the same data and do different things with it: no document is refused. */
  readonly behavioural: boolean;
  /** No document was found that shows it, so it may be stricter than needed. */
  readonly conservative: boolean;
  /** Data that the writer of the pair may send and its reader refuses. */
  readonly counterexample: Counterexample | null;
}

/** A version as the search needs it. */
export interface ExplainedVersion {
  readonly version: number;
  readonly schema: JsonSchema;
  /** Tried first, as real data shows more than made-up data. */
  readonly samples?: readonly unknown[];
}

export interface ExplainOptions {
  /** @default 1 */
  readonly seed?: number;
  /** Documents tried at most for a pair of versions. @default what the search takes */
  readonly runs?: number;
}

/** @param known the older versions that the findings are against. */
export function explainFindings(
  findings: readonly VersionFinding[],
  { candidate, known }: { readonly candidate: ExplainedVersion; readonly known: readonly ExplainedVersion[] },
  options: ExplainOptions = {},
): readonly ExplainedFinding[] {
  const found = new Map<string, Counterexample | null>();
  const lookFor = ({ direction, againstVersion }: VersionFinding): Counterexample | null => {
    const key = `${direction} ${againstVersion}`;
    const older = known.find((it) => it.version === againstVersion);
    if (older === undefined) return null;
    if (!found.has(key)) {
      const [reader, writer] = direction === "backward" ? [candidate, older] : [older, candidate];
      found.set(key, search(reader, writer, options));
    }
    return found.get(key) ?? null;
  };
  return findings.map((finding) => {
    const behavioural = BEHAVIOURAL_CODES.has(finding.code) || finding.code === "VALUE_REMOVED";
    const isPair = finding.direction === "backward" || finding.direction === "forward";
    if (behavioural || !isPair) {
      return { ...finding, behavioural, conservative: false, counterexample: null };
    }
    const counterexample = lookFor(finding);
    return { ...finding, behavioural, conservative: counterexample === null, counterexample };
  });
}

function search(
  reader: ExplainedVersion,
  writer: ExplainedVersion,
  options: ExplainOptions,
): Counterexample | null {
  const hints = writer.samples ?? [];
  try {
    return findCounterexample(opened(reader.schema), closed(writer.schema), { ...options, hints });
  } catch {
    // A published schema that cannot be compiled is told as what it is; there is nothing to show of it.
    return null;
  }
}
