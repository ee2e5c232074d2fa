/** The page's table of emission gates: which version of each type may be written, and what is above it. */
import type { GateView } from "../gate-keeper.ts";
import { type Html, html } from "./html.ts";
import { moment } from "./in-words.ts";
import { renderMark } from "./state-mark.ts";
import { renderTable } from "./table.ts";

export function renderGates(gates: readonly GateView[]): Html {
  return renderTable({
    caption: "Gates",
    columns: [
      { heading: "Job type" },
      { heading: "Active version", numeric: true },
      { heading: "Above it" },
      { heading: "Older, still accepted" },
      { heading: "Load / slots that could take it", numeric: true },
      { heading: "Last change" },
    ],
    rows: gates.map((gate) => [
      gate.type,
      String(gate.activeversion),
      above(gate),
      olderThan(gate),
      gate.next === null ? "–" : `${slots(gate.loadSlots)} / ${gate.readerSlots}`,
      lastChange(gate),
    ]),
    whenEmpty: "No type is published yet.",
  });
}

function above({ next }: GateView): Html | string {
  if (next === null) return "–";
  const { version, mayRise, reason } = next;
  if (mayRise) return renderMark({ tone: "fine", icon: "✔", word: `version ${version} may be raised` });
  return html`version ${version} waits: ${reason}`;
}

function olderThan({ versions }: GateView): string {
  const older = versions.filter((it) => it.state === "superseded").map((it) => String(it.version));
  return older.length === 0 ? "–" : older.join(", ");
}

function slots(loadSlots: number | null): string {
  return loadSlots === null ? "not known" : String(Math.ceil(loadSlots));
}

function lastChange({ events }: GateView): Html | string {
  const last = events.at(-1);
  if (last === undefined) return "–";
  const { change, version, by, why, at } = last;
  return html`${change.replaceAll("-", " ")} (version ${version}) by ${by}: ${why}, <time datetime="${at}">${moment(at)}</time>`;
}
