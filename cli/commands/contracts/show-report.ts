/**
 * A report on contracts for people: the verdict of each version in words, what it means for the rollout, and
 * what speaks against it. Plain text, so that every pipeline's log shows it as it is.
 */
import type { Painter } from "../../terminal/colour.ts";
import { neutraliseLine, safeJson } from "../../terminal/neutralise.ts";
import type { FindingAnswer } from "./finding-answer.ts";
import type { ReportAnswer, TypeAnswer, VersionAnswer } from "./report-answer.ts";
import { showFindings } from "./show-finding.ts";

export interface ReportFacts {
  /** What the contracts were judged against, as it was typed. */
  readonly against: string;
  readonly allowBreaking: boolean;
}

const EXAMPLE_CHARS_MAX = 1_000;

/** Codes that say no more than that a version is new, which it says itself. */
const TOLD_BY_VERSION = new Set(["TYPE_NEW", "DOCUMENT_STALE"]);

export function showReport(report: ReportAnswer, facts: ReportFacts, paint: Painter): string {
  const sections = [
    ...report.types.map((it) => showType(it, paint).join("\n")),
    showSummary(report, facts, paint),
  ];
  return `${sections.join("\n\n")}\n`;
}

function showType(type: TypeAnswer, paint: Painter): string[] {
  const head = `${paint.strong(neutraliseLine(type.type))}  ${verdictWord(type.verdict, paint)}`;
  const told = type.versions.filter(isToldAlone);
  const quiet = type.versions.filter((it) => !isToldAlone(it));
  return [
    `${head}  (queue ${neutraliseLine(type.queue)})`,
    ...type.findings
      .filter((it) => !(TOLD_BY_VERSION.has(it.code) && told.length > 0))
      .map((it) => `  ${showTypeFinding(it, paint)}`),
    ...told.flatMap((it) => showVersion(type, it, paint)).map((line) => `  ${line}`),
    ...showQuiet(quiet).map((line) => `  ${paint.dim(line)}`),
  ];
}

function isToldAlone({ state, findings, upcast }: VersionAnswer): boolean {
  return state === "new" || state === "changed" || findings.length > 0 || (upcast ?? []).length > 0;
}

function showQuiet(versions: readonly VersionAnswer[]): string[] {
  const inBuild = versions.filter((it) => it.state !== "not-in-build");
  const others = versions.filter((it) => it.state === "not-in-build");
  const samples = inBuild.reduce((sum, it) => sum + it.samplesRead, 0);
  return [
    ...(inBuild.length === 0 ? [] : [`${numbers(inBuild)} unchanged; golden samples read: ${samples}`]),
    ...(others.length === 0 ? [] : [`${numbers(others)} not in this build`]),
  ];
}

function numbers(versions: readonly VersionAnswer[]): string {
  return `version ${versions.map((it) => it.version).join(", ")}`;
}

function showTypeFinding(
  { severity, code, version, path, message }: TypeAnswer["findings"][number],
  paint: Painter,
): string {
  const mark = severity === "rejected" ? paint.bad("✗") : severity === "breaking" ? paint.warn("!") : "·";
  const where = [version === null ? "" : `version ${version}`, path ?? ""]
    .filter((it) => it !== "")
    .join(" ");
  const text = neutraliseLine(`${code}  ${where === "" ? "" : `${where}: `}${message}`);
  return `${mark} ${text}`;
}

function showVersion(type: TypeAnswer, version: VersionAnswer, paint: Painter): string[] {
  const namesOf = ({ againstVersion }: FindingAnswer) => ({
    newer: `v${version.version}`,
    older: `v${againstVersion}`,
  });
  const { word, rollout } = meaningOf(type, version);
  const painted =
    version.kind === "rejected" || version.state === "changed" ? paint.bad(word) : paint.strong(word);
  return [
    `version ${version.version}  ${painted}`,
    ...rollout.map((line) => `  ${line}`),
    ...showFindings(version.findings, namesOf, paint).map((line) => `  ${line}`),
    ...(version.upcast ?? []).flatMap((it) => showUpcast(it, paint)).map((line) => `  ${line}`),
  ];
}

