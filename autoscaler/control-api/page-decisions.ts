/** The page's table of the last scaling decisions. */
import type { DecisionRecord } from "../snapshot.ts";
import { type Html, html } from "./html.ts";
import { ago, amount, moment } from "./in-words.ts";
import { renderMark, type StateMark } from "./state-mark.ts";
import { renderTable } from "./table.ts";

export function renderDecisions(decisions: readonly DecisionRecord[], observedAt: string): Html {
  return renderTable({
    caption: `Last ${decisions.length === 1 ? "decision" : `${decisions.length} decisions`}`,
    columns: [
      { heading: "Queue" },
      { heading: "When" },
      { heading: "What" },
      { heading: "Workers" },
      { heading: "Why" },
    ],
    rows: decisions.map((decision) => [
      decision.queue,
      html`<time>${moment(decision.at)}</time> <small>${ago(decision.at, observedAt)}</small>`,
      renderMark(markOf(decision)),
      changeOf(decision),
      html`${decision.sentence} <small>${decision.reason}</small>`,
    ]),
    whenEmpty: "No decision has been recorded yet.",
  });
}

function markOf(decision: DecisionRecord): StateMark {
  const difference = total(decision.desired) - total(decision.present);
  if (difference > 0) return { tone: "quiet", icon: "↑", word: "more" };
  if (difference < 0) return { tone: "quiet", icon: "↓", word: "fewer" };
  if (decision.kind === "hold") return { tone: "unknown", icon: "?", word: "hold" };
  return changed(decision).length > 0
    ? { tone: "quiet", icon: "⇄", word: "shift" }
    : { tone: "quiet", icon: "=", word: "same" };
}

/** "2 → 5", and release by release when there is more than one. */
function changeOf(decision: DecisionRecord): Html {
  const { present, desired } = decision;
  const releases = changed(decision);
  const sum = html`<span class="change">${amount(total(present))} → ${amount(total(desired))}</span>`;
  if (releases.length === 0) return sum;
  const before = (release: string) => amount(present[release] ?? 0);
  const after = (release: string) => amount(desired[release] ?? 0);
  const isAll = new Set([...Object.keys(present), ...Object.keys(desired)]).size === 1;
  const each = isAll ? releases : releases.map((it) => `${it} ${before(it)} → ${after(it)}`);
  return html`${sum} <small>${each.join(", ")}</small>`;
}

function changed({ present, desired }: DecisionRecord): readonly string[] {
  const releases = new Set([...Object.keys(present), ...Object.keys(desired)]);
  return [...releases].filter((it) => (present[it] ?? 0) !== (desired[it] ?? 0)).sort();
}

function total(workers: Readonly<Record<string, number>>): number {
  return Object.values(workers).reduce((sum, count) => sum + count, 0);
}
