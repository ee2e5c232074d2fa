/**
 * What Sluice remembers about a job's runs: our own attempt record, bounded.
 *
 * BullMQ counts attempts too, but only we know which of them count: a start that was handed back, or a
 * run that a bad release spoilt, burns nothing. The record of unfinished and failed jobs is kept as
 * the BullMQ job's `progress`; a job that ends well keeps its outcome as the `returnvalue`.
 */
import { z } from "zod";

/** Entries kept; the counters go on. */
const ATTEMPTS_KEPT_MAX = 20;

/** Characters of an error message that are kept. */
export const MESSAGE_CHARS_MAX = 1_024;

/** Characters of a handler's progress message that are kept. */
export const PROGRESS_CHARS_MAX = 256;

/** Bytes of JSON a handler's result may have to be kept. */
export const RESULT_BYTES_MAX = 16 * 1024;

const attemptEntry = z.object({
  /** Number of the attempt this start was, from 1; a start that was handed back does not use it up. */
  attempt: z.int(),
  release: z.string(),
  worker: z.string(),
  startedAt: z.string(),
  endedAt: z.string(),
  outcome: z.enum(["retry", "failed", "handed-back", "quarantined", "parked"]),
  /** Stable code of the cause. */
  code: z.string(),
  /** The cause in words, cut to 1,024 characters; never the job's data. */
  message: z.string(),
});

export type AttemptEntry = z.output<typeof attemptEntry>;

const jobProgress = z.object({
  /** 0 to 100, as the handler says. */
  percent: z.number(),
  message: z.string().optional(),
  at: z.string(),
  /** Number of the start whose handler said it: that of an earlier start says nothing of a later one. */
  start: z.int(),
});

export type JobProgress = z.output<typeof jobProgress>;

const nextDue = z.object({
  /** By the clock of the worker that settled it. */
  atMs: z.number(),
  /** Number of the start that it is due for: a start that was lost leaves it behind, for no other. */
  start: z.int(),
});

const jobRecord = z.object({
  /** Newest last. */
  attempts: z.array(attemptEntry),
  /** Attempts that counted and failed. */
  failures: z.int(),
  /** Starts that were handed back because of what the worker can read; sets the next delay. */
  handBacks: z.int(),
  /** What the handler last said of itself; gone once the start has ended without success. */
  progress: jobProgress.optional(),
  /** When it falls due again; nothing for a job that was not put back by the last start. */
  due: nextDue.optional(),
});

export type JobRecord = z.output<typeof jobRecord>;

export const EMPTY_RECORD: JobRecord = { attempts: [], failures: 0, handBacks: 0 };

const storedOutcome = z.object({
  outcome: z.enum(["succeeded", "expired", "cancelled"]),
  /** `null` when no release has run it. */
  release: z.string().nullable(),
  /** Why it was cancelled, as whoever did it said. */
  why: z.string().optional(),
  /** Present when the handler returned something and it was small enough to keep. */
  result: z.unknown().optional(),
  /** Size of a result that was too large to keep. */
  resultBytesDropped: z.int().optional(),
});

/** A finished job's outcome, as its `returnvalue`. */
export type StoredOutcome = z.output<typeof storedOutcome>;

/** The record in a job's progress, as a value or as JSON text; the empty one when there is none. */
export function parseRecord(progress: unknown): JobRecord {
  // What BullMQ shows for a job that has none: nearly all jobs.
  if (progress === 0 || progress === undefined) return EMPTY_RECORD;
  const result = jobRecord.safeParse(parsedValue(progress));
  return result.success ? result.data : EMPTY_RECORD;
}

/** The outcome in a job's return value, as a value or as JSON text; `null` when it is none of ours. */
export function parseOutcome(returnValue: unknown): StoredOutcome | null {
  const result = storedOutcome.safeParse(parsedValue(returnValue));
  return result.success ? result.data : null;
}

function parsedValue(stored: unknown): unknown {
  if (typeof stored !== "string") return stored;
  try {
    return JSON.parse(stored);
  } catch {
    return null;
  }
}

/**
 * Attempts that counted and failed, those of `releases` left out. Entries that are not kept any more cannot be left out.
 */
export function failuresWithout({ failures, attempts }: JobRecord, releases: ReadonlySet<string>): number {
  if (releases.size === 0) return failures;
  return Math.max(0, failures - attempts.filter((it) => isFailure(it) && releases.has(it.release)).length);
}

/** Whether the attempt counted and failed. */
export function isFailure({ outcome }: Pick<AttemptEntry, "outcome">): boolean {
  return outcome === "retry" || outcome === "failed";
}

export function withAttempt(record: JobRecord, entry: AttemptEntry): JobRecord {
  const counted = isFailure(entry);
  const unreadable = entry.outcome === "handed-back" && entry.code !== "DRAINING";
  return {
    attempts: [...record.attempts, entry].slice(-ATTEMPTS_KEPT_MAX),
    failures: record.failures + (counted ? 1 : 0),
    handBacks: record.handBacks + (unreadable ? 1 : 0),
  };
}
