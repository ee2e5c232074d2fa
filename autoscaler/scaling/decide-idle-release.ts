/**
 * Workers that had nothing to do for so long that they are not worth holding.
 *
 * Pure. A worker that is held saves one start if it is needed again, and costs its idle time until then. Whoever waits about as
 * long as a start costs pays at most twice what knowing the future would (the ski-rental rule; DelayedOff: Gandhi,
 * Gupta, Harchol-Balter and Kozuch, 2010). Busy workers above what is wanted are another matter: the work that they do has to
 * be done by somebody, so they stay for the whole hold window.
 *
 * Only where the promise leaves time to start somebody for jobs when they come; elsewhere idle workers are the promise.
 */

/** Free slots of the ready workers of each release, at one look. */
export interface IdleAt {
  readonly atMs: number;
  readonly freeSlots: Readonly<Record<string, number>>;
}

export interface IdlePolicy {
  readonly startDelayMs: number;
  readonly tickMs: number;
  readonly slotsPerWorker: number;
}

/** More looks than the longest window holds. */
const ENTRIES_MAX = 256;

/** Half a start: the wait for the next look and for the drain cost about the other half. Two looks at least. */
export function idleWindowMs({ startDelayMs, tickMs }: Pick<IdlePolicy, "startDelayMs" | "tickMs">): number {
  return Math.max(startDelayMs / 2, 2 * tickMs);
}

/** The looks with one more, without those that the window does not reach. */
export function rememberIdle(history: readonly IdleAt[], next: IdleAt, windowMs: number): readonly IdleAt[] {
  return [...history.filter(({ atMs }) => atMs >= next.atMs - windowMs), next].slice(-ENTRIES_MAX);
}

/** Whole workers' worth of slots that were free at every look of the window, by release. None while it is not covered. */
export function decideIdleRelease(
  history: readonly IdleAt[],
  nowMs: number,
  policy: IdlePolicy,
): Readonly<Record<string, number>> {
  const first = history[0];
  // A look is never exactly on time: a window is covered when its last look but one is missing.
  if (first === undefined || nowMs - first.atMs < idleWindowMs(policy) - policy.tickMs) return {};
  const idle: Record<string, number> = {};
  for (const release of Object.keys(first.freeSlots)) {
    const least = history.reduce((min, { freeSlots }) => Math.min(min, freeSlots[release] ?? 0), Infinity);
    const workers = Math.floor(least / policy.slotsPerWorker);
    if (workers > 0) idle[release] = workers;
  }
  return idle;
}
