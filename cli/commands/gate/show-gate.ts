/** Gates for people: one line each, or everything about one. Whatever the registry holds is neutralised. */
import type { Painter } from "../../terminal/colour.ts";
import { neutraliseLine } from "../../terminal/neutralise.ts";
import { left, renderTable, right } from "../../terminal/table.ts";
import type { GateAnswer } from "./gate-answer.ts";

/** Of what has happened to a gate, the newest are shown. */
const EVENTS_SHOWN = 10;

const GATE_COLUMNS = [
  left("TYPE"),
  left("QUEUE"),
  right("ACTIVE"),
  right("NEXT"),
  left("MAY RISE"),
  right("SLOTS/LOAD"),
];
const VERSION_COLUMNS = [right("VERSION"), left("STATE"), left("SINCE"), left("BY"), left("SUNSET")];
const EVENT_COLUMNS = [left("AT"), left("CHANGE"), right("VERSION"), left("BY"), left("WHY")];

export function showGates(gates: readonly GateAnswer[]): string {
  if (gates.length === 0) return "No type is published yet.\n";
  const rows = gates.map((it) => [
    it.type,
    it.queue,
    String(it.activeversion),
    it.next === null ? "-" : String(it.next.version),
    mayRise(it),
    slotsAndLoad(it),
  ]);
  return `${renderTable(GATE_COLUMNS, rows).join("\n")}\n`;
}

export function showGate(gate: GateAnswer, paint: Painter): string {
  const { type, queue, activeversion, versions, events } = gate;
  const versionRows = versions.map((it) => [
    String(it.version),
    it.state,
    it.since ?? "-",
    it.by ?? "-",
    it.sunset ?? "-",
  ]);
  const eventRows = events
    .slice(-EVENTS_SHOWN)
    .toReversed()
    .map((it) => [it.at, it.change, String(it.version), it.by, it.why]);
  const sections = [
    [
      `${paint.strong(neutraliseLine(type))}  at version ${activeversion}  (queue ${neutraliseLine(queue)})`,
      `  ${outlook(gate)}`,
    ],
    section("Versions", renderTable(VERSION_COLUMNS, versionRows), paint),
    section("What happened, newest first", renderTable(EVENT_COLUMNS, eventRows), paint),
  ];
  return `${sections.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

function outlook({ next, readerSlots, loadSlots }: GateAnswer): string {
  if (next === null) return "nothing is above it";
  const load = loadSlots === null ? "a load that is not measured yet" : `a load of ${round(loadSlots)} slots`;
  const facts = `its readers have ${readerSlots} slots for ${load}`;
  if (next.mayRise) return `may rise to version ${next.version}: ${facts}`;
  return `may not rise to version ${next.version}: ${neutraliseLine(next.reason ?? "no reason is given")}`;
}

function mayRise({ next }: GateAnswer): string {
  if (next === null) return "-";
  return next.mayRise ? "yes" : `no: ${next.reason ?? "no reason is given"}`;
}

function slotsAndLoad({ next, readerSlots, loadSlots }: GateAnswer): string {
  if (next === null) return "-";
  return `${readerSlots}/${loadSlots === null ? "?" : round(loadSlots)}`;
}

function section(title: string, lines: readonly string[], paint: Painter): string[] {
  return [paint.strong(title), ...lines.map((line) => `  ${line}`)];
}

/** To tenths, upwards: what is not there yet is not shown as there. */
function round(slots: number): string {
  return String(Math.ceil(slots * 10) / 10);
}
