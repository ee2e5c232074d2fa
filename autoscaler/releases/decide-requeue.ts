/**
 * Whether a job that ended failed runs again because a bad release is to blame, and with which record.
 *
 * Pure. The attempts of that release are kept in the record as handed back: they are told, and count for nothing from
 * then on, whoever looks. A job that another release failed by itself stays failed.
 */
import type { AttemptEntry, JobRecord } from "#shared/job-record";

export interface RequeueQuestion {
  readonly release: string;
  /** Attempts before this are not the rollout's doing. RFC 3339 in UTC with milliseconds, so that texts compare. */
  readonly since: string;
  /** Attempts that the job may fail; `null`: not known. */
  readonly attemptsMax: number | null;
}

export type RequeueDecision =
  | { readonly kind: "requeue"; readonly record: JobRecord }
  | { readonly kind: "leave" };

export function decideRequeue(record: JobRecord, question: RequeueQuestion): RequeueDecision {
  const { release, since, attemptsMax } = question;
  const isSpoilt = (it: AttemptEntry) => isFailure(it) && it.release === release && it.startedAt >= since;
  const spoilt = record.attempts.filter(isSpoilt).length;
  if (spoilt === 0) return { kind: "leave" };
  const last = record.attempts.filter(isFailure).at(-1);
  const failures = Math.max(0, record.failures - spoilt);
  const wasExhausted = attemptsMax !== null && record.failures >= attemptsMax && failures < attemptsMax;
  const isItsDoing = last !== undefined && isSpoilt(last);
  if (!isItsDoing && !wasExhausted) return { kind: "leave" };
  const attempts = record.attempts.map((it) =>
    isSpoilt(it) ? { ...it, outcome: "handed-back" as const } : it,
  );
  return { kind: "requeue", record: { ...record, attempts, failures } };
}

/** The attempt counted, and failed. */
function isFailure({ outcome }: AttemptEntry): boolean {
  return outcome === "retry" || outcome === "failed";
}
