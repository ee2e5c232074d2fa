/**
 * What to answer who asks how many workers a pool should have.
 *
 * Pure. Not known is never zero, and an old number is not known: whoever acts on the answer keeps what is there
 * when there is none.
 */
import type { DesiredWorkers } from "#shared/redis/desired-store";

/** A number that was not shown again for this long is old: six ticks, and longer than a standby takes to take over. */
export const DESIRED_STALE_MS = 30_000;

export interface DesiredQuestion {
  readonly pool: string;
  /** `null`: all releases together. */
  readonly release: string | null;
}

export interface DesiredFacts {
  /** The pool is in the configuration. */
  readonly isPool: boolean;
  /** The release is in the configuration. */
  readonly isRelease: boolean;
  /** What was shown last of the pool, `null` when nothing was. */
  readonly shown: DesiredWorkers | null;
  /** The clock by which it was shown. */
  readonly nowMs: number;
}

export interface KnownDesired {
  readonly kind: "known";
  readonly workers: number;
  readonly atMs: number;
  readonly decisionId: string | null;
}

/** `wrong`: asked for what is not there. `unknown`: it may be there, and is not known now. */
export interface NoDesired {
  readonly kind: "wrong" | "unknown";
  /** What was asked for that the reason is about. */
  readonly field: "pool" | "release";
  readonly reason: string;
}

export type DesiredAnswer = KnownDesired | NoDesired;

export function decideDesiredAnswer({ release }: DesiredQuestion, facts: DesiredFacts): DesiredAnswer {
  const { isPool, isRelease, shown, nowMs } = facts;
  if (!isPool) return no("wrong", "pool", "no pool of this name is in the configuration");
  if (shown === null) return no("unknown", "pool", "the pool has not been decided on yet");
  const ageMs = nowMs - shown.atMs;
  if (ageMs > DESIRED_STALE_MS) {
    const seconds = Math.floor(ageMs / 1_000);
    return no(
      "unknown",
      "pool",
      `the last decision is ${seconds} s old; no autoscaler leads, or Redis is slow`,
    );
  }
  const { atMs, decisionId, desired } = shown;
  if (release === null) {
    const workers = Object.values(desired).reduce((total, it) => total + it, 0);
    return { kind: "known", workers, atMs, decisionId };
  }
  const workers = Object.hasOwn(desired, release) ? desired[release] : undefined;
  if (workers !== undefined) return { kind: "known", workers, atMs, decisionId };
  if (!isRelease)
    return no("wrong", "release", "no release of this id is in the configuration or has workers");
  return no(
    "unknown",
    "release",
    "the release has not been decided on yet: it is not published for this pool",
  );
}

function no(kind: NoDesired["kind"], field: NoDesired["field"], reason: string): NoDesired {
  return { kind, field, reason };
}
