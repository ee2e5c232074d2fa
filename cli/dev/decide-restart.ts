/** Whether and when a process that ended by itself is started again. */

export interface RestartPolicy {
  /** Pause before the first restart, in milliseconds; doubles with each that follows. */
  readonly firstDelayMs: number;
  readonly delayMsMax: number;
  /** A process that ran this long is well: its next end counts as the first. */
  readonly wellAfterMs: number;
}

export interface RestartObservation {
  /** Ends in a row before this one, none of which ran well. */
  readonly endsBefore: number;
  /** How long the process ran, in milliseconds. */
  readonly ranMs: number;
}

export interface RestartDecision {
  readonly delayMs: number;
  /** Ends in a row, this one included: `endsBefore` of the next. */
  readonly ends: number;
}

export const RESTART_POLICY: RestartPolicy = {
  firstDelayMs: 1_000,
  delayMsMax: 30_000,
  wellAfterMs: 60_000,
};

export function decideRestart(seen: RestartObservation, policy: RestartPolicy): RestartDecision {
  const ends = seen.ranMs >= policy.wellAfterMs ? 1 : seen.endsBefore + 1;
  // Clamped, so that no number of ends overflows.
  const delayMs = policy.firstDelayMs * 2 ** Math.min(ends - 1, 30);
  return { ends, delayMs: Math.min(policy.delayMsMax, delayMs) };
}
