/** What "may this retire?" is answered with. */

export interface Blocker {
  /** Stable, kebab-case. */
  readonly code: string;
  /** What is in the way, in a sentence. */
  readonly what: string;
  /** How many jobs, where jobs are in the way. */
  readonly jobs?: number;
}

export interface RetirementAnswer {
  readonly mayRetire: boolean;
  readonly blockers: readonly Blocker[];
}
