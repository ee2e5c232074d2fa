/**
 * What a pool wanted at most lately, a release: workers are started at once and taken away only when
 * nothing in the window wanted them (the stabilization window of the Kubernetes HPA).
 *
 * Pure. The history is a step function: what was wanted stays wanted until the next entry. So a leader
 * that was stopped for ten minutes does not find an empty window and take the fleet away.
 */

/** Whole workers >= 0 by release id. A release that is not named has none. */
export type WorkersByRelease = Readonly<Record<string, number>>;

/** What was wanted from one moment until the next entry. */
export interface WantedAt {
  readonly atMs: number;
  readonly byRelease: WorkersByRelease;
}

export interface RecentMaximum {
  readonly byRelease: WorkersByRelease;
  /** False while the history is shorter than the window (a new leader): then nothing may be taken away. */
  readonly covered: boolean;
  /** When the first of the maxima falls if nothing more is wanted, or the window is covered. Missing: not known. */
  readonly untilMs?: number;
}

/** More ticks than any sensible window holds: 5 s x 4096 is over five hours. */
const ENTRIES_MAX = 4_096;

/** How long a maximum is held: long enough for a worker to come and go, whatever the policy says. */
export function holdWindowMs(holdMs: number, startDelayMs: number): number {
  return Math.max(holdMs, 2 * startDelayMs);
}

/** The most that each release was wanted at any moment from `nowMs - holdMs` to `nowMs`. Any order will do. */
export function holdRecentMaximum(
  history: readonly WantedAt[],
  nowMs: number,
  holdMs: number,
): RecentMaximum {
  const maximum = new Map<string, number>();
  for (const entry of inWindow(history, nowMs - holdMs)) {
    for (const [release, workers] of Object.entries(entry.byRelease)) {
      maximum.set(release, Math.max(maximum.get(release) ?? 0, workers));
    }
  }
  return {
    byRelease: Object.fromEntries(maximum),
    covered: history.some(({ atMs }) => atMs <= nowMs - holdMs),
  };
}

/** When what is held now can first be given up, if no more is wanted until then. `null`: nothing is held. */
export function holdEndsAtMs(history: readonly WantedAt[], nowMs: number, holdMs: number): number | null {
  const first = history[0];
  if (first === undefined) return null;
  const { byRelease, covered } = holdRecentMaximum(history, nowMs, holdMs);
  if (!covered) return first.atMs + holdMs;
  const ends = Object.entries(byRelease).flatMap(([release, workers]) => {
    const last = history.findLastIndex((entry) => workersOf(entry.byRelease, release) === workers);
    // What the last entry wants is wanted still.
    return last < 0 || workers === 0 ? [] : [(history[last + 1]?.atMs ?? nowMs) + holdMs];
  });
  return ends.length === 0 ? null : Math.min(...ends);
}

/** The history with one entry more and without those that no window of `holdMs` can reach again. */
export function rememberWanted(
  history: readonly WantedAt[],
  entry: WantedAt,
  holdMs: number,
): readonly WantedAt[] {
  return [...inWindow(history, entry.atMs - holdMs), entry].slice(-ENTRIES_MAX);
}

/** Workers of one release; 0 when it is not named. */
export function workersOf(byRelease: WorkersByRelease, release: string): number {
  return Object.hasOwn(byRelease, release) ? (byRelease[release] ?? 0) : 0;
}

/** Entries from the window's start on, and the last one before it: that one was still in force. */
function inWindow(history: readonly WantedAt[], startMs: number): readonly WantedAt[] {
  const before = history.filter(({ atMs }) => atMs <= startMs).map(({ atMs }) => atMs);
  const inForceAtMs = before.length === 0 ? startMs : before.reduce((a, b) => Math.max(a, b));
  return history.filter(({ atMs }) => atMs >= inForceAtMs);
}
