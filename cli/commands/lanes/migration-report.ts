/**
 * What a migration says while it runs and when it has ended: read from the lines that its process logs.
 *
 * Lines that are of neither kind are the process's own words.
 */
import { z } from "zod";
import { parseLogLine } from "../../dev/log-line.ts";
import { neutraliseLine } from "../../terminal/neutralise.ts";

const count = z.number();

const counts = { from: z.string(), to: z.string(), moved: count, upcast: count, quarantined: count };

const progressLine = z.object({ ...counts, waiting: count, scheduled: count, inFlight: count, left: count });

const totalsLine = z.object({
  ...counts,
  /** Jobs that the newer lane had already. */
  known: count,
  /** Jobs that stay in the older lane, by reason. */
  left: z.record(z.string(), count),
  /** Everything unfinished in the older lane at the end, what was left included. */
  remaining: count,
});

export type MigrationTotals = z.output<typeof totalsLine>;

export type MigrationLine =
  | { readonly kind: "totals"; readonly totals: MigrationTotals }
  /** `text` is for people, and neutralised; `error`: why it could not go on, not neutralised. */
  | { readonly kind: "words"; readonly text: string; readonly error: string | null };

export function readMigrationLine(line: string): MigrationLine {
  const value = parsed(line);
  const totals = totalsLine.safeParse(value);
  if (totals.success) return { kind: "totals", totals: totals.data };
  const progress = progressLine.safeParse(value);
  if (progress.success) return { kind: "words", text: showProgress(progress.data), error: null };
  const { text, level, error } = parseLogLine(line, "migrate");
  return { kind: "words", text: neutraliseLine(text), error: level === "error" ? (error ?? text) : null };
}

function showProgress(it: z.output<typeof progressLine>): string {
  const done = `${neutraliseLine(it.from)} -> ${neutraliseLine(it.to)}: ${it.moved} moved (${it.upcast} upcast)`;
  return `${done}; still there: ${it.waiting} waiting, ${it.scheduled} scheduled, ${it.inFlight} in flight`;
}

export function showTotals({
  from,
  to,
  moved,
  upcast,
  quarantined,
  known,
  left,
  remaining,
}: MigrationTotals) {
  const counted = [
    `${moved} moved (${upcast} of them upcast)`,
    ...(known > 0 ? [`${known} were there already`] : []),
    `${quarantined} quarantined`,
    `${remaining} still in ${from}`,
  ];
  const reasons = Object.entries(left).map(([reason, jobs]) => `  left: ${jobs} ${reason}`);
  return [`${from} -> ${to}  ${counted.join(", ")}`, ...reasons].map(neutraliseLine);
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
