/**
 * Which workers to start while nobody leads: what the last leader had run, up to the pool's minimum. Pure.
 */

export interface MissingMinimum {
  /** Workers by release, as the last leader told it. */
  readonly desired: Readonly<Record<string, number>>;
  /** Releases of the workers that are there and stay. */
  readonly there: readonly string[];
  readonly workersMin: number;
  readonly workersMax: number;
}

/** A release for each worker that is missing. */
export function decideMissingMinimum({
  desired,
  there,
  workersMin,
  workersMax,
}: MissingMinimum): readonly string[] {
  const lacking = Object.entries(desired).flatMap(([release, wanted]) => {
    const own = there.filter((it) => it === release).length;
    return Array.from({ length: Math.max(0, wanted - own) }, () => release);
  });
  return lacking.slice(0, Math.max(0, Math.min(workersMin, workersMax) - there.length));
}
