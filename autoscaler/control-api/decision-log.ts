/**
 * Reads decision records back from where they are kept.
 *
 * An entry that another version wrote and this one cannot read is counted, not shown and not guessed at.
 */
import { z } from "zod";
import type { DecisionRecord } from "../snapshot.ts";

const workersByRelease = z.record(z.string(), z.number());

const decisionRecord = z.object({
  id: z.string(),
  at: z.string(),
  queue: z.string(),
  kind: z.enum(["sized", "hold"]),
  reason: z.string(),
  sentence: z.string(),
  present: workersByRelease,
  wanted: workersByRelease,
  desired: workersByRelease,
  limitedBy: z.string().nullable(),
  actions: z.array(z.object({ act: z.string(), release: z.string(), worker: z.string() })),
  inputs: z.record(z.string(), z.unknown()),
});

export interface DecisionLog {
  /** Newest first. */
  readonly decisions: readonly DecisionRecord[];
  /** Entries that are no decision record as this version knows it. */
  readonly unreadable: number;
}

export function readDecisions(entries: readonly unknown[]): DecisionLog {
  const decisions = entries.flatMap((entry): DecisionRecord[] => {
    const read = decisionRecord.safeParse(entry);
    return read.success ? [read.data] : [];
  });
  return { decisions, unreadable: entries.length - decisions.length };
}
