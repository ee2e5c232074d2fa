/**
 * Which jobs of a lane have waited long enough to be raised, told by the counter that BullMQ gives each job that
 * comes to wait with a priority.
 *
 * The counter's value of some time ago is the last job's that waits for at least as long. It begins anew when the lane
 * runs empty: what was seen before that says nothing about the jobs of now.
 */

export interface CounterLook {
  readonly atMs: number;
  readonly counter: number;
}

/** Looks kept of a lane: an hour's of one every five seconds, and then fewer. */
const LOOKS_MAX = 720;

/** The looks with a new one. Those that are no longer needed go: all older than the one that is old enough. */
export function withCounterLook(
  looks: readonly CounterLook[],
  look: CounterLook,
  raiseAfterMs: number,
): readonly CounterLook[] {
  const last = looks.at(-1);
  if (last !== undefined && (look.counter < last.counter || look.atMs < last.atMs)) return [look];
  const all = [...looks, look];
  const oldEnough = all.findLastIndex((it) => it.atMs <= look.atMs - raiseAfterMs);
  const needed = all.slice(Math.max(0, oldEnough));
  return needed.length <= LOOKS_MAX ? needed : needed.filter((_it, index) => index % 2 === 0);
}

/** The counter up to which jobs have waited for `raiseAfterMs`; `null` while that is not known. */
export function counterWaited(
  looks: readonly CounterLook[],
  nowMs: number,
  raiseAfterMs: number,
): number | null {
  return looks.findLast((it) => it.atMs <= nowMs - raiseAfterMs)?.counter ?? null;
}
