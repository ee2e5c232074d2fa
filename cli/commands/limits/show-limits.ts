/** Limits for people: what is in force, and who set what over it. Whatever the server says is neutralised. */
import type { Painter } from "../../terminal/colour.ts";
import { neutraliseLine } from "../../terminal/neutralise.ts";
import { showDuration } from "../../terminal/show-duration.ts";
import { left, renderTable, right } from "../../terminal/table.ts";
import type { LimitsAnswer, OverrideAnswer } from "./limits-answer.ts";

const THROTTLE_COLUMNS = [
  left("THROTTLE"),
  left("PER"),
  left("OF"),
  left("ALGORITHM"),
  right("LIMIT"),
  right("WINDOW"),
  right("BURST"),
  left("EXCESS"),
];
const OVERRIDE_COLUMNS = [
  left("OVERRIDE"),
  left("VALUE"),
  left("STATE"),
  left("UNTIL"),
  left("BY"),
  left("WHY"),
];

export function showLimits({ inForce, overrides }: LimitsAnswer, paint: Painter): string {
  const sections = [
    section("Queues, as in force", queueLines(inForce.queues), paint),
    section("Throttles, as in force", throttleLines(inForce.throttles), paint),
    section("Overrides", overrideLines(overrides), paint),
  ];
  return `${sections.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

export function showOverride({ path, value, expiresAt }: OverrideAnswer, paint: Painter): string {
  const until = expiresAt === null ? "until it is reset" : `until ${neutraliseLine(expiresAt)}`;
  return `${paint.strong(neutraliseLine(path))}  ${shown(value)} ${until}\n`;
}

function queueLines(queues: LimitsAnswer["inForce"]["queues"]): readonly string[] {
  const names = Object.keys(queues).toSorted();
  const fields = [...new Set(names.flatMap((name) => Object.keys(queues[name] ?? {})))];
  if (names.length === 0) return ["none is configured: the defaults hold"];
  const rows = names.map((name) => [name, ...fields.map((field) => String(queues[name]?.[field] ?? "-"))]);
  return renderTable([left("QUEUE"), ...fields.map((field) => right(neutraliseLine(field)))], rows);
}

function throttleLines(throttles: LimitsAnswer["inForce"]["throttles"]): readonly string[] {
  if (throttles.length === 0) return ["none: nobody is held back"];
  const rows = throttles.map((it) => [
    it.name,
    it.per,
    it.value === "*" ? "each" : it.value,
    it.algorithm,
    String(it.limit),
    it.algorithm === "concurrency" ? "-" : showDuration(it.windowMs),
    it.burst === undefined ? "-" : String(it.burst),
    it.excess ?? "by type",
  ]);
  return renderTable(THROTTLE_COLUMNS, rows);
}

function overrideLines(overrides: LimitsAnswer["overrides"]): readonly string[] {
  if (overrides.length === 0) return ["none"];
  const rows = overrides.map((it) => [
    it.path,
    JSON.stringify(it.value),
    it.state,
    it.expiresAt ?? "reset",
    it.by,
    it.why,
  ]);
  return renderTable(OVERRIDE_COLUMNS, rows);
}

function section(title: string, lines: readonly string[], paint: Painter): string[] {
  return [paint.strong(title), ...lines.map((line) => `  ${line}`)];
}

function shown(value: unknown): string {
  return neutraliseLine(JSON.stringify(value) ?? "-");
}
