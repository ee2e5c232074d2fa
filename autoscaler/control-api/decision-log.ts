/**
 * Reads decision records back from where they are kept.
 *
 * An entry that another version wrote and this one cannot read is counted, not shown and not guessed at.
 */
import { type DecisionRecord, readRecord } from "../decision-record.ts";

export interface DecisionLog {
  /** Newest first. */
  readonly decisions: readonly DecisionRecord[];
  /** Entries that are no decision record as this version knows it. */
  readonly unreadable: number;
}

export function readDecisions(entries: readonly unknown[]): DecisionLog {
  const decisions = entries.flatMap((entry) => readRecord(entry) ?? []);
  return { decisions, unreadable: entries.length - decisions.length };
}
