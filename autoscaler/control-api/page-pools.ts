/**
 * The page's answer to "why 7 workers?", pool by pool: the newest decision's sentence, the terms behind it, what
 * limited it, what holds it, and what operators have set.
 */
import type { DecisionRecord, RecordedLane } from "../decision-record.ts";
import type { OverridesView, PoolControl } from "../overrides-keeper.ts";
import { type Html, html } from "./html.ts";
import { ago, amount, counted, moment } from "./in-words.ts";
import { renderMark } from "./state-mark.ts";
import { renderTable } from "./table.ts";

export interface PoolsLook {
  /** The newest decision of each pool that has one. */
  readonly newest: readonly DecisionRecord[];
  readonly scaling: OverridesView;
  /** RFC 3339. */
  readonly observedAt: string;
}

/** Lanes whose terms are shown; the record has more. */
const LANES_SHOWN = 3;

export function renderPools({ newest, scaling, observedAt }: PoolsLook): Html {
  return renderTable({
    caption: "Why so many workers",
    columns: [
      { heading: "Pool" },
      { heading: "Workers", numeric: true },
      { heading: "Bounds" },
      { heading: "Why" },
      { heading: "Decision" },
    ],
    rows: scaling.pools.map((pool) => {
      const decision = newest.find((it) => it.queue === pool.pool);
      return [
        pool.pool,
        workersOf(decision),
        boundsOf(pool),
        whyOf(decision, pool),
        link(decision, observedAt),
      ];
    }),
    whenEmpty: "The configuration has no pool.",
  });
}

function workersOf(decision: DecisionRecord | undefined): string {
  return decision === undefined ? "not known" : amount(total(decision.desired));
}

function boundsOf({ configured, inForce, bounds }: PoolControl): Html {
  const { workersMin, workersMax } = inForce;
  const said = html`${amount(workersMin)} to ${amount(workersMax)}`;
  if (bounds === null) return said;
  const file = `${amount(configured.workersMin)} to ${amount(configured.workersMax)}`;
  const until = html`<time datetime="${bounds.expiresAt}">${moment(bounds.expiresAt)}</time>`;
  return html`${said} <small>set by ${bounds.by} until ${until}: ${bounds.why}; ${file} in the configuration</small>`;
}

function whyOf(decision: DecisionRecord | undefined, { freeze }: PoolControl): Html {
  const frozen =
    freeze === null
      ? null
      : html`<div>${renderMark({ tone: "warning", icon: "❄", word: freeze.hard ? "frozen hard" : "frozen" })}
by ${freeze.by} until <time datetime="${freeze.expiresAt}">${moment(freeze.expiresAt)}</time>: ${freeze.why}</div>`;
  if (decision === undefined) return html`${frozen}no decision is kept`;
  const { lanes, otherLanes } = decision.inputs;
  const more = lanes.length - LANES_SHOWN + (otherLanes?.lanes ?? 0);
  return html`${frozen}<div>${decision.sentence}</div>
${lanes.slice(0, LANES_SHOWN).map(renderTerms)}
${more > 0 ? html`<div><small>${counted(more, "more lane")}, not shown.</small></div>` : null}
${decision.clamps.map(({ by, from, to, sentence }) => html`<div><small>limit ${by}: ${amount(from)} → ${amount(to)}, ${sentence}</small></div>`)}
${decision.holds.map(({ because, workers, sentence }) => html`<div><small>hold ${because}: ${counted(workers, "worker")}, ${sentence}</small></div>`)}`;
}

function renderTerms({ lane, terms, ruledBy, unknownBecause }: RecordedLane): Html {
  if (unknownBecause !== null) {
    return html`<div><small>${lane}: not known (${unknownBecause})</small></div>`;
  }
  const said = terms.map(({ term, slots }) => {
    const value = slots === null ? "not known" : amount(slots);
    return term === ruledBy ? html`<strong>${term} ${value}</strong> ` : html`${term} ${value} `;
  });
  return html`<div><small>${lane}: ${said}</small></div>`;
}

/** The record as JSON, for whoever wants every number. */
function link(decision: DecisionRecord | undefined, observedAt: string): Html | string {
  if (decision === undefined) return "–";
  const { id, at, reason } = decision;
  const path = `/v1/scaling/decisions/${encodeURIComponent(id)}`;
  return html`<a href="${path}">${id}</a> <small>${reason}, ${ago(at, observedAt)}</small>`;
}

function total(workers: Readonly<Record<string, number>>): number {
  return Object.values(workers).reduce((sum, count) => sum + count, 0);
}
