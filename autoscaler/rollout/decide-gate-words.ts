/** What all health gates of a rollout share: the shape of their answers and how the error rate is shared out. Pure. */

export type GateOutcome = "pass" | "fail" | "inconclusive";

/** One gate's answer with the numbers it rests on. */
export interface GateEvaluation {
  readonly gate: string;
  readonly outcome: GateOutcome;
  /** What was measured and what it is held against, in the gate's own unit; `null` when there is nothing yet. */
  readonly value: number | null;
  readonly limit: number;
  /** Jobs of the new release and of the others that it rests on. */
  readonly sample: number;
  readonly othersSample: number;
  readonly sentence: string;
  /** What would have to happen for another outcome. */
  readonly wouldChange: string;
}

/** How a test's error rate is shared between its two bounds: the others have more jobs, so theirs costs less. */
export const HALT_SHARE_SUSPECT = 0.8;
export const HALT_SHARE_OTHERS = 0.2;

/** How often a gate may pass a release that is exactly at the limit. It is looked at a few times only. */
export const PASS_ERROR = 0.1;

export function perCent(rate: number): string {
  return `${(rate * 100).toFixed(rate < 0.0995 ? 1 : 0)} %`;
}
