/** What holds for each pool, and who set it, for people. Whatever the server says is neutralised. */
import type { Painter } from "../../terminal/colour.ts";
import { neutraliseLine } from "../../terminal/neutralise.ts";
import { left, renderTable, right } from "../../terminal/table.ts";
import { type Decision, type ScalingOverrides, total } from "./scale-answer.ts";

const POOL_COLUMNS = [left("POOL"), right("MIN"), right("MAX"), left("CONFIGURED"), left("FROZEN AT")];
const SET_COLUMNS = [left("POOL"), left("SET"), left("BY"), left("UNTIL"), left("WHY")];

export function showOverrides({ pools, allFrozen }: ScalingOverrides, paint: Painter): string {
  const rows = pools.map(({ pool, inForce, configured, freeze, held }) => [
    pool,
    String(inForce.workersMin),
    String(inForce.workersMax),
    `${configured.workersMin} to ${configured.workersMax}`,
    freeze === null ? "-" : held === null ? "as it was found" : `${total(held)} workers`,
  ]);
  const set = [
    ...(allFrozen === null ? [] : [setting("all", freezeWord(allFrozen), allFrozen)]),
    ...pools.flatMap(({ pool, freeze, bounds }) => [
      ...(freeze === null || freeze.pool === "*" ? [] : [setting(pool, freezeWord(freeze), freeze)]),
      ...(bounds === null ? [] : [setting(pool, boundsWord(bounds), bounds)]),
    ]),
  ];
  const sections = [
    [paint.strong("Pools"), ...(rows.length > 0 ? renderTable(POOL_COLUMNS, rows) : ["none"])],
    [paint.strong("Set by operators"), ...(set.length > 0 ? renderTable(SET_COLUMNS, set) : ["nothing"])],
  ];
  return `${sections.map(([title, ...lines]) => [title, ...lines.map((it) => `  ${it}`)].join("\n")).join("\n\n")}\n`;
}

/** Newest first. */
export function showHistory(decisions: readonly Decision[]): string {
  if (decisions.length === 0) return "no decision is kept\n";
  const columns = [
    left("WHEN"),
    left("POOL"),
    left("WORKERS"),
    left("REASON"),
    left("LIMITS"),
    left("DECISION"),
  ];
  const rows = decisions.map((it) => [
    it.at,
    it.queue,
    `${total(it.present)} -> ${total(it.desired)}`,
    it.reason,
    [...it.clamps.map(({ by }) => by), ...it.holds.map(({ because }) => because)].join(" ") || "-",
    it.id,
  ]);
  return `${renderTable(columns, rows).join("\n")}\n`;
}

export interface OverrideShown {
  readonly pool: string;
  readonly by: string;
  readonly why: string;
  readonly expiresAt: string;
}

export function nameOf(pool: string): string {
  return pool === "*" ? "all pools" : neutraliseLine(pool);
}

function setting(
  pool: string,
  word: string,
  { by, expiresAt, why }: OverrideShown | Omit<OverrideShown, "pool">,
) {
  return [pool, word, by, expiresAt, why];
}

function freezeWord({ hard }: { readonly hard: boolean }): string {
  return hard ? "frozen hard" : "frozen";
}

function boundsWord({
  workersMin,
  workersMax,
}: {
  workersMin: number | null;
  workersMax: number | null;
}): string {
  return [
    ...(workersMin === null ? [] : [`min ${workersMin}`]),
    ...(workersMax === null ? [] : [`max ${workersMax}`]),
  ].join(" ");
}