/** The verdict in words, and what it means for whoever rolls it out. */
function meaningOf(
  { type }: TypeAnswer,
  { version, state, kind, minReaderVersion, raisedByAuthor, findings, upcast }: VersionAnswer,
): { readonly word: string; readonly rollout: readonly string[] } {
  if (state === "changed") return { word: "changed after it was published", rollout: [] };
  const gate = `sluice gate raise ${neutraliseLine(type)} ${version}`;
  const lane = [
    "rollout: its jobs get a lane of their own. Deploy the release, then raise the gate once its workers run:",
    `  ${gate} --why "..."`,
  ];
  const why = raisedByAuthor ? ["Older readers could read it; its author says that they must not."] : [];
  switch (kind) {
    case "first":
      return { word: "first", rollout: [FIRST] };
    case "additive":
      return {
        word: "additive",
        rollout: [
          `rollout: nothing to do. Readers from version ${minReaderVersion} on read it; it gets no lane and no gate.`,
        ],
      };
    case "breaking":
      return { word: "breaking", rollout: [...why, ...lane, "Its reader reads the older data as it is."] };
    case "breaking-with-upcaster":
      if ((upcast ?? []).some((it) => !UPCAST_WARNINGS.has(it.code))) {
        return { word: "rejected: its upcaster is wrong", rollout: ["what to do: correct the upcaster."] };
      }
      return {
        word: "breaking, with an upcaster",
        rollout: [...why, ...lane, "Older data goes through its upcaster."],
      };
    case "rejected":
      return { word: "rejected: it cannot be published", rollout: whatToDo(findings) };
    default:
      return { word: kind ?? state, rollout: [] };
  }
}

const FIRST =
  "rollout: nothing is before it. Workers of older releases do not read it, so it may open a lane; it needs no gate.";

/** Of an upcaster: the job can be run all the same. */
const UPCAST_WARNINGS = new Set(["UPCAST_DROPS_UNKNOWN"]);

function whatToDo(findings: readonly FindingAnswer[]): string[] {
  const unreadable = findings.some((it) => it.direction === "backward" && !it.behavioural);
  const others = findings.some((it) => it.direction === "history" || it.direction === "declared");
  if (!unreadable || others) return ["what to do: change what is listed here."];
  return [
    "what to do: give it an upcast from the version before, or add a field instead of changing one:",
    "  jobs that are stored today could not be read by it.",
  ];
}

function showUpcast(
  { code, fromVersion, message, counterexample }: NonNullable<VersionAnswer["upcast"]>[number],
  paint: Painter,
): string[] {
  const example = neutraliseLine(safeJson(counterexample ?? null));
  const shown = example.length <= EXAMPLE_CHARS_MAX ? example : `${example.slice(0, EXAMPLE_CHARS_MAX)}…`;
  return [
    `${paint.strong("upcaster")}  ${neutraliseLine(code)}  ${neutraliseLine(message)}`,
    `  ${paint.dim(`v${fromVersion} data`.padEnd(12))} ${shown}`,
  ];
}

function verdictWord(verdict: ReportAnswer["verdict"], paint: Painter): string {
  switch (verdict) {
    case "allowed":
      return paint.good("✓ allowed");
    case "breaking":
      return paint.warn("! breaking");
    case "rejected":
      return paint.bad("✗ rejected");
  }
}

function showSummary(
  { verdict, types }: ReportAnswer,
  { against, allowBreaking }: ReportFacts,
  paint: Painter,
): string {
  const count = (wanted: ReportAnswer["verdict"]) => types.filter((it) => it.verdict === wanted).length;
  const parts = (["allowed", "breaking", "rejected"] as const)
    .filter((it) => count(it) > 0)
    .map((it) => `${count(it)} ${it}`);
  const counted = `${types.length} ${types.length === 1 ? "type" : "types"} against ${neutraliseLine(against)}: ${parts.join(", ") || "none"}.`;
  return `${verdictWord(verdict, paint)}  ${counted} ${consequence(verdict, allowBreaking)}`;
}

function consequence(verdict: ReportAnswer["verdict"], allowBreaking: boolean): string {
  switch (verdict) {
    case "allowed":
      return "It can be published, and nothing has to be rolled out in a special way.";
    case "breaking":
      return allowBreaking
        ? "It can be published, and --allow-breaking says that it may be."
        : "It can be published; --allow-breaking says that it may be.";
    case "rejected":
      return "It cannot be published like this.";
  }
}
