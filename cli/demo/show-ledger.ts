/** A demo's ledger in words, for a terminal. */
import type { Painter } from "../terminal/colour.ts";
import { neutraliseLine } from "../terminal/neutralise.ts";
import { left, renderTable, right } from "../terminal/table.ts";
import { isClean, type LedgerCount } from "./decide-ledger.ts";
import type { HandedIn } from "./hand-in.ts";

/** Lines without an end of line. */
export function showLedger(
  { count, handedIn }: { readonly count: LedgerCount; readonly handedIn: HandedIn },
  paint: Painter,
): readonly string[] {
  const verdict = isClean(count) ? paint.good("clean") : paint.bad("not clean");
  return [
    `${paint.strong("Ledger")}, by ids answered, lines written by handlers, and final states: ${verdict}`,
    ...facts(count, handedIn).map(([name, value]) => `  ${name.padEnd(14)}  ${neutraliseLine(value)}`),
    ...runsTable(count),
    ...count.oddities.map(({ id, what }) => paint.bad(neutraliseLine(`  ${id}: ${what}`))),
  ];
}

function facts(count: LedgerCount, { refused, unknown }: HandedIn): [string, string][] {
  const { failed, runTwice } = count;
  const because = Object.entries(failed.byRelease).map(([release, jobs]) => `${jobs} on ${release}`);
  const bad = Object.values(failed.byRelease).reduce((sum, it) => sum + it, 0) + failed.unreadable;
  const refusals = Object.entries(refused).map(([code, jobs]) => `${jobs} ${code}`);
  return [
    ["accepted", String(count.accepted)],
    ["succeeded", String(count.succeeded)],
    ["failed", `${bad}${because.length > 0 ? ` (${because.join(", ")})` : ""}`],
    ...(failed.asMade > 0 ? ([["made to fail", `${failed.asMade}, and did`]] as [string, string][]) : []),
    ["lost", String(count.lost)],
    ["run twice", `${runTwice.unexplained}, and ${runTwice.explained} after a lost or stopped worker`],
    ["not ended", String(count.unfinished)],
    ["burnt", `${count.burnt} attempts that no handler failed; ${count.stalls} stalls`],
    ...(refusals.length > 0 ? ([["refused", refusals.join(", ")]] as [string, string][]) : []),
    ...(unknown > 0 ? ([["fate unknown", String(unknown)]] as [string, string][]) : []),
  ];
}

function runsTable({ releases }: LedgerCount): readonly string[] {
  const rows = Object.entries(releases).map(([release, { starts, done, failed, aborted }]) => [
    neutraliseLine(release),
    ...[starts, done, failed, aborted].map(String),
  ]);
  if (rows.length === 0) return [];
  const columns = [left("RELEASE"), right("STARTS"), right("DONE"), right("FAILED"), right("STOPPED")];
  return renderTable(columns, rows).map((line) => `  ${line}`);
}
