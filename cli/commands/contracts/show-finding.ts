/**
 * One finding for people: where, what, both sides, and data that shows it.
 *
 * Schemas and data come from an app; everything is bounded and neutralised. The JSON form has all of it.
 */
import type { Painter } from "../../terminal/colour.ts";
import { neutraliseLine, safeJson } from "../../terminal/neutralise.ts";
import type { FindingAnswer } from "./finding-answer.ts";

const FRAGMENT_CHARS_MAX = 300;
const DOCUMENT_CHARS_MAX = 1_000;

/** Findings of a version that are shown. */
const FINDINGS_SHOWN = 20;

/** Names of the two sides: `v2`, or more where versions alone do not tell them apart. */
export interface SideNames {
  readonly newer: string;
  readonly older: string;
}

/** Lines without a newline at the end. */
export function showFindings(
  findings: readonly FindingAnswer[],
  namesOf: (finding: FindingAnswer) => SideNames,
  paint: Painter,
): string[] {
  const shown = findings.slice(0, FINDINGS_SHOWN).flatMap((it) => showFinding(it, namesOf(it), paint));
  const more = findings.length - FINDINGS_SHOWN;
  return more > 0 ? [...shown, `and ${more} more; --json has all of them`] : shown;
}

function showFinding(finding: FindingAnswer, names: SideNames, paint: Painter): string[] {
  const { path, code, message, conservative, behavioural, counterexample } = finding;
  const where = path === "" ? "the data" : neutraliseLine(path);
  const details: [string, string][] = [
    ...sidesOf(finding, names),
    ...(counterexample === null
      ? []
      : ([
          ["document", bounded(counterexample.document, DOCUMENT_CHARS_MAX)],
          ["refused", neutraliseLine(counterexample.rejectedBecause)],
        ] satisfies [string, string][])),
    ...(conservative ? [["conservative", CONSERVATIVE] satisfies [string, string]] : []),
    ...(behavioural ? [["behaviour", BEHAVIOURAL] satisfies [string, string]] : []),
  ];
  return [
    `${paint.strong(where)}  ${neutraliseLine(code)}  ${paint.dim(sentenceOf(finding, names))}`,
    `  ${neutraliseLine(message)}`,
    ...details.map(([name, text]) => `  ${paint.dim(name.padEnd(12))} ${text}`),
  ];
}

const CONSERVATIVE = "no document was found that shows it, so it may be stricter than needed";
const BEHAVIOURAL = "both read the same data and do different things with it";

function sidesOf(
  { direction, writer, reader }: FindingAnswer,
  { newer, older }: SideNames,
): [string, string][] {
  const show = (fragment: unknown, pointer: string) =>
    `${bounded(fragment, FRAGMENT_CHARS_MAX)}  at ${pointer === "" ? "the root" : neutraliseLine(pointer)}`;
  if (direction === "history") {
    return [
      [older, show(writer.fragment, writer.pointer)],
      [newer, show(reader.fragment, reader.pointer)],
    ];
  }
  if (direction !== "backward" && direction !== "forward") return [];
  const [writing, reading] = direction === "backward" ? [older, newer] : [newer, older];
  return [
    [`${writing} writes`, show(writer.fragment, writer.pointer)],
    [`${reading} reads`, show(reader.fragment, reader.pointer)],
  ];
}

function sentenceOf({ direction }: FindingAnswer, { newer, older }: SideNames): string {
  switch (direction) {
    case "backward":
      return `${newer} cannot read what ${older} writes`;
    case "forward":
      return `${older} cannot read what ${newer} writes`;
    case "history":
      return `${older} meant something else by it`;
    default:
      return "what the contract says";
  }
}

function bounded(value: unknown, charsMax: number): string {
  const text = value === undefined ? "nothing" : neutraliseLine(safeJson(value));
  return text.length <= charsMax ? text : `${text.slice(0, charsMax)}… (--json has all of it)`;
}
