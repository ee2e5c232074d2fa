/**
 * What a rollout's records and a demo's ledger say together: how soon a bad release was halted and how much it was given,
 * and how soon after its last job a release was reported drained.
 *
 * Pure. The records tell when something was decided; only the handlers' own lines tell when jobs really ended.
 */
import type { RunLine } from "./decide-ledger.ts";

export interface MilestoneRecord {
  readonly atMs: number;
  readonly from: string;
  readonly to: string;
  readonly code: string;
}

export interface Milestones {
  /** From the end of the new release's 60th job to the halt; `null`: no halt, or fewer jobs before it. */
  readonly haltedAfterJob60Ms: number | null;
  /** Jobs that had ended on the new release when it was halted. */
  readonly jobsBeforeHalt: number | null;
  /** From the halt to the last job that the new release has started; `null`: no halt, or none after it. */
  readonly startsAfterHaltMs: number | null;
  /** Share of all starts that the new release had, from its first start to the halt or to the end of the records. */
  readonly exposure: number | null;
  /** From the old release's last job to when the last step saw that it holds nothing; below zero: its clock is ahead. */
  readonly shareDrainedAfterMs: number | null;
  /** The same of the release that leaves and the state `drained`, less the hold. */
  readonly drainedAfterMs: number | null;
}

const EVIDENCE_JOBS = 60;

export function decideMilestones(facts: {
  readonly from: string;
  readonly to: string;
  /** Oldest first. */
  readonly records: readonly MilestoneRecord[];
  readonly runs: readonly RunLine[];
  readonly drainHoldMs: number;
}): Milestones {
  const { from, to, records, runs, drainHoldMs } = facts;
  const halt = records.find((it) => it.to === "halted") ?? null;
  const endsOf = (release: string) =>
    runs
      .filter((it) => it.event === "end" && it.release === release)
      .map((it) => it.atMs)
      .sort((a, b) => a - b);
  const newEnds = endsOf(to);
  const job60Ms = newEnds[EVIDENCE_JOBS - 1] ?? null;
  const isBack = records.some((it) => it.to === "rolling-back");
  return {
    haltedAfterJob60Ms: halt === null || job60Ms === null ? null : Math.max(0, halt.atMs - job60Ms),
    jobsBeforeHalt: halt === null ? null : newEnds.filter((atMs) => atMs <= halt.atMs).length,
    startsAfterHaltMs: halt === null ? null : startsAfter(runs, to, halt.atMs),
    exposure: exposureOf(to, runs, halt?.atMs ?? records.at(-1)?.atMs ?? 0),
    shareDrainedAfterMs: shareDrained(records, endsOf(from)),
    drainedAfterMs: drained(records, endsOf(isBack ? to : from), drainHoldMs),
  };
}

function startsAfter(runs: readonly RunLine[], release: string, atMs: number): number | null {
  const late = runs.filter((it) => it.event === "start" && it.release === release && it.atMs > atMs);
  return late.length === 0 ? null : Math.max(...late.map((it) => it.atMs - atMs));
}

function exposureOf(to: string, runs: readonly RunLine[], untilMs: number): number | null {
  const starts = runs.filter((it) => it.event === "start");
  const own = starts.filter((it) => it.release === to && it.atMs <= untilMs);
  if (own.length === 0) return null;
  const firstMs = own.reduce((first, it) => Math.min(first, it.atMs), Number.POSITIVE_INFINITY);
  return own.length / starts.filter((it) => it.atMs >= firstMs && it.atMs <= untilMs).length;
}

/** By the last step's record: before it the old release goes on with what it keeps. */
function shareDrained(records: readonly MilestoneRecord[], ends: readonly number[]): number | null {
  const seen = records.findLast(
    (it) => it.code === "drained" && it.from === "soaking" && it.to === "soaking",
  );
  if (seen === undefined || (ends.at(-1) ?? 0) > seen.atMs) return null;
  return lagOf(seen.atMs, ends, since(records, seen));
}

function drained(
  records: readonly MilestoneRecord[],
  ends: readonly number[],
  holdMs: number,
): number | null {
  const seen = records.find((it) => it.to === "drained" && it.from !== "drained");
  if (seen === undefined) return null;
  return lagOf(seen.atMs - holdMs, ends, since(records, seen));
}

/** When that began which ended with this record: nothing is drained before it is told to. */
function since(records: readonly MilestoneRecord[], seen: MilestoneRecord): number {
  const before = records.slice(0, records.indexOf(seen));
  const began = before.findLast((it) => it.code === "started" || it.from !== it.to);
  return began?.atMs ?? 0;
}

function lagOf(atMs: number, ends: readonly number[], sinceMs: number): number | null {
  const last = ends.findLast((it) => it <= atMs);
  return last === undefined ? null : atMs - Math.max(last, sinceMs);
}
