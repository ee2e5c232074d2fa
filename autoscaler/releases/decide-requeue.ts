/**
 * Whether a job that ended failed runs again because a bad release is to blame, and with which record.
 *
 * Pure. The attempts of that release are kept in the record as handed back: they are told, and count for nothing from
 * then on, whoever looks. A job that another release failed by itself stays failed.
 */
import { isFailure, type JobRecord } from "#shared/job-record";
import { fromRfc3339 } from "#shared/system-clock";

export interface RequeueQuestion {
  readonly release: string;
  /** Attempts before this do not count as the rollout's doing. */
  readonly sinceMs: number;
  /** Attempts that the job may fail; `null`: not known. */
  readonly attemptsMax: number | null;
}

export type RequeueDecision =
  | { readonly kind: "requeue"; readonly record: JobRecord }
  | { readonly kind: "leave" };

export function decideRequeue(record: JobRecord, question: RequeueQuestion): RequeueDecision {
  const { release, sinceMs, attemptsMax } = question;
  const isSpoilt = (it: JobRecord["attempts"][number]) =>
    isFailure(it) && it.release === release && (fromRfc3339(it.startedAt) ?? 0) >= sinceMs;
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
