/**
 * The page's line on who leads: which autoscaler, on which machine, since when, and what the one that answers is.
 *
 * The verdict is not its matter: a moment without a leader, while the lease passes on, is no fault.
 */
import { toRfc3339 } from "#shared/system-clock";
import type { LeaderView } from "../lead-fleet.ts";
import { type Html, html } from "./html.ts";
import { ago, moment } from "./in-words.ts";

/** @param observedAt when it was looked at, as RFC 3339. */
export function renderLeader({ id, role, look: { leader } }: LeaderView, observedAt: string): Html {
  const own = html`This page is answered by ${id}, ${ROLES[role]}.`;
  if (leader === null) return html`<p>Nobody leads just now, so no pool is scaled. ${own}</p>`;
  const { host, pid, epoch, sinceMs } = leader;
  const since = toRfc3339(sinceMs);
  const length = ago(since, observedAt);
  const time = html`<time datetime="${since}">${moment(since)}</time>${length === null ? null : html` (${length})`}`;
  const term = html`${leader.id} on ${host} (pid ${pid}) leads since ${time}, epoch ${epoch}.`;
  return html`<p class="quiet">${term} ${leader.id === id ? html`It answers this page.` : own}</p>`;
}

const ROLES: Readonly<Record<LeaderView["role"], string>> = {
  leader: "which took itself for the leader",
  standby: "which stands by",
  unknown: "which does not know who leads",
};
