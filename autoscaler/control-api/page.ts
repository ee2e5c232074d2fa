/**
 * The operator's page: the verdict on top, then the numbers behind it. Plain HTML without script.
 *
 * A page that could not be filled says so and shows the last numbers it had as old ones: not knowing
 * must never look like health.
 */
import type { GateView } from "../gate-keeper.ts";
import type { LeaderView } from "../lead-fleet.ts";
import type { OverridesView } from "../overrides-keeper.ts";
import type { DecisionRecord, Snapshot } from "../snapshot.ts";
import { type Html, html } from "./html.ts";
import { moment } from "./in-words.ts";
import { renderDecisions } from "./page-decisions.ts";
import { renderReleases, renderWorkers } from "./page-fleet.ts";
import { renderGates } from "./page-gates.ts";
import { renderLanes, renderQueues } from "./page-lanes.ts";
import { renderLeader } from "./page-leader.ts";
import { renderPools } from "./page-pools.ts";
import { renderRollouts } from "./page-rollouts.ts";
import type { ShownRolloutView } from "./rollout-answer.ts";
import { LEVEL_MARKS, renderMark } from "./state-mark.ts";
import { type Finding, findingsOf } from "./verdict.ts";

export interface Look {
  readonly snapshot: Snapshot;
  /** Newest first. */
  readonly decisions: readonly DecisionRecord[];
  /** The newest of each pool. */
  readonly newest: readonly DecisionRecord[];
  readonly scaling: OverridesView;
  readonly gates: readonly GateView[];
  readonly leader: LeaderView;
  readonly rollouts: readonly ShownRolloutView[];
}

export interface PageOptions {
  /** Whether the page loads itself anew. */
  readonly refreshes: boolean;
  /** Whether everybody may do everything, because nobody is asked for a key. */
  readonly open: boolean;
}

const REFRESH_SEC = 5;

export function renderPage(look: Look, options: PageOptions): string {
  return renderDocument(findingsOf(look.snapshot, look.decisions), options, {
    status: html`<p class="quiet">Observed ${timeOf(look.snapshot.observedAt)}.</p>
${renderLeader(look.leader, look.snapshot.observedAt)}`,
    content: renderLook(look),
  });
}

/** @param last what was seen when Redis last answered, `null` when it never did. */
export function renderOutagePage(last: Look | null, options: PageOptions): string {
  const sentence = "Redis does not answer, so nothing is known about this moment.";
  const findings = [{ level: "unknown", sentence }] as const;
  if (last === null) {
    const status = html`<p>Redis has not answered since this process started.</p>`;
    return renderDocument(findings, options, { status, content: null });
  }
  const at = timeOf(last.snapshot.observedAt);
  return renderDocument(findings, options, {
    status: html`<p>Last good look: ${at}. Everything below is as it was then.</p>`,
    content: html`<div class="old">${renderLook(last)}</div>`,
  });
}

function renderLook({ snapshot, decisions, newest, scaling, gates, rollouts }: Look): Html {
  return html`${renderLanes(snapshot.queues, snapshot.observedAt)}
${renderQueues(snapshot.queues)}
${renderPools({ newest, scaling, observedAt: snapshot.observedAt })}
${renderRollouts(rollouts)}
${renderGates(gates)}
${renderReleases(snapshot)}
${renderWorkers(snapshot)}
${renderDecisions(decisions, snapshot.observedAt)}`;
}

interface Body {
  readonly status: Html;
  readonly content: Html | null;
}

function renderDocument(
  [first, ...rest]: readonly [Finding, ...Finding[]],
  { refreshes, open }: PageOptions,
  { status, content }: Body,
): string {
  const mark = LEVEL_MARKS[first.level];
  const more = rest.map(
    ({ level, sentence }) => html`<li>${renderMark(LEVEL_MARKS[level])}: ${sentence}</li>`,
  );
  const refresh = refreshes ? html`<meta http-equiv="refresh" content="${REFRESH_SEC}">` : null;
  const turn = refreshes
    ? html`Reloads every ${REFRESH_SEC} s. <a href="/?refresh=off">Stop reloading</a>`
    : html`Does not reload. <a href="/">Reload every ${REFRESH_SEC} s</a>`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${refresh}
<title>${mark.icon} ${first.sentence} – Sluice</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/style.css">
</head>
<body>
<header class="verdict ${mark.tone}">
<p class="level">${renderMark(mark)}</p>
<h1>${first.sentence}</h1>
${more.length > 0 ? html`<ul>${more}</ul>` : null}
${status}
${open ? OPEN_NOTICE : null}
</header>
<main>
${content}
</main>
<footer><p>${turn}</p><p><a href="/raw">Raw queues</a> (read only)</p></footer>
</body>
</html>
`.toString();
}

const OPEN_NOTICE = html`<p class="quiet">Authentication is off: everybody who reaches this page may do everything.</p>`;

function timeOf(at: string): Html {
  return html`<time datetime="${at}">${moment(at)}</time>`;
}
