/**
 * The page's table of rollouts: how far each is, what the gates say with their numbers, whom it suspects, and what
 * would change it. Nothing can be asked for here: that is the command's and the API's.
 */
import { fromRfc3339 } from "#shared/system-clock";
import type { RolloutStep, RolloutVerdict } from "../rollout/decide-rollout-progress.ts";
import { type Html, html } from "./html.ts";
import { ago, amount, counted, duration } from "./in-words.ts";
import type { ShownRolloutView } from "./rollout-answer.ts";
import { renderMark, type StateMark } from "./state-mark.ts";
import { renderTable } from "./table.ts";

/** One that is over is shown for so long. */
const OVER_SHOWN_MS = 86_400_000;

export function renderRollouts(views: readonly ShownRolloutView[]): Html {
  return renderTable({
    caption: "Rollouts",
    columns: [
      { heading: "Rollout" },
      { heading: "State" },
      { heading: "Steps" },
      { heading: "Now" },
      { heading: "Gates" },
      { heading: "Suspects" },
    ],
    rows: views
      .filter(isShown)
      .map((view) => [
        nameOf(view),
        stateOf(view),
        view.progress.steps.map(stepMark),
        nowOf(view),
        gatesOf(view),
        suspectsOf(view),
      ]),
    whenEmpty: "No release takes a pool over.",
  });
}

function isShown({ at, rollout, progress }: ShownRolloutView): boolean {
  const ageMs = (fromRfc3339(at) ?? 0) - (fromRfc3339(rollout.updatedAt) ?? 0);
  return !progress.isOver || ageMs < OVER_SHOWN_MS;
}

function nameOf({ rollout: { id, pool, from, to } }: ShownRolloutView): Html {
  return html`${pool}: ${from} → ${to} <small><a href="/v1/rollouts/${encodeURIComponent(pool)}">${id}</a></small>`;
}

const VERDICT_MARKS: Readonly<Record<RolloutVerdict, StateMark>> = {
  "going-on": { tone: "quiet", icon: "⟳", word: "going on" },
  paused: { tone: "warning", icon: "▲", word: "paused: waits for a person" },
  current: { tone: "fine", icon: "✔", word: "has the pool" },
  finished: { tone: "fine", icon: "✔", word: "finished" },
  halted: { tone: "alarm", icon: "✖", word: "halted" },
  "rolled-back": { tone: "alarm", icon: "✖", word: "goes back" },
};

function stateOf({ at, rollout, progress, share }: ShownRolloutView): Html {
  const { state, since, bypass } = rollout;
  const mark =
    state === "unknown"
      ? renderMark({ tone: "unknown", icon: "?", word: "not known: held as it is" })
      : renderMark(VERDICT_MARKS[progress.verdict]);
  const forced =
    bypass === null
      ? null
      : html` ${renderMark({ tone: "warning", icon: "▲", word: bypass.kind })} <small>by ${bypass.by}: ${bypass.why}</small>`;
  return html`${mark} <small>${state}, ${Math.round(share * 100)} % of slots, since ${ago(since, at) ?? since}</small>${forced}`;
}

const STEP_MARKS: Readonly<Record<RolloutStep["state"], Omit<StateMark, "word">>> = {
  done: { tone: "fine", icon: "✔" },
  open: { tone: "quiet", icon: "⟳" },
  ahead: { tone: "quiet", icon: "○" },
  failed: { tone: "alarm", icon: "✖" },
};

function stepMark({ name, state }: RolloutStep): Html {
  return html`${renderMark({ ...STEP_MARKS[state], word: name })} `;
}

function nowOf({ rollout, progress, lastRecord }: ShownRolloutView): Html | string {
  const { running } = progress;
  const left =
    running === null ? null : html` <small>${running.what}: ${duration(running.leftMs)} left</small>`;
  if (lastRecord === null) return html`not looked at yet${left}`;
  const { sentence, wouldChange } = lastRecord;
  const change = wouldChange === null ? null : html`<br><small>would change it: ${wouldChange}</small>`;
  const drainers =
    rollout.drainers.length === 0
      ? null
      : html`<br><small>still leaving: ${rollout.drainers.map(({ release }) => release).join(", ")}</small>`;
  return html`${sentence}${left}${change}${drainers}`;
}

const OUTCOME_MARKS: Readonly<Record<string, Omit<StateMark, "word">>> = {
  pass: { tone: "fine", icon: "✔" },
  fail: { tone: "alarm", icon: "✖" },
};

function gatesOf({ lastRecord }: ShownRolloutView): Html | string {
  const evaluations = lastRecord?.evaluations ?? [];
  if (evaluations.length === 0) return "–";
  return html`${evaluations.map(({ gate, outcome, sentence, sample, othersSample }) => {
    const mark = OUTCOME_MARKS[outcome] ?? { tone: "unknown" as const, icon: "?" };
    const jobs = `${counted(sample, "job")}, others ${amount(othersSample)}`;
    return html`<div>${renderMark({ ...mark, word: gate })} <small>${sentence} (${jobs})</small></div>`;
  })}`;
}

function suspectsOf({ rollout: { halt, quarantined } }: ShownRolloutView): Html | string {
  const suspects = (halt?.suspects ?? []).map(
    ({ kind, name, rate, restRate }) =>
      html`<div>${kind} ${name} <small>fails ${perCent(rate)}, the rest ${perCent(restRate)}</small></div>`,
  );
  const workers = quarantined.map(
    ({ worker, why }) => html`<div>worker ${worker} <small>${why}</small></div>`,
  );
  return suspects.length + workers.length === 0 ? "–" : html`${suspects}${workers}`;
}

function perCent(rate: number): string {
  return `${Math.round(rate * 1_000) / 10} %`;
}
