/** Two contracts compared, for people. */
import type { Painter } from "../../terminal/colour.ts";
import { neutraliseLine } from "../../terminal/neutralise.ts";
import type { Comparison } from "./compare-pair.ts";
import type { Pair, PairSide } from "./decide-pairs.ts";
import type { FindingAnswer } from "./finding-answer.ts";
import { type SideNames, showFindings } from "./show-finding.ts";

export interface Diff {
  /** What a person called the two. */
  readonly a: string;
  readonly b: string;
  readonly compared: readonly (Pair & Comparison)[];
  /** Types that only one of the two has. */
  readonly onlyA: readonly string[];
  readonly onlyB: readonly string[];
}

export function showDiff({ a, b, compared, onlyA, onlyB }: Diff, paint: Painter): string {
  const different = compared.filter((it) => it.findings.length > 0).length;
  const sections = [
    ...compared.map((it) => showPair(it, paint)),
    ...onlyA.map((type) => [`${paint.strong(neutraliseLine(type))}  only in ${neutraliseLine(a)}`]),
    ...onlyB.map((type) => [`${paint.strong(neutraliseLine(type))}  only in ${neutraliseLine(b)}`]),
    [
      different === 0
        ? "Each reads the other's data."
        : `${different} of ${compared.length} ${compared.length === 1 ? "pair" : "pairs"} cannot read each other's data.`,
    ],
  ];
  return `${sections.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

function showPair({ a, b, same, findings }: Pair & Comparison, paint: Painter): string[] {
  const names = namesOf(a, b);
  const readable = (direction: string) => !findings.some((it) => it.direction === direction);
  const verdict = (reads: boolean) => (reads ? paint.good("yes") : paint.bad("no"));
  const title = `${paint.strong(`${neutraliseLine(a.type)} version ${a.version}`)} and ${paint.strong(
    `${a.type === b.type ? "" : `${neutraliseLine(b.type)} `}version ${b.version}`,
  )}`;
  if (same && findings.length === 0) return [`${title}  have the same schema`];
  return [
    title,
    `  ${names.newer} reads what ${names.older} writes  ${verdict(readable("backward"))}`,
    `  ${names.older} reads what ${names.newer} writes  ${verdict(readable("forward"))}`,
    ...showFindings(findings as readonly FindingAnswer[], () => names, paint).map((line) => `  ${line}`),
  ];
}

/** The first is called the older one: where numbers do not tell the two apart, their place does. */
function namesOf(a: PairSide, b: PairSide): SideNames {
  if (a.type === b.type && a.version !== b.version) return { older: `v${a.version}`, newer: `v${b.version}` };
  return { older: "a", newer: "b" };
}
